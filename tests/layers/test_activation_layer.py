"""Activation as a layer, and activations by name, against Keras on JAX."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from rnn_ref import activations, layers

IN_KERAS = [name for name in (*activations.ALL, "swish") if name != "hard_sigmoid_legacy"]
TOLERANCE = {"float32": 2e-6, "float64": 1e-12}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", IN_KERAS)
def test_output_and_gradient_are_those_of_keras(name, dtype, keras_in, assert_close):
    generator = np.random.default_rng(0)
    x, dy = (generator.normal(size=(2, 3, 4), scale=2).astype(dtype) for _ in range(2))
    layer = layers.Activation(name, dtype=dtype)
    y, tape = layer.forward(x)
    dx = layer.backward(tape, dy).inputs
    with keras_in(dtype):
        theirs = keras.layers.Activation(name, dtype=dtype)
        expected, pull_back = jax.vjp(theirs, jnp.asarray(x))
        (expected_dx,) = pull_back(jnp.asarray(dy))
    assert y.dtype == dx.dtype == dtype
    assert_close(y, expected, TOLERANCE[dtype], "output")
    assert_close(dx, expected_dx, TOLERANCE[dtype], "inputs")


def test_it_has_no_weights_and_keeps_the_shape():
    layer = layers.Activation("relu")
    assert layer(np.zeros((2, 3))).shape == layer.compute_output_shape((2, 3)) == (2, 3)
    assert layer.weights == []
    assert layer.count_params() == 0


def test_config_round_trip():
    layer = layers.Activation("softmax", name="last")
    again = layers.Activation.from_config(layer.get_config())
    x = np.random.default_rng(0).normal(size=(2, 3))
    np.testing.assert_array_equal(again(x), layer(x))
    assert again.get_config() == layer.get_config()


# -- by name ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IN_KERAS)
def test_names_are_keras_names(name):
    x = np.linspace(-3, 3, 12).reshape(3, 4).astype("float32")
    expected = np.asarray(getattr(keras.activations, name)(x))
    np.testing.assert_allclose(getattr(activations, name)(x), expected, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(activations.get(name)(x), expected, rtol=2e-6, atol=1e-6)


def test_get_serialize_deserialize():
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.silu
    assert activations.get(activations.tanh) is activations.tanh
    for name in activations.ALL:
        assert activations.deserialize(activations.serialize(activations.get(name))).name == name


def test_unknown_names_are_told_what_is_known():
    with pytest.raises(ValueError, match=r"unknown activation 'rleu'\. Did you mean 'relu'\? Known: .*gelu.*tanh"):
        activations.get("rleu")
    with pytest.raises(ValueError, match=r"unknown activation 'xyzzy'. Known: .*gelu.*tanh"):
        activations.get("xyzzy")
    with pytest.raises(TypeError, match="by name"):
        activations.get(np.tanh)


def test_lists_and_integers_are_accepted():
    np.testing.assert_array_equal(activations.relu([-1, 0, 2]), [0, 0, 2])
    np.testing.assert_allclose(activations.sigmoid(0.0), 0.5)
