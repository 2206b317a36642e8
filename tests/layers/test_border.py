"""Between a layer and whoever calls it on arrays: masks travel, and nothing that is handed over stays shared."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

IDS = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])
X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")


def both(make):
    """A model's worth of layers here and in Keras, with the same weights."""
    ours, theirs = make(layers), make(keras.layers)

    def run(chain):
        x = IDS
        for layer in chain:
            x = layer([x, x]) if isinstance(layer, (layers.Add, keras.layers.Add)) else layer(x)
        return x

    run(theirs), run(ours)
    for mine, keras_s in zip(ours, theirs):
        mine.set_weights([np.asarray(weight) for weight in keras_s.get_weights()])
    return run(ours), np.asarray(run(theirs))


@pytest.mark.parametrize(
    "after",
    [
        lambda k: [k.GRU(2)],
        lambda k: [k.GRU(2, return_sequences=True), k.GlobalAveragePooling1D()],
        lambda k: [k.Dropout(0.5), k.Add(), k.Dense(2), k.GRU(2)],
        lambda k: [k.Bidirectional(k.GRU(2, return_sequences=True)), k.GRU(2)],
        lambda k: [k.TimeDistributed(k.Dense(2)), k.GRU(2)],
    ],
)
def test_masks_travel_from_layer_to_layer_as_in_keras(after):
    ours, theirs = both(lambda k: [k.Embedding(5, 3, mask_zero=True), *after(k)])
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_mask_belongs_to_the_array_that_was_returned():
    embedded, layer = layers.Embedding(5, 3, mask_zero=True)(IDS), layers.GRU(2)
    masked, plain = layer(embedded, mask=IDS != 0), layer(embedded.copy())
    assert type(embedded) is np.ndarray
    np.testing.assert_array_equal(layer(embedded), masked)
    for other in (embedded * 1, embedded[:], np.array(embedded)):  # new arrays, as in Keras
        np.testing.assert_array_equal(layer(other), plain)
    np.testing.assert_array_equal(layer(embedded, mask=np.ones((2, 4), bool)), plain)
    held = len(layers.border._masks)
    del embedded
    assert len(layers.border._masks) == held - 1
    out, states = layers.GRU(2, return_sequences=True, return_state=True)(layers.Masking(9.0)(X))
    assert layers.border.mask_of(out).all()
    assert layers.border.mask_of(states) is None


def test_a_model_called_on_arrays_hands_the_mask_on():
    model = rnn_ref.Sequential([layers.Embedding(5, 3, mask_zero=True)])
    layer, functional = layers.GRU(2), rnn_ref.Input((4, 3))
    functional = rnn_ref.Model(functional, layer(functional))
    embedded = model(IDS)
    np.testing.assert_array_equal(layer(embedded), layer(embedded.copy(), mask=IDS != 0))
    np.testing.assert_array_equal(functional(embedded), layer(embedded))


class HandsOut(layers.Layer):
    """A user's layer that returns what is not its caller's."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def build(self, input_shape):
        self.w = self.add_weight(input_shape[-2:], "ones", name="w")

    def call(self, x):
        return {"input": x, "view": x[:, ::-1], "weight": self.w.value}[self.what]


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dropout(0.5),
        layers.GaussianNoise(0.1),
        layers.Activation("linear"),
        layers.ActivityRegularization(0.1),
        layers.Reshape((3, 4)),
        layers.Permute((2, 1)),
        layers.Flatten(),
        layers.Lambda(lambda x: x),
        layers.Masking(9.0),
        layers.Dense(3),
        HandsOut("input"),
        HandsOut("view"),
        HandsOut("weight"),
    ],
)
def test_what_is_returned_is_the_callers_alone(layer):
    x = X.copy()
    y = layer(x)
    weights = layer.get_weights()
    y[...] = 99
    np.testing.assert_array_equal(x, X)
    for weight, same in zip(layer.get_weights(), weights):
        np.testing.assert_array_equal(weight, same)


def test_outputs_share_no_memory_with_each_other():
    x = rnn_ref.Input((3,))
    kept = layers.Dropout(0.5)(x)
    model = rnn_ref.Model(x, [x, kept, kept])
    given = np.ones((2, 3), "float32")
    arrays = [given, *model(given)]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])
    y, states = layers.GRUCell(2)(given)
    y[...] = 99
    assert np.abs(states[0]).max() < 1


@pytest.mark.parametrize("name", ["SimpleRNN", "GRU", "LSTM"])
def test_states_are_the_layers_own(name):
    options = {"stateful": True, "return_state": True}
    layer, same = (getattr(layers, name)(2, name="same", **options) for _ in range(2))
    layer(X), same(X)
    same.set_weights(layer.get_weights())
    layer.reset_states(), same.reset_states()
    for given in layer(X):
        given[...] = 99
    same(X)
    np.testing.assert_array_equal(layer(X)[0], same(X)[0])
    states = [np.zeros((2, 2), "float32") for _ in layer.states]
    layer.reset_states(states), same.reset_states()
    for state in states:
        state[...] = 99
    np.testing.assert_array_equal(layer(X)[0], same(X)[0])
    both = layers.Bidirectional(getattr(layers, name)(2, **options))
    both(X)
    both.reset_states(states + states)
    before = [state.copy() for state in both.states]
    states[0][...] = -1
    np.testing.assert_array_equal(both.states, before)


@pytest.mark.parametrize("dropped", ["kernel", "recurrent_kernel"])
@pytest.mark.parametrize("name", ["SimpleRNN", "GRU", "LSTM"])
def test_dropout_of_one_leaves_nothing(name, dropped):
    options = {"dropout" if dropped == "kernel" else "recurrent_dropout": 1.0}
    layer, without = getattr(layers, name)(2, **options), getattr(layers, name)(2)
    layer(X), without(X)
    without.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(X), without(X))
    getattr(without.cell, dropped).value[...] = 0
    np.testing.assert_allclose(layer(X, training=True), without(X), atol=1e-6)
    y, tape = layer.forward(X, training=True)
    assert not layer.backward(tape, np.ones_like(y)).weights[dropped].any()
    if name == "SimpleRNN" or (name == "GRU" and dropped == "kernel"):  # in Keras the others go on as without dropout
        theirs = getattr(keras.layers, name)(2, **options)
        theirs(X)
        theirs.set_weights(layer.get_weights())
        np.testing.assert_allclose(layer(X, training=True), theirs(X, training=True), atol=1e-6)
