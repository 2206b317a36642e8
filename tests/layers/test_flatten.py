"""Flatten against Keras."""

import numpy as np
import pytest

from rnn_ref import layers

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")


@pytest.mark.parametrize("data_format", [None, "channels_last", "channels_first"])
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (2, 3, 4, 5), (1, 1, 1)])
def test_output_and_gradient_are_those_of_keras(data_format, shape):
    generator = np.random.default_rng(0)
    x = generator.normal(size=shape).astype("float32")
    layer = layers.Flatten(data_format)
    y, tape = layer.forward(x)
    dy = generator.normal(size=y.shape).astype("float32")
    theirs = keras.layers.Flatten(data_format)
    np.testing.assert_array_equal(y, theirs(x))
    np.testing.assert_array_equal(theirs(layer.backward(tape, dy).inputs), dy)  # it moves numbers, and back
    assert layer.compute_output_shape(shape) == y.shape


def test_a_batch_of_numbers():
    expected = np.asarray(keras.layers.Flatten()(np.arange(3.0)))
    layer = layers.Flatten()
    y = layer(np.arange(3.0))
    np.testing.assert_array_equal(y, expected)
    assert layer.compute_output_shape((3,)) == expected.shape


@pytest.mark.parametrize("shape", [(None, 3, 4), (None, None, 4), (7, 3)])
def test_symbolic_shapes_are_those_of_keras(shape):
    assert layers.Flatten().compute_output_shape(shape) == keras.layers.Flatten().compute_output_shape(shape)


def test_unknown_data_format():
    with pytest.raises(ValueError, match="'channels_middle'; use 'channels_last' or 'channels_first'"):
        layers.Flatten("channels_middle")


def test_config_round_trip():
    layer = layers.Flatten("channels_first", name="flat")
    assert layers.Flatten.from_config(layer.get_config()).get_config() == layer.get_config()
