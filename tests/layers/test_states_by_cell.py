"""States that a stack of cells returns come by cell, as in Keras."""

import numpy as np
import pytest

import rnn_ref

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

KINDS = [("LSTMCell", "LSTMCell"), ("GRUCell", "LSTMCell"), ("GRUCell", "SimpleRNNCell")]
X = np.linspace(-1, 1, 30).reshape(2, 3, 5).astype("float32")


def shapes(value):
    return [shapes(v) for v in value] if isinstance(value, (list, tuple)) else tuple(value.shape)


def stack(library, kinds):
    return library.layers.RNN([getattr(library.layers, kind)(4 - k) for k, kind in enumerate(kinds)], return_state=True)


@pytest.mark.parametrize("kinds", KINDS)
def test_structure_and_values_are_keras(kinds):
    ours, theirs = stack(rnn_ref, kinds), stack(keras, kinds)
    assert shapes(ours(rnn_ref.Input((3, 5)))) == shapes(theirs(keras.Input((3, 5))))
    got, expected = ours(X), theirs(X)
    ours.set_weights([np.array(w) for w in theirs.get_weights()])
    got = ours(X)
    assert ours.compute_output_shape((2, 3, 5)) == theirs.compute_output_shape((2, 3, 5))
    flat = [state for entry in got for state in (entry if isinstance(entry, list) else [entry])]
    for a, b in zip(flat, keras.tree.flatten(expected), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("kinds", KINDS)
def test_they_are_taken_back_in_arrays_and_models(kinds):
    layer, second = stack(rnn_ref, kinds), stack(rnn_ref, kinds)
    x = rnn_ref.Input((3, 5))
    _y, *states = layer(x)
    model = rnn_ref.Model(x, second(x, initial_state=states))
    expected = second(X, initial_state=layer(X)[1:])
    got = model.predict(X, verbose=0)
    assert shapes(got) == shapes(expected)
    np.testing.assert_allclose(got[0], expected[0], atol=1e-6)


def test_one_cell_has_its_states_side_by_side():
    layer = rnn_ref.layers.RNN(rnn_ref.layers.LSTMCell(4), return_state=True)
    assert shapes(layer(X)) == [(2, 4)] * 3
