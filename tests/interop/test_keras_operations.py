"""Operators on tensors and masks beside states are operations in Keras's configurations, both ways."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import json

import keras
import numpy as np
import pytest

import rnn_ref


def plain(config):
    return json.loads(json.dumps(config))


def operators(k):
    a, b = k.Input((4, 3), name="a"), k.Input((4, 3), name="b")
    z = (a + b) * 2.0 - 1
    z = 3.0 / (abs(-z) + np.ones((1, 1, 3), "float32")) - (1 - a) ** 2
    z = z[:, 1:, ::2] @ z[..., 0:2, :2]
    return k.Model([a, b], [z[:, -1], z[:, None, 0]])


def test_operators_go_both_ways():
    x = [np.random.default_rng(k).normal(size=(2, 4, 3)).astype("float32") for k in range(2)]
    ours, theirs = operators(rnn_ref), operators(keras)
    kept = keras.Model.from_config(plain(ours.get_config()))
    read = rnn_ref.Model.from_config(plain(theirs.get_config()))
    again = rnn_ref.Model.from_config(plain(ours.get_config()))
    expected = [np.asarray(y) for y in theirs(x)]
    for model in (ours, kept, read, again):
        for y, wanted in zip(model(x), expected, strict=True):
            np.testing.assert_allclose(np.asarray(y), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("front", ["embedding", "masking"])
def test_a_mask_beside_states_is_not_forgotten(front):
    L = rnn_ref.layers
    state, other = rnn_ref.Input((2,)), rnn_ref.Input((2,))
    if front == "embedding":
        first = rnn_ref.Input((4,))
        x = L.Embedding(5, 3, mask_zero=True)(first)
        data = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    else:
        first = rnn_ref.Input((4, 3))
        x = L.Masking(0.5)(first)
        data = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
        data[:, 2:] = 0.5
    x = L.GRU(2, return_sequences=True)(L.Dropout(0.5)(x), initial_state=state)
    y = L.Bidirectional(L.SimpleRNN(2))(x, initial_state=[state, other])
    ours = rnn_ref.Model([first, state, other], y)
    x = [data, np.ones((2, 2), "float32"), np.zeros((2, 2), "float32")]
    theirs = keras.Model.from_config(plain(ours.get_config()))
    again = rnn_ref.Model.from_config(plain(theirs.get_config()))
    for model in (theirs, again):
        model.set_weights(ours.get_weights())
        np.testing.assert_allclose(np.asarray(model(x)), ours(x), rtol=1e-5, atol=1e-6)


def test_an_operation_called_otherwise_is_named():
    config = plain(operators(keras).get_config())
    call = next(entry for entry in config["layers"] if entry["class_name"] == "Add")["inbound_nodes"][0]
    call["kwargs"] = {"out": 1}
    with pytest.raises(ValueError, match=r"the operation 'add.*' is called in a way that is not there"):
        rnn_ref.Model.from_config(config)
