"""The page on TensorFlow.js's recurrent layers, its names written as Python writes them."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import generate_dropout_mask, layers, rnn, standardize_args

X = np.random.default_rng(0).normal(size=(4, 10, 3)).astype("float32")


def test_a_classifier():
    model = rnn_ref.Sequential()
    model.add(layers.LSTM(input_shape=[100, 32], units=64, return_sequences=False))
    model.add(layers.Dense(units=10, activation="softmax"))
    assert model.output_shape == (None, 10)
    y = model.predict(np.zeros((2, 100, 32)), verbose=0)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


def test_a_stack_with_dropout():
    model = rnn_ref.Sequential()
    model.add(layers.GRU(input_shape=[50, 16], units=128, return_sequences=True, dropout=0.2, recurrent_dropout=0.2))
    model.add(layers.GRU(units=64, return_sequences=False))
    assert [layer.compute_output_shape((None, 50, F)) for layer, F in zip(model.layers, (16, 128))] == [
        (None, 50, 128),
        (None, 64),
    ]
    x = np.random.default_rng(0).normal(size=(2, 50, 16))
    assert np.abs(model(x, training=True) - model(x)).max() > 0


def test_stacked_cells():
    cells = [layers.LSTMCell(units=128), layers.LSTMCell(units=64)]
    layer = layers.RNN(cell=layers.StackedRNNCells(cells=cells), return_sequences=True)
    assert layer(X).shape == (4, 10, 64)
    assert [state.shape[1] for state in layer.get_initial_state(4)] == [128, 128, 64, 64]


def test_an_encoder_returns_its_states():
    y, h, c = layers.LSTM(units=256, return_state=True)(X)
    assert y.shape == h.shape == c.shape == (4, 256)
    np.testing.assert_array_equal(y, h)


@pytest.mark.parametrize(
    ("cell", "states", "gates"),
    [(layers.SimpleRNNCell, 1, 1), (layers.GRUCell, 1, 3), (layers.LSTMCell, 2, 4)],
)
def test_cells(cell, states, gates):
    """A cell is one time step; what it is made of is what the page lists."""
    one = cell(units=5, use_bias=True, dropout=0.1, recurrent_dropout=0.1)
    assert one.state_size == ([5] * states if states > 1 else 5)
    y, new = one(X[:, 0], one.get_initial_state(batch_size=4))
    assert y.shape == (4, 5)
    assert len(new) == states
    assert one.kernel.shape == (3, gates * 5)
    assert one.recurrent_kernel.shape == (5, gates * 5)


def test_options_of_the_cells():
    x = X[:, 0]
    for implementation in (1, 2):
        assert layers.GRUCell(4, implementation=implementation, reset_after=False)(x)[0].shape == (4, 4)
    opened, shut = (layers.LSTMCell(4, unit_forget_bias=flag) for flag in (True, False))
    for cell, bias in ((opened, 1), (shut, 0)):
        cell(x)
        np.testing.assert_array_equal(cell.bias[4:8], bias)
    hard = layers.LSTMCell(4, recurrent_activation="hard_sigmoid")
    assert hard(x)[0].shape == (4, 4)
    assert hard.get_config()["recurrent_activation"] == "hard_sigmoid"


def test_step_function_over_time():
    """The layer is its cell, run by the function over the time axis."""
    layer = layers.LSTM(5, return_sequences=True, return_state=True)
    y, h, c = layer(X)
    mask = np.random.default_rng(1).random(X.shape[:2]) > 0.4

    def step(inputs, states):
        return layer.cell(inputs, states)

    last, outputs, states = rnn(step, X, layer.cell.get_initial_state(4), need_per_step_outputs=True)
    np.testing.assert_allclose(outputs, y, atol=1e-6)
    np.testing.assert_allclose(last, y[:, -1], atol=1e-6)
    np.testing.assert_allclose(states, [h, c], atol=1e-6)
    masked = layer(X, mask=mask)
    last, outputs, states = rnn(step, X, layer.cell.get_initial_state(4), mask=mask, unroll=True)
    assert outputs is None
    np.testing.assert_allclose(last, masked[0][:, -1], atol=1e-6)
    np.testing.assert_allclose(states, masked[1:], atol=1e-6)
    backwards, _, _ = rnn(step, X, layer.cell.get_initial_state(4), go_backwards=True)
    np.testing.assert_allclose(backwards, layer(X[:, ::-1])[1], atol=1e-6)


def test_rnn_takes_more_axes_and_constants():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    _, outputs, states = rnn(
        lambda x, s: (x + s[1], [s[0] + 1]), x, [np.zeros((2, 1))], constants=[7.0], need_per_step_outputs=True
    )
    np.testing.assert_allclose(outputs, x + 7)
    np.testing.assert_array_equal(states, np.full((1, 2, 1), 3))


def test_standardize_args():
    assert standardize_args(["x", "h", "c"], None, None) == ("x", ["h", "c"], None)
    assert standardize_args(["x", "h", "k"], None, None, 1) == ("x", ["h"], ["k"])
    assert standardize_args("x", "h", "k") == ("x", ["h"], ["k"])


def test_generate_dropout_mask():
    masks = generate_dropout_mask(ones=lambda: np.ones((1000, 8)), rate=0.25, training=True, count=3)
    for mask in masks:
        assert set(np.unique(mask)) == {0.0, np.float64(1 / 0.75)}
        assert abs((mask == 0).mean() - 0.25) < 0.03
    np.testing.assert_array_equal(generate_dropout_mask(lambda: np.ones((2, 2)), 0.25), 1)


def test_stateful_needs_batches_of_the_size_it_was_given():
    layer = layers.LSTM(5, stateful=True, batch_input_shape=[4, 10, 3])
    layer(X)
    layer.reset_states()
    with pytest.raises(ValueError, match=r"stateful, made for batches of 4 samples, got 3"):
        layer(X[:3])
    model = rnn_ref.Sequential([rnn_ref.Input(batch_shape=(4, 10, 3)), layers.GRU(5, stateful=True)])
    with pytest.raises(ValueError, match=r"stateful, made for batches of 4 samples, got 3"):
        model.predict(X[:3], verbose=0)


def test_class_names():
    for name in ("SimpleRNN", "SimpleRNNCell", "GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "StackedRNNCells"):
        assert getattr(layers, name).__name__ == name


def test_a_cell_of_ones_own():
    class Sum(layers.RNNCell):
        state_size = 3

        def call(self, inputs, states):
            return states[0] + inputs, [states[0] + inputs]

    np.testing.assert_allclose(layers.RNN(Sum())(X), X.sum(axis=1), rtol=1e-5, atol=1e-6)
    assert isinstance(layers.LSTMCell(2), layers.RNNCell)
