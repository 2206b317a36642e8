"""Python's operators on tensors, as steps of a model: values and gradients against Keras and finite differences."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

B, T, F = 2, 4, 3
RNG = np.random.default_rng(0)
X = RNG.uniform(0.5, 2, size=(B, T, F))
TABLE = RNG.normal(size=(F, 2))

EXPRESSIONS = {
    "number": lambda x: 2 * x - 1.5,
    "reversed": lambda x: 1 - x,
    "divide": lambda x: x / 4 + 1 / x,
    "power": lambda x: x**2 + x**x,
    "base": lambda x: 2.0**x,
    "negative": lambda x: -abs(-x),
    "last": lambda x: x[:, -1],
    "slices": lambda x: x[:, 1:, ::2],
    "new_axis": lambda x: x[:, None] * x[..., None, :],
    "axes": lambda x: x - x[:, 0][:, None] + x[:, :, 1:2],
    "ranks": lambda x: x * x[0, 0],
    "matmul": lambda x: x @ TABLE,
    "two": lambda x: x @ x[:, :3],
    "array": lambda x: TABLE[:, 0] + x,
    "float_array": lambda x: np.arange(3.0) * x,
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_are_those_of_numpy_and_keras_and_have_their_gradient(name):
    f = EXPRESSIONS[name]
    x = rnn_ref.Input((T, F), dtype="float64")
    dense = layers.Dense(F, dtype="float64")
    model = rnn_ref.Model(x, f(dense(x)))
    inner = X @ dense.kernel.numpy()
    if name in ("power", "divide"):  # a negative base has no power
        dense.set_weights([np.abs(dense.kernel.numpy()), np.full(F, 0.1)])
        inner = X @ dense.kernel.numpy() + 0.1
    np.testing.assert_allclose(model(X), f(inner), rtol=1e-12)
    theirs = keras.Input((T, F))
    known = name not in ("array", "float_array")  # Keras refuses an array on the left
    expected = keras.Model(theirs, f(theirs)).output_shape if known else (None, T, F)
    assert tuple(rnn_ref.Model(x, f(x)).output_shape) == tuple(expected)
    errors = rnn_ref.check_gradients(model, X)
    assert max(errors.values()) < 1e-6
    assert "inputs" in errors
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(X), model(X))


def test_sizes_that_are_not_known_stay_unknown():
    x = rnn_ref.Input((None, F))
    shapes = [(x * 2).shape, x[:, 1:].shape, x[:, -1].shape, (x @ TABLE).shape, (x + x[:, :1]).shape]
    assert shapes == [(None, None, F), (None, None, F), (None, F), (None, None, 2), (None, None, F)]


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        (lambda x: x > 0, TypeError, "Compare inside a layer: Lambda"),
        (lambda x: x * "two", TypeError, "tensors, weights, arrays and numbers"),
        (lambda x: x["a"], TypeError, "cannot be indexed with 'a'"),
        (lambda x: x[:, 9], IndexError, "out of bounds"),
        (lambda x: np.exp(x), TypeError, r"Lambda\(lambda x"),
        (lambda x: x @ np.ones((5, 2)), ValueError, "do not fit"),
        (lambda x: x + np.ones(7), ValueError, "do not fit together"),
        (lambda x: layers.LSTM(2)(x)[0], TypeError, "with return_state=True"),
    ],
)
def test_what_does_not_work_says_what_to_write(expression, error, message):
    with pytest.raises(error, match=message):
        expression(rnn_ref.Input((T, F)))


class OwnWeights(rnn_ref.Model):
    """Weights of the model itself, as initial state, as an input of a layer, and in arithmetic."""

    def __init__(self):
        super().__init__(dtype="float64")
        self.h = self.add_weight((B, 2), "random_normal", "h")
        self.b = self.add_weight((B, T, F), "random_normal", "b")
        self.w = self.add_weight((F,), "random_normal", "w")
        self.rnn = layers.GRU(2, dtype="float64")

    def call(self, x):
        x = layers.Add(dtype="float64")([x, self.b]) * self.w - (1 - self.w) ** 2
        return self.rnn(x, initial_state=[self.h * 2.0]) + self.w[:2]


def test_weights_of_the_model_itself_have_their_gradient():
    model = OwnWeights()
    model(X)
    model.compile("sgd", "mse")
    y = RNG.normal(size=(B, 2))
    _, gradients = model.gradients(X, y)
    assert len(gradients) == 6
    for name, weight in model.trainable_named_weights().items():
        for place in [(0,) * len(weight.shape), tuple(n - 1 for n in weight.shape)]:
            losses = []
            for sign in (1, -1):
                before = weight.numpy()
                value = weight.numpy()
                value[place] += sign * 1e-5
                weight.assign(value)
                losses.append(np.mean((model(X) - y) ** 2))
                weight.assign(before)
            assert abs((losses[0] - losses[1]) / 2e-5 - gradients[name][place]) < 1e-8, name


def test_a_weight_that_numpy_gets_in_a_models_call_is_refused():
    class Lost(OwnWeights):
        def call(self, x):
            return self.rnn(x * np.exp(self.w))

    with pytest.raises(TypeError, match="its gradient would be lost"):
        Lost()(X)
