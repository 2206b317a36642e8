"""How layers are called and built, against Keras: the order of arguments, and `build` called directly."""

import inspect

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

WITH_CALLS = {"Layer", "Wrapper", "InputLayer"}  # arguments are a subclass's own, or there are none


def classes_in_both():
    names = []
    for name in sorted(vars(layers)):
        ours, theirs = getattr(layers, name), getattr(keras.layers, name, None)
        if inspect.isclass(ours) and issubclass(ours, layers.Layer) and theirs is not None and name not in WITH_CALLS:
            names.append(name)
    return names


@pytest.mark.parametrize("name", classes_in_both())
def test_arguments_of_a_call_come_in_keras_order(name):
    ours, theirs = getattr(layers, name), getattr(keras.layers, name)
    parameters = inspect.signature(theirs.call).parameters.values()
    expected = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][2:]
    if getattr(ours, "inputs_by_position", False):  # query, value and key stand side by side, as arguments of their own
        expected = [argument for argument in expected if argument not in ("value", "key")]
    assert list(ours.call_arguments) == expected


X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
MASK = np.array([[1, 1, 0, 0], [1, 1, 1, 0]], bool)


@pytest.mark.parametrize(
    ("name", "inputs", "more"),
    [
        ("GlobalAveragePooling1D", X, (MASK,)),
        ("Attention", [X, X], ([None, MASK],)),
        ("AdditiveAttention", [X, X], ([MASK, MASK],)),
        ("GRU", X, (X[:, 0, :2], MASK)),
    ],
)
def test_arguments_without_a_name_mean_what_they_mean_in_keras(name, inputs, more):
    options = {"AdditiveAttention": {"use_scale": False}, "GRU": {"units": 2, "kernel_initializer": "ones"}}
    options = options.get(name, {}) | ({"recurrent_initializer": "ones"} if name == "GRU" else {})
    ours = getattr(layers, name)(**options)(inputs, *more)
    theirs = getattr(keras.layers, name)(**options)(inputs, *more)
    for mine, keras_s in zip(rnn_ref.layers.symbolic.entries(ours), keras.tree.flatten(theirs)):
        np.testing.assert_allclose(mine, np.asarray(keras_s), atol=1e-6)


def test_what_is_too_much_is_refused():
    with pytest.raises(TypeError, match="flat: too many arguments"):
        layers.Flatten(name="flat")(X, True)
    with pytest.raises(TypeError, match=r"after the input come \['training'\]"):
        layers.Dense(2)(X, False, None)


class Doubled(layers.Layer):
    """A user's layer."""

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 2), "glorot_uniform", "kernel")

    def call(self, x):
        return x @ self.kernel


class Child(Doubled):
    """Whose `build` calls that of its parent."""

    def build(self, input_shape):
        super().build(input_shape)
        assert not self.built
        self.bias = self.add_weight((2,), "zeros", "bias")


STEP, STEPS, PAIR = (None, 3), (None, 4, 3), [(None, 4, 3), (None, 5, 3)]
BUILDABLE = {
    "Dense": (lambda: layers.Dense(2), STEP),
    "Embedding": (lambda: layers.Embedding(9, 2), (None, 4)),
    "LayerNormalization": (lambda: layers.LayerNormalization(), STEP),
    "Attention": (lambda: layers.Attention(use_scale=True), PAIR),
    "AdditiveAttention": (lambda: layers.AdditiveAttention(), PAIR),
    "SimpleRNNCell": (lambda: layers.SimpleRNNCell(2), STEP),
    "GRUCell": (lambda: layers.GRUCell(2), STEP),
    "LSTMCell": (lambda: layers.LSTMCell(2), STEP),
    "StackedRNNCells": (lambda: layers.StackedRNNCells([layers.LSTMCell(2), layers.GRUCell(2)]), STEP),
    "LSTM": (lambda: layers.LSTM(2), STEPS),
    "Bidirectional": (lambda: layers.Bidirectional(layers.GRU(2)), STEPS),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Dense(2)), STEPS),
    "a user's layer": (Doubled, STEP),
    "a child of one": (Child, STEP),
}


def ones(shape):
    return [ones(each) for each in shape] if isinstance(shape, list) else np.ones([2, *shape[1:]], "float32")


@pytest.mark.parametrize("what", BUILDABLE)
def test_a_layer_is_built_after_build(what):
    make, shape = BUILDABLE[what]
    layer = make()
    layer.build(shape)
    assert layer.built
    count, before = layer.count_params(), [id(weight) for weight in layer.weights]
    values = layer.get_weights()
    layer(ones(shape))
    assert [id(weight) for weight in layer.weights] == before
    for value, same in zip(layer.get_weights(), values):
        np.testing.assert_array_equal(value, same)
    assert count == sum(value.size for value in values) > 0
    if "user" not in what and "child" not in what:
        rnn_ref.derive_parameters(layer)
    with pytest.raises(ValueError, match="is built already"):
        layer.build(shape)


def test_a_build_that_failed_can_be_repeated():
    layer = layers.Dense(2)
    with pytest.raises(ValueError, match="known size"):
        layer.build((None, None))
    assert not layer.built
    layer.build([None, np.int64(3)])
    assert layer.input_shape == (None, 3)
    assert layer.kernel.shape == (3, 2)
