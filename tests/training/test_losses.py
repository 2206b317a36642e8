"""Losses against Keras on JAX, their gradients against jax.grad and finite differences."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import keras
import numpy as np
import pytest

from rnn_ref.training import losses


def data(kind, shape=(4, 3, 5), seed=0):
    """Targets and float32 predictions; some predictions lie beyond the bounds of probabilities."""
    rng = np.random.default_rng(seed)
    y_pred = rng.normal(size=shape).astype("float32")
    if kind == "real":
        return rng.normal(size=shape).astype("float32"), y_pred
    if kind == "positive":
        return rng.uniform(0.1, 2, shape).astype("float32"), rng.uniform(0.1, 2, shape).astype("float32")
    if kind == "sign":
        return rng.choice([-1.0, 1.0], shape).astype("float32"), y_pred
    if kind == "binary logits":
        return rng.integers(0, 2, shape).astype("float32"), 5 * y_pred
    labels = rng.integers(0, shape[-1], shape[:-1])
    one_hot = np.eye(shape[-1], dtype="float32")[labels]
    if kind == "labels logits":
        return labels, 5 * y_pred
    if kind == "one-hot logits":
        return one_hot, 5 * y_pred
    p = rng.uniform(size=shape).astype("float32")
    p[0, 0, 0], p[1, 0, 1], p[2, 1, :] = 0.0, 1.0, [0, 0, 1, 0, 0]
    return {"labels": labels, "one-hot": one_hot, "binary": (one_hot + one_hot[::-1] > 0).astype("float32")}[kind], p


CASES = [
    ("MeanSquaredError", {}, "real"),
    ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsolutePercentageError", {}, "real"),
    ("MeanSquaredLogarithmicError", {}, "real"),
    ("Huber", {}, "real"),
    ("Huber", {"delta": 0.3}, "real"),
    ("LogCosh", {}, "real"),
    ("CosineSimilarity", {}, "real"),
    ("CosineSimilarity", {"axis": 1}, "real"),
    ("Hinge", {}, "sign"),
    ("Hinge", {}, "binary logits"),
    ("SquaredHinge", {}, "sign"),
    ("CategoricalHinge", {}, "one-hot logits"),
    ("Poisson", {}, "positive"),
    ("KLDivergence", {}, "one-hot"),
    ("KLDivergence", {}, "positive"),
    ("BinaryCrossentropy", {}, "binary"),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, "binary"),
    ("BinaryCrossentropy", {"from_logits": True}, "binary logits"),
    ("BinaryCrossentropy", {"from_logits": True, "axis": 1}, "binary logits"),
    ("BinaryFocalCrossentropy", {}, "binary"),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5, "axis": 1}, "binary"),
    ("BinaryFocalCrossentropy", {"gamma": 0.0, "from_logits": True}, "binary logits"),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "binary logits"),
    ("CategoricalFocalCrossentropy", {}, "one-hot"),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.3, 0.4, 0.5], "gamma": 0.0}, "one-hot"),
    ("CategoricalFocalCrossentropy", {"label_smoothing": 0.2, "gamma": 1.5}, "one-hot"),
    ("CategoricalFocalCrossentropy", {"from_logits": True}, "one-hot logits"),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, "labels"),
    ("Dice", {}, "binary"),
    ("Dice", {"axis": (1, 2)}, "binary"),
    ("Dice", {"axis": (0,)}, "binary"),
    ("Tversky", {"alpha": 0.2, "beta": 0.7}, "binary"),
    ("Tversky", {"alpha": 0.2, "beta": 0.7, "axis": (0, 2)}, "binary"),
    ("CategoricalCrossentropy", {}, "one-hot"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}, "one-hot"),
    ("CategoricalCrossentropy", {"axis": 1}, "one-hot"),
    ("CategoricalCrossentropy", {"from_logits": True}, "one-hot logits"),
    ("CategoricalCrossentropy", {"from_logits": True, "axis": 1}, "one-hot logits"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "one-hot logits"),
    ("SparseCategoricalCrossentropy", {}, "labels"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels logits"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, "labels"),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 0}, "labels logits"),
]
IDS = [f"{name}-{options}-{kind}" for name, options, kind in CASES]


def keras_value_and_gradient(name, options, y_true, y_pred, sample_weight=None, mask=None):
    loss = getattr(keras.losses, name)(**options)

    def value(p):
        if mask is not None:
            keras.src.backend.set_keras_mask(p, jax.numpy.asarray(mask))
        return loss(y_true, p, sample_weight)

    return jax.value_and_grad(value)(jax.numpy.asarray(y_pred))


@pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=IDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_value_and_gradient_equal_those_of_keras(name, options, kind, weighted):
    y_true, y_pred = data(kind)
    loss = getattr(losses, name)(**options)
    shape = loss.call(y_true, y_pred).shape
    weight = np.random.default_rng(1).uniform(0, 2, shape).astype("float32") if weighted else None
    expected, dexpected = keras_value_and_gradient(name, options, y_true, y_pred, weight)

    value, dy_pred = loss.value_and_gradient(y_true, y_pred, weight)

    assert value.dtype == dy_pred.dtype == np.float32
    np.testing.assert_allclose(value, expected, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(loss(y_true, y_pred, weight), value)
    np.testing.assert_allclose(dy_pred, dexpected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=IDS)
def test_gradient_is_the_slope_of_the_value(name, options, kind):
    y_true, y_pred = data(kind, seed=3)
    y_pred = y_pred.astype(float)
    if kind in ("binary", "one-hot", "labels"):
        y_pred = np.clip(y_pred, 0.05, 0.95)  # away from the bounds, where there is a kink
    loss = getattr(losses, name)(**options)
    value, dy_pred = loss.value_and_gradient(y_true, y_pred)
    assert value.dtype == dy_pred.dtype == np.float64
    h = 1e-6
    for index in np.ndindex(y_pred.shape):
        up, down = y_pred.copy(), y_pred.copy()
        up[index] += h
        down[index] -= h
        slope = (loss(y_true, up) - loss(y_true, down)) / (2 * h)
        assert dy_pred[index] == pytest.approx(slope, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"])
@pytest.mark.parametrize("weight_shape", [None, (), (4, 1), (4, 3)])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("ignore_class", [None, 1])
def test_reductions_weights_and_masks(reduction, weight_shape, masked, ignore_class):
    y_true, y_pred = data("labels")
    rng = np.random.default_rng(2)
    weight = None if weight_shape is None else rng.uniform(0.5, 2, weight_shape).astype("float32")
    mask = rng.random((4, 3)) > 0.4 if masked else None
    options = {"reduction": reduction, "ignore_class": ignore_class}
    expected, dexpected = keras_value_and_gradient(
        "SparseCategoricalCrossentropy", options, y_true, y_pred, weight, mask
    )
    loss = losses.SparseCategoricalCrossentropy(**options)
    value, dy_pred = loss.value_and_gradient(y_true, y_pred, weight, mask)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(dy_pred, dexpected, rtol=1e-4, atol=1e-6)


def test_without_reduction_there_is_a_loss_per_sample_but_no_training():
    y_true, y_pred = data("real")
    loss = losses.MeanSquaredError(reduction=None)
    np.testing.assert_allclose(
        loss(y_true, y_pred), keras.losses.MeanSquaredError(reduction=None)(y_true, y_pred), rtol=1e-6
    )
    with pytest.raises(ValueError, match="reduction=None"):
        loss.value_and_gradient(y_true, y_pred)


def test_one_weight_per_sample_holds_for_all_its_time_steps():
    y_true, y_pred = data("real", (3, 3, 2))  # as many steps as samples: broadcasting would weigh steps
    weight = np.array([1.0, 2.0, 0.0])
    loss = losses.MeanSquaredError()
    assert loss(y_true, y_pred, weight) == pytest.approx(loss(y_true, y_pred, np.repeat(weight[:, None], 3, 1)))


def test_a_mask_that_leaves_nothing_gives_zero():
    y_true, y_pred = data("real")
    value, dy_pred = losses.MeanSquaredError().value_and_gradient(y_true, y_pred, mask=np.zeros((4, 3), bool))
    assert value == 0
    assert not dy_pred.any()


@pytest.mark.parametrize("shapes", [((6,), (6, 1)), ((6, 1), (6,)), ((4, 3), (4, 3, 1)), ((4, 3, 1), (4, 3))])
@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy"])
def test_a_last_dimension_of_one_is_made_up_for(name, shapes):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 2, shapes[0]), rng.uniform(0.1, 0.9, shapes[1]).astype("float32")
    expected, dexpected = keras_value_and_gradient(name, {}, y_true, y_pred)
    value, dy_pred = getattr(losses, name)().value_and_gradient(y_true, y_pred)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_allclose(dy_pred, dexpected, rtol=1e-5)
    assert dy_pred.shape == y_pred.shape


@pytest.mark.parametrize(
    "shapes", [((4, 3), (4, 2)), ((5,), (4, 1)), ((4, 3), (4, 1)), ((4,), (4, 4)), ((4, 2, 3), (4, 3))]
)
def test_shapes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match="must have the same shape"):
        losses.MeanSquaredError()(np.zeros(shapes[0]), np.zeros(shapes[1]))


def test_labels_outside_the_classes_and_one_hot_labels_are_refused():
    loss = losses.SparseCategoricalCrossentropy()
    with pytest.raises(ValueError, match=r"from 0 to 2.*from 1 to 3.*ignore_class"):
        loss(np.array([1, 3]), np.full((2, 3), 0.3))
    with pytest.raises(ValueError, match="from -1 to 0"):
        loss(np.array([0, -1]), np.full((2, 3), 0.3))
    with pytest.raises(ValueError, match="use CategoricalCrossentropy"):
        loss(np.eye(3), np.full((3, 3), 0.3))


def test_weights_that_do_not_fit_are_refused():
    y_true, y_pred = data("real")
    with pytest.raises(ValueError, match=r"shape \(3,\) do not fit losses of shape \(4, 3\)"):
        losses.MeanSquaredError()(y_true, y_pred, np.ones(3))


@pytest.mark.parametrize("from_logits", [False, True])
def test_sparse_and_one_hot_targets_have_the_same_loss_over_any_class_axis(from_logits):
    y_true, y_pred = data("labels logits" if from_logits else "labels", (4, 3, 5))
    y_pred = np.moveaxis(y_pred, -1, 1)
    one_hot = np.moveaxis(np.eye(5)[y_true], -1, 1)
    sparse = losses.SparseCategoricalCrossentropy(from_logits, axis=1).value_and_gradient(y_true, y_pred)
    dense = losses.CategoricalCrossentropy(from_logits, axis=1).value_and_gradient(one_hot, y_pred)
    np.testing.assert_allclose(sparse[0], dense[0], rtol=1e-6)
    np.testing.assert_allclose(sparse[1], dense[1], rtol=1e-5, atol=1e-7)


def test_a_focal_loss_without_focus_is_the_crossentropy():
    y_true, y_pred = data("binary")  # some are exactly right: Keras has a gradient of NaN there
    focal = losses.BinaryFocalCrossentropy(gamma=0).value_and_gradient(y_true, y_pred)
    plain = losses.BinaryCrossentropy().value_and_gradient(y_true, y_pred)
    np.testing.assert_allclose(focal[0], plain[0], rtol=1e-6)
    np.testing.assert_allclose(focal[1], plain[1], rtol=1e-5)


def test_extreme_logits_stay_finite():
    y_pred = np.array([[1e4, -1e4, 0.0]], "float32")
    for loss in (losses.CategoricalCrossentropy(from_logits=True), losses.BinaryCrossentropy(from_logits=True)):
        value, dy_pred = loss.value_and_gradient(np.array([[0.0, 1.0, 0.0]]), y_pred)
        assert np.isfinite(value)
        assert np.isfinite(dy_pred).all()
    assert losses.LogCosh()([[0.0]], [[1e4]]) == pytest.approx(1e4 - np.log(2))


def test_gradients_at_kinks_are_the_middle_as_in_jax():
    y_pred = np.array([[1.0, 0.0, -1.0]], "float32")
    y_true = np.array([[1.0, -1.0, -1.0]], "float32")
    for name in ("Hinge", "SquaredHinge"):
        _, dexpected = keras_value_and_gradient(name, {}, y_true, y_pred)
        np.testing.assert_allclose(getattr(losses, name)().value_and_gradient(y_true, y_pred)[1], dexpected)


def test_a_perfect_prediction_has_no_gradient():
    _, y_pred = data("real")
    for name in ("MeanSquaredError", "MeanAbsoluteError", "Huber", "LogCosh"):
        assert not getattr(losses, name)().value_and_gradient(y_pred, y_pred)[1].any()


def test_a_loss_given_a_precision_computes_in_it_and_returns_the_gradient_in_that_of_the_predictions():
    y_true, y_pred = data("real")
    value, dy_pred = losses.MeanSquaredError(dtype="float64").value_and_gradient(y_true, y_pred)
    assert value.dtype == np.float64
    assert dy_pred.dtype == np.float32


class Quartic(losses.Loss):
    """A user's loss that reduces over time and features."""

    def call(self, y_true, y_pred):
        return np.mean((y_pred - y_true) ** 4, axis=(1, 2))

    def gradient(self, y_true, y_pred):
        return 4 * (y_pred - y_true) ** 3 / np.prod(y_pred.shape[1:])


def test_a_loss_of_the_users_own():
    y_true, y_pred = data("real")
    value, dy_pred = Quartic().value_and_gradient(y_true, y_pred, sample_weight=np.array([1, 2, 0, 1]))
    error = y_pred - y_true
    weight = np.array([1, 2, 0, 1]).reshape(4, 1, 1)
    assert value == pytest.approx((weight * error**4).mean(), rel=1e-5)
    np.testing.assert_allclose(dy_pred, weight * 4 * error**3 / error.size, rtol=1e-5)
    assert Quartic().name.startswith("quartic")


def test_a_gradient_of_the_wrong_shape_is_refused():
    class Broadcast(losses.Loss):
        def call(self, y_true, y_pred):
            return np.mean(y_pred - y_true, axis=-1)

        def gradient(self, y_true, y_pred):
            return np.ones_like(y_pred - y_true)

    with pytest.raises(ValueError, match=r"shape of y_pred, \(4, 1\). Received: \(4, 4\)"):
        Broadcast().value_and_gradient(np.zeros(4), np.zeros((4, 1)))


@pytest.mark.parametrize("function", losses.CLASS_OF)
def test_functions_are_those_of_keras(function):
    sparse = ("sparse_categorical_crossentropy", "categorical_generalized_cross_entropy")
    y_true, y_pred = data("labels" if function.__name__ in sparse else "one-hot")
    options = {"q": 0.7} if function.__name__ == "categorical_generalized_cross_entropy" else {}
    if function is losses.ctc:
        y_true = np.array([[1, 2, 0], [3, 0, 0], [1, 4, 2], [0, 0, 0]])
    expected = getattr(keras.losses, function.__name__)(y_true, y_pred, **options)
    np.testing.assert_allclose(function(y_true, y_pred, **options), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("alias", ["mse", "MSE", "mae", "mape", "msle", "bce", "kld", "huber", "Poisson", "logcosh"])
def test_names_lead_to_what_they_do_in_keras(alias):
    ours = losses.get(alias)
    if alias == "logcosh":
        assert ours is losses.log_cosh  # a name of Keras 2
        return
    theirs = keras.losses.get(alias)
    assert getattr(ours, "__name__", type(ours).__name__) == getattr(theirs, "__name__", type(theirs).__name__)


def test_unknown_names_suggest_a_known_one():
    with pytest.raises(ValueError, match=r"Did you mean 'mean_squared_error'.*Known: .*poisson"):
        losses.get("mean_square_error")
    with pytest.raises(ValueError, match="reduction"):
        losses.MeanSquaredError(reduction="average")


# Their own names for configs lead Keras nowhere.
UNKNOWN_TO_KERAS = ("SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy")


def _as_keras_configures(name, options):
    """The loss with those options that Keras puts into its configs: some it forgets."""
    kept = getattr(keras.losses, name)(**options).get_config().keys()
    return getattr(losses, name)(**{key: value for key, value in options.items() if key in kept})


@pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=IDS)
def test_configs_go_to_keras_and_back(name, options, kind):
    loss = getattr(losses, name)(**options, reduction="sum")
    again = losses.deserialize(losses.serialize(loss))
    theirs = keras.losses.deserialize(losses.serialize(loss)) if name not in UNKNOWN_TO_KERAS else loss
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    from_keras = losses.deserialize(keras.losses.serialize(getattr(keras.losses, name)(**options)))
    y_true, y_pred = data(kind)
    assert from_keras(y_true, y_pred) == pytest.approx(_as_keras_configures(name, options)(y_true, y_pred))
    np.testing.assert_allclose(theirs(y_true, y_pred), loss(y_true, y_pred), rtol=1e-5)


def test_resolve_names_the_loss_as_asked_for():
    assert losses.resolve("mse").name == "mse"
    assert isinstance(losses.resolve("mse"), losses.MeanSquaredError)
    assert isinstance(losses.resolve(losses.huber), losses.Huber)
    assert losses.resolve(None) is None
    for true, pred, cls in [
        ((4, 1), (4, 1), losses.BinaryCrossentropy),
        ((4,), (4, 3), losses.SparseCategoricalCrossentropy),
        ((4, 7, 1), (4, 7, 3), losses.SparseCategoricalCrossentropy),
        ((4, 3), (4, 3), losses.CategoricalCrossentropy),
    ]:
        assert type(losses.resolve("crossentropy", np.zeros(true), np.zeros(pred))) is cls
    with pytest.raises(ValueError, match="shapes"):
        losses.resolve("ce")


def test_a_loss_that_counts_has_a_gradient_all_the_same():
    class Wrong(losses.Loss):
        def call(self, y_true, y_pred):
            return (y_true != np.round(y_pred)).sum(axis=-1)

        def gradient(self, y_true, y_pred):
            return np.ones_like(y_pred)

    value, dy = Wrong().value_and_gradient(np.zeros((4, 1)), np.array([[0.0], [1.0], [2.0], [0.1]]))
    assert value == 0.5
    np.testing.assert_array_equal(dy, np.full((4, 1), 0.25))
