"""Dense against Keras and central differences."""

import numpy as np
import pytest

from rnn_ref import check_gradients, layers
from rnn_ref.layers import activations

from ..keras_on_numpy import keras
from ..slopes import check_slopes

pytestmark = pytest.mark.usefixtures("on_numpy")

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
SLOPES = {"float32": 1e-5, "float64": 1e-7}
# The others are tests/layers/test_activation_layer.py's: they need arguments, halve the units, or are not Keras's.
ELSEWHERE = {"hard_sigmoid_legacy", "threshold", "glu", "sparsemax"}
IN_KERAS = [name for name in (*activations.ALL, "swish", None) if name not in ELSEWHERE]


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", IN_KERAS)
def test_output_and_gradients_are_those_of_keras(activation, dtype, keras_in, assert_close):
    x, dy = numbers(5, 4).astype(dtype), numbers(5, 3, seed=1).astype(dtype)
    ours = layers.Dense(3, activation, bias_initializer="random_normal", dtype=dtype)
    y, tape = ours.forward(x)
    gradients = ours.backward(tape, dy)
    weights = ours.get_weights()
    assert y.dtype == gradients.inputs.dtype == gradients.weights["kernel"].dtype == dtype
    with keras_in("float64"):
        theirs = keras.layers.Dense(3, activation, dtype="float64")
        theirs.build(x.shape)

        def run(x, *weights):
            theirs.set_weights(weights)
            return theirs(x)

        assert_close(y, run(x.astype("float64"), *weights), TOLERANCE[dtype], "output")
        found = [gradients.inputs, gradients.weights["kernel"], gradients.weights["bias"]]
        check_slopes(lambda *a: (run(*a) * dy).sum(), [x, *weights], found, SLOPES[dtype])


@pytest.mark.parametrize("shape", [(1, 1), (5, 4), (2, 3, 4), (2, 3, 5, 4)])
@pytest.mark.parametrize("use_bias", [True, False])
def test_works_on_the_last_axis(shape, use_bias, assert_close):
    layer, x = layers.Dense(3, "tanh", use_bias=use_bias, bias_initializer="ones", dtype="float64"), numbers(*shape)
    y = layer(x)
    W, *b = layer.get_weights()
    assert_close(y, np.tanh(np.einsum("...f,fh->...h", x, W) + (b[0] if b else 0)), 1e-14)
    assert layer.compute_output_shape(shape) == y.shape
    errors = check_gradients(layer, x)
    assert set(errors) == {"inputs", "kernel"} | ({"bias"} if use_bias else set())
    assert max(errors.values()) < 1e-6


def test_input_gradient_can_be_left_out():
    layer = layers.Dense(3)
    y, tape = layer.forward(numbers(5, 4))
    gradients = layer.backward(tape, y, input_gradient=False)
    assert gradients.inputs is None
    np.testing.assert_array_equal(gradients.weights["kernel"], layer.backward(tape, y).weights["kernel"])


def test_config_makes_an_equal_layer():
    layer, x = layers.Dense(3, "gelu", kernel_regularizer="l1", bias_constraint="non_neg", name="d"), numbers(5, 4)
    y = layer(x)
    again = layers.Dense.from_config(layer.get_config())
    again.ensure_built(x.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x), y)
    assert again.get_config() == layer.get_config()


def test_bad_input():
    layer = layers.Dense(3, input_shape=(4,), name="mine")
    with pytest.raises(ValueError, match=r"mine: expected 4 features .* got 5"):
        layer(np.zeros((2, 5)))
    with pytest.raises(ValueError, match="mine: expected an array with 2 axes"):
        layer(np.zeros(4))
    with pytest.raises(ValueError, match="empty batch"):
        layer(np.zeros((0, 4)))
    with pytest.raises(ValueError, match="units must be a positive integer, got 0"):
        layers.Dense(0)
    with pytest.raises(ValueError, match=r"unknown activation 'sofmax'. Did you mean 'softmax'"):
        layers.Dense(1, "sofmax")
    with pytest.raises(ValueError, match="last axis must have a known size"):
        layers.Dense(1).build((None, None))
