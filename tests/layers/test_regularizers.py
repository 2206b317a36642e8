import json
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import autograd.numpy as anp
import jax
import keras
import numpy as np
import pytest

from rnn_ref.layers import regularizers

PAIRS = [
    (getattr(regularizers, name)(**arguments), getattr(keras.regularizers, name)(**arguments))
    for name, arguments in [
        ("L1", {}),
        ("L1", {"l1": 0.3}),
        ("L2", {}),
        ("L2", {"l2": 0.3}),
        ("L1L2", {}),
        ("L1L2", {"l1": 0.3}),
        ("L1L2", {"l1": 0.3, "l2": 0.2}),
        ("OrthogonalRegularizer", {}),
        ("OrthogonalRegularizer", {"factor": 0.7, "mode": "columns"}),
    ]
]
IDS = [f"{type(ours).__name__}-{ours.get_config()}" for ours, _ in PAIRS]
each_pair = pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=IDS)


def draw(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@each_pair
@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (2, 2)])
def test_value_equals_keras(ours, theirs, shape):
    x = draw(shape).astype("float32")
    value = ours(x)
    assert isinstance(value, float)
    assert value == pytest.approx(float(theirs(jax.numpy.asarray(x))), rel=1e-5)


@each_pair
def test_gradient_equals_jax_gradient_of_keras(ours, theirs):
    x = draw((5, 6)).astype("float32")
    gradient = ours.gradient(x)
    assert gradient.dtype == x.dtype
    np.testing.assert_allclose(gradient, jax.grad(theirs)(jax.numpy.asarray(x)), rtol=1e-4, atol=1e-7)


@each_pair
def test_gradient_equals_finite_differences(ours, theirs):
    x, step = draw((4, 5)), 1e-6
    gradient = ours.gradient(x)
    assert gradient.shape == x.shape
    for index in np.ndindex(x.shape):
        there, back = x.copy(), x.copy()
        there[index] += step
        back[index] -= step
        assert gradient[index] == pytest.approx((ours(there) - ours(back)) / (2 * step), abs=1e-8)


def test_a_weight_at_zero_is_left_there():
    # The corner of |x|: 0 as in PyTorch and TensorFlow (JAX takes 1).
    assert regularizers.L1(0.3).gradient(np.zeros(2)).tolist() == [0, 0]
    assert regularizers.L1L2(0.3, 0.2).gradient(np.zeros(2)).tolist() == [0, 0]


@pytest.mark.parametrize("shape", [(6,), (2, 3, 4), ()])
def test_any_shape_is_penalized(shape):
    x = draw(shape)
    assert regularizers.L1L2(0.1, 0.2)(x) == pytest.approx(0.1 * np.abs(x).sum() + 0.2 * (x**2).sum())
    assert regularizers.L1L2(0.1, 0.2).gradient(x).shape == shape


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonal_regularizer_at_its_limits(mode):
    regularizer = regularizers.OrthogonalRegularizer(1.0, mode)
    q, _ = np.linalg.qr(draw((4, 4)))
    assert regularizer(q) == pytest.approx(0, abs=1e-15)
    assert regularizer(np.outer([1, -2], [3, 3])) == pytest.approx(1)
    single = np.ones((1, 3) if mode == "rows" else (3, 1))
    assert regularizer(single) == 0
    np.testing.assert_array_equal(regularizer.gradient(single), np.zeros_like(single))
    with_zero_vector = np.array([[1.0, 2.0], [0.0, 0.0]])
    assert np.isfinite(regularizer.gradient(with_zero_vector)).all()


@each_pair
def test_config_round_trip_through_json_and_keras(ours, theirs):
    config = json.loads(json.dumps(regularizers.serialize(ours)))
    assert regularizers.deserialize(config).get_config() == ours.get_config()
    assert keras.regularizers.deserialize(config).get_config() == pytest.approx(theirs.get_config())
    back = regularizers.deserialize(keras.regularizers.serialize(theirs))
    assert type(back) is type(ours)


@pytest.mark.parametrize("name", ["l1", "l2", "L1", "L2", "L1L2", "l1l2", "OrthogonalRegularizer"])
def test_names_stand_for_the_defaults_of_keras(name):
    ours, theirs = regularizers.get(name), keras.regularizers.get(name)
    assert ours.get_config() == pytest.approx(theirs.get_config())


def test_further_names():
    assert regularizers.get("l1_l2").get_config() == {"l1": 0.01, "l2": 0.01}
    assert regularizers.get("orthogonal_regularizer").get_config() == {"factor": 0.01, "mode": "rows"}
    assert regularizers.get(None) is None
    assert regularizers.serialize(None) is None
    assert regularizers.l2(0.1).l2 == 0.1
    assert (regularizers.l1, regularizers.l1_l2) == (regularizers.L1, regularizers.L1L2)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "0.1", [0.1]])
def test_a_wrong_factor_is_reported(value):
    for cls in (regularizers.L1, regularizers.L2, regularizers.L1L2, regularizers.OrthogonalRegularizer):
        with pytest.raises(ValueError, match="finite number that is not negative"):
            cls(value)


def test_other_errors():
    with pytest.raises(ValueError, match="rows, columns; got 'diagonal'"):
        regularizers.OrthogonalRegularizer(mode="diagonal")
    with pytest.raises(ValueError, match=r"needs a matrix.*\(3,\)"):
        regularizers.OrthogonalRegularizer()(np.ones(3))
    with pytest.raises(ValueError, match=r"unknown regularizer 'l3'.*l1_l2"):
        regularizers.get("l3")
    with pytest.raises(NotImplementedError, match="gradient"):
        regularizers.Regularizer().gradient(np.ones(2))


class Cubic(regularizers.Regularizer):
    """Without a gradient written out."""

    def __call__(self, x):
        return 0.1 * anp.sum(anp.abs(x) ** 3)


class FiveTimes(regularizers.L2):
    def __call__(self, x):
        return 5 * self.l2 * anp.sum(x**2)


class OnTop(regularizers.L2):
    def __call__(self, x):
        return 5 * super().__call__(x)


class Written(OnTop):
    def gradient(self, x):
        return 10 * self.l2 * x


@pytest.mark.parametrize("penalty", [Cubic(), FiveTimes(0.3), Written(0.3)])
def test_a_call_of_ones_own_has_its_own_gradient(penalty):
    """That of the class above belongs to the other penalty."""
    x = np.random.default_rng(0).normal(size=(3, 2))
    gradient = penalty.gradient(x)
    for index in np.ndindex(x.shape):
        ends = [penalty(x + sign * 1e-6 * (np.arange(6).reshape(3, 2) == index[0] * 2 + index[1])) for sign in (1, -1)]
        assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)
    assert penalty.gradient(x.astype("float32")).dtype == "float32"


def test_a_call_that_cannot_be_differentiated_says_what_to_write():
    with pytest.raises(NotImplementedError, match=r"OnTop has no gradient.*Write gradient\(self, x\)"):
        OnTop(0.3).gradient(np.ones(3))
