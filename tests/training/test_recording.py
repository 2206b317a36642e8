"""Losses that users write, and losses and metrics of this package inside what autograd records."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from rnn_ref import losses, metrics

rng = np.random.default_rng(0)
Y, P = rng.random((3, 4, 2)), 0.1 + 0.8 * rng.random((3, 4, 2))
WEIGHT, MASK = rng.random((3, 4)), rng.random((3, 4)) > 0.3


def numeric(function, p, eps=1e-6):
    """Central differences."""
    found = np.zeros_like(p)
    for k in np.ndindex(p.shape):
        step = np.zeros_like(p)
        step[k] = eps
        found[k] = (function(p + step) - function(p - step)) / (2 * eps)
    return found


class TenTimes(losses.MeanSquaredError):
    """`call` of a loss whose gradient belongs to another."""

    def call(self, y_true, y_pred):
        return 10 * super().call(y_true, y_pred)


class TenTimesAgain(TenTimes):
    """One level further down."""


class Smoothed(losses.SparseCategoricalCrossentropy):
    def call(self, y_true, y_pred):
        return super().call(y_true, y_pred) + 0.1 * np.mean(np.log(y_pred) ** 2, axis=-1)


class Cubed(losses.Loss):
    def call(self, y_true, y_pred):
        return np.mean(np.abs(y_true - y_pred) ** 3, axis=-1)


def penalized(y_true, y_pred):
    return losses.mean_squared_error(y_true, y_pred) + np.mean(np.abs(y_pred), axis=-1)


MADE = {
    "subclass": lambda: (TenTimes(), Y),
    "sub-subclass": lambda: (TenTimesAgain(reduction="sum"), Y),
    "labels": lambda: (Smoothed(ignore_class=1), rng.integers(0, 2, (3, 4))),
    "without gradient": lambda: (Cubed(reduction="mean_with_sample_weight"), Y),
    "function": lambda: (losses.resolve(penalized), Y),
}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("mask", [None, MASK], ids=["", "masked"])
def test_what_users_write_has_its_own_gradient(kind, weight, mask):
    loss, y = MADE[kind]()
    value, dy_pred = loss.value_and_gradient(y, P, weight, mask)
    np.testing.assert_allclose(value, loss(y, P, weight, mask), rtol=1e-12)
    np.testing.assert_allclose(dy_pred, numeric(lambda p: loss(y, p, weight, mask), P), atol=1e-7)
    inside = autograd.grad(lambda p: loss(y, p, weight, mask))(P)  # as a part of something larger
    np.testing.assert_allclose(inside, dy_pred, atol=1e-12)


def test_a_subclass_that_changes_the_reduction_has_its_own_gradient():
    class Whole(losses.Huber):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return 3 * super().__call__(y_true, y_pred, sample_weight) + np.mean(y_pred**2)

    value, dy_pred = Whole().value_and_gradient(Y, P, WEIGHT)
    np.testing.assert_allclose(value, Whole()(Y, P, WEIGHT), rtol=1e-12)
    np.testing.assert_allclose(dy_pred, numeric(lambda p: Whole()(Y, p, WEIGHT), P), atol=1e-7)


def test_every_loss_can_be_part_of_a_formula():
    def formula(p):
        each = losses.BinaryCrossentropy(reduction="none")(Y, p)
        return losses.CategoricalCrossentropy()(Y, p) + anp.sum(each * WEIGHT) + anp.sum(losses.kl_divergence(Y, p))

    np.testing.assert_allclose(autograd.grad(formula)(P), numeric(formula, P), atol=1e-6)


def test_single_precision_stays():
    value, dy_pred = TenTimes().value_and_gradient(Y.astype("float32"), P.astype("float32"))
    assert value.dtype == dy_pred.dtype == np.float32


def test_targets_and_predictions_the_wrong_way_round_are_refused():
    for loss in (losses.mean_squared_error, losses.MeanSquaredError()):
        with pytest.raises(TypeError, match="order of the arguments"):
            autograd.grad(lambda p, loss=loss: anp.sum(loss(p, Y)))(P)


def test_a_loss_that_returns_no_numbers_is_refused():
    with pytest.raises(TypeError, match="array of floats"):
        losses.resolve(lambda y_true, y_pred: np.argmax(y_pred, axis=-1)).value_and_gradient(Y, P)


def test_metrics_take_what_autograd_records():
    mean, mae = metrics.Mean(), metrics.MeanAbsoluteError()

    def formula(p):
        total = anp.sum(p**2)
        mean.update_state(total)
        mae.update_state(Y, p)
        return total

    np.testing.assert_allclose(autograd.grad(formula)(P), 2 * P)
    np.testing.assert_allclose([mean.result(), mae.result()], [np.sum(P**2), np.mean(np.abs(Y - P))])


def test_a_metric_inside_a_metric_is_reset_with_it():
    class Both(metrics.Metric):
        def __init__(self):
            super().__init__(name="both")
            self.first, self.rest = metrics.Sum(), {"more": [metrics.Sum()]}

        def update_state(self, values):
            self.first.update_state(values)
            self.rest["more"][0].update_state(values)

        def result(self):
            return self.first.result() + self.rest["more"][0].result()

    both = Both()
    assert both([1.0, 2.0]) == 6.0
    assert len(both.variables) == 2
    both.reset_state()
    assert both.result() == 0.0
