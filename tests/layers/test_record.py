"""Without a record there is no way back, but the numbers are the same and memory does not grow with time."""

import tracemalloc

import numpy as np
import pytest

from rnn_ref import Input, Model, Sequential, layers

B, T, F, H = 5, 21, 3, 4  # more steps than are projected together, and not a multiple of them
CELLS = [layers.SimpleRNN, layers.LSTM, layers.GRU]


def mask(kind):
    if kind is None:
        return None
    counts = np.random.default_rng(1).random((B, T)) < 0.6
    counts[0] = False
    return counts


@pytest.mark.parametrize("make", CELLS)
@pytest.mark.parametrize("steps", [1, 2, 7, 8, 9, 16, T])
@pytest.mark.parametrize("options", [{}, {"return_sequences": True}, {"return_state": True}, {"go_backwards": True}])
def test_same_bits_with_and_without_a_record(make, steps, options):
    layer = make(H, **options)
    x = np.random.default_rng(0).normal(size=(B, steps, F)).astype("float32")
    recorded, forgotten = layer.forward(x)[0], layer(x)
    for a, b in zip(*(y if isinstance(y, (list, tuple)) else [y] for y in (recorded, forgotten))):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("make", CELLS)
@pytest.mark.parametrize("zero_output_for_mask", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_same_bits_with_a_mask(make, zero_output_for_mask, return_sequences):
    layer = make(H, zero_output_for_mask=zero_output_for_mask, return_sequences=return_sequences)
    x = np.random.default_rng(0).normal(size=(B, T, F)).astype("float32")
    np.testing.assert_array_equal(layer.forward(x, mask=mask("holes"))[0], layer(x, mask=mask("holes")))


def test_same_bits_through_wrappers_stacked_and_nested():
    entrance = Input((T, F))
    h = layers.RNN([layers.LSTMCell(H), layers.GRUCell(H)], return_sequences=True)(entrance)
    h = layers.Bidirectional(layers.GRU(H, return_sequences=True))(h)
    inner = Sequential([Input((T, 2 * H)), layers.LSTM(H, return_sequences=True), layers.Dense(2)])
    model = Model(entrance, layers.SimpleRNN(H)(inner(h)))
    x = np.random.default_rng(0).normal(size=(B, T, F)).astype("float32")
    recorded, walk = model.forward(x)
    np.testing.assert_array_equal(model(x), recorded)
    np.testing.assert_array_equal(model.predict(x, verbose=0), recorded)
    assert len(walk.steps) == 4
    assert model.run(x, record=False)[1].steps == []


@pytest.mark.parametrize("make", CELLS)
def test_memory_of_inference_does_not_grow_with_time(make):
    layer = make(32)
    layer(np.zeros((2, 8, 1), "float32"))

    def peak(T):
        x = np.zeros((2, T, 1), "float32")
        layer(x)
        tracemalloc.start()
        layer(x)
        result = tracemalloc.get_traced_memory()[1] - x.nbytes  # the input is copied once, time first
        tracemalloc.stop()
        return result

    assert peak(5000) < peak(50) + 20_000
