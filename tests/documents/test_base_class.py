"""The reference page of the base class of recurrent layers: what a cell is, and every argument."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

B, T, F, H = 3, 5, 4, 6
X = np.random.default_rng(0).normal(size=(B, T, F)).astype("float32")


class Cell(layers.Layer):
    """One state; what it returns is twice its state, and it writes down how it was called."""

    def __init__(self, units=H, **options):
        super().__init__(**options)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, self.units), "orthogonal", name="recurrent_kernel")

    def call(self, inputs, states):
        import autograd.numpy as np

        h = np.tanh(inputs @ self.kernel + states[0] @ self.recurrent_kernel)
        return 2 * h, [h]

    def get_config(self):
        return super().get_config() | {"units": self.units}


def by_hand(cell, x, h=None, mask=None):
    """The recurrence in NumPy: outputs (B, T, H) and the last state."""
    w, u = cell.get_weights()
    h = np.zeros((len(x), u.shape[0])) if h is None else h
    y, outputs = np.zeros_like(h), []
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ w + h @ u)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        h, y = np.where(keep, new, h), np.where(keep, 2 * new, y)
        outputs.append(y)
    return np.stack(outputs, axis=1), h


def test_call_and_state_size_make_a_cell():
    layer = layers.RNN(Cell(), return_sequences=True, return_state=True)
    y, h = layer(X)
    outputs, state = by_hand(layer, X)
    np.testing.assert_allclose(y, outputs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(h, state, rtol=1e-5, atol=1e-6)
    assert max(rnn_ref.check_gradients(layers.RNN(Cell()), X).values()) < 1e-6


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("return_state", [False, True])
def test_what_is_returned(return_sequences, return_state):
    layer = layers.RNN(layers.LSTMCell(H), return_sequences=return_sequences, return_state=return_state)
    y = layer(X)
    shape = (B, T, H) if return_sequences else (B, H)
    assert [np.shape(a) for a in (y if return_state else [y])] == [shape] + [(B, H)] * (2 if return_state else 0)
    assert isinstance(y, tuple) == return_state  # several outputs are a tuple, as in Keras
    symbolic = layer(rnn_ref.Input((T, F)))
    assert isinstance(symbolic, tuple) == return_state


def test_several_states_and_states_with_several_axes():
    class Counting(layers.Layer):
        state_size = (2, (3, 4))

        def call(self, inputs, states):
            return states[0], [states[0] + 1, states[1] - 1]

    layer = layers.RNN(Counting(), return_state=True)
    y, one, two = layer(X)
    assert layer.cell.output_size == 2  # absent, so that of the first state
    np.testing.assert_array_equal(y, np.full((B, 2), T - 1))
    np.testing.assert_array_equal(one, np.full((B, 2), T))
    np.testing.assert_array_equal(two, np.full((B, 3, 4), -T))


def test_an_output_size_of_its_own():
    class Narrow(Cell):
        output_size = 1

        def call(self, inputs, states):
            y, states = super().call(inputs, states)
            return y[:, :1], states

    layer = layers.RNN(Narrow(), return_sequences=True)
    assert layer(X).shape == layer.compute_output_shape(X.shape) == (B, T, 1)


@pytest.mark.parametrize("arguments", ["inputs, batch_size, dtype", "batch_size"])
def test_the_cell_says_where_it_starts(arguments):
    class Warm(Cell):
        if arguments == "batch_size":

            def get_initial_state(self, batch_size=None):
                return [np.full((batch_size, H), 0.5)]

        else:

            def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
                batch_size = len(inputs) if batch_size is None else batch_size
                return [np.full((batch_size, H), 0.5, dtype)]

    layer = layers.RNN(Warm(), return_sequences=True)
    y = layer(X)
    np.testing.assert_allclose(y, by_hand(layer, X, np.full((B, H), 0.5))[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [lambda: layers.LSTMCell(H), lambda: [layers.LSTMCell(H), layers.GRUCell(2)], Cell])
def test_get_initial_state_takes_inputs_or_batch_size_and_dtype(make):
    layer = layers.RNN(make())
    layer(X)
    for owner in (layer, layer.cell):
        for states in (
            owner.get_initial_state(B),
            owner.get_initial_state(batch_size=B, dtype="float64"),
            owner.get_initial_state(inputs=X),
            owner.get_initial_state(X),
        ):
            flat = [s for state in states for s in (state if isinstance(state, list) else [state])]
            assert [s.shape for s in flat] == [(B, size) for size in layer.cell.state_sizes]
    assert np.asarray(layer.get_initial_state(batch_size=B, dtype="float64")[0]).dtype == np.float64
    with pytest.raises(ValueError, match="get_initial_state needs batch_size or inputs"):
        layer.get_initial_state()


def test_constants_reach_the_cell():
    class Shifted(Cell):
        def call(self, inputs, states, constants):
            return super().call(inputs + constants[0], states)

    layer = layers.RNN(Shifted())
    shift = np.full((B, F), 0.3, "float32")
    expected = by_hand_last(layer, X, shift)
    np.testing.assert_allclose(layer(X, constants=[shift]), expected(), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="constants"):
        layers.RNN(Cell())(X, constants=[shift])


def by_hand_last(layer, x, shift):
    def last():
        return by_hand(layer, x + shift[:, None])[0][:, -1]

    return last


def test_a_list_of_cells_is_a_stack():
    layer = layers.RNN([layers.LSTMCell(H), layers.GRUCell(2)], return_sequences=True, return_state=True)
    y, lstm_states, gru_state = layer(X)
    first, second = layers.LSTM(H, return_sequences=True), layers.GRU(2, return_sequences=True)
    between = first(X)
    second(between)
    first.set_weights(layer.get_weights()[:3])
    second.set_weights(layer.get_weights()[3:])
    np.testing.assert_allclose(y, second(first(X)), rtol=1e-5, atol=1e-6)
    assert [s.shape for s in [*lstm_states, gru_state]] == [(B, H), (B, H), (B, 2)]


def test_go_backwards_returns_the_reversed_sequence():
    layer = layers.RNN(Cell(), return_sequences=True, go_backwards=True)
    y = layer(X)
    np.testing.assert_allclose(y, by_hand(layer, X[:, ::-1])[0], rtol=1e-5, atol=1e-6)


def test_stateful_goes_on_where_the_batch_before_ended():
    layer = layers.RNN(Cell(), stateful=True, return_sequences=True, batch_input_shape=(B, None, F))
    y = [layer(X[:, :2]), layer(X[:, 2:])]
    np.testing.assert_allclose(np.concatenate(y, axis=1), by_hand(layer, X)[0], rtol=1e-5, atol=1e-6)
    layer.reset_states()
    np.testing.assert_array_equal(layer(X[:, :2]), y[0])
    layer.reset_states([np.full((B, H), 0.5)])
    np.testing.assert_allclose(layer(X), by_hand(layer, X, np.full((B, H), 0.5))[0], rtol=1e-5, atol=1e-6)


def test_unrolling_changes_nothing_but_needs_a_length():
    layer = layers.RNN(Cell(), unroll=True)
    np.testing.assert_allclose(layer(X), by_hand(layer, X)[0][:, -1], rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="known number of time steps"):
        layers.RNN(Cell(), unroll=True)(rnn_ref.Input((None, F)))


def test_time_major():
    layer = layers.RNN(Cell(), time_major=True, return_sequences=True)
    y = layer(X.swapaxes(0, 1))
    assert y.shape == (T, B, H)
    np.testing.assert_allclose(y.swapaxes(0, 1), by_hand(layer, X)[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("make", [Cell, lambda: layers.GRUCell(H)])
def test_zero_output_for_mask(make, zero):
    mask = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0]], bool)
    layer = layers.RNN(make(), return_sequences=True, zero_output_for_mask=zero)
    y = layer(X, mask=mask)
    seen = layer(X[:1, [0, 1, 3]])[0]  # what is left of the first row
    rows = [seen[0], seen[1], seen[1] * (not zero), seen[2], seen[2] * (not zero)]
    np.testing.assert_allclose(y[0], rows, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(y[1, :2], 0)  # nothing yet that could be repeated
    np.testing.assert_array_equal(y[2], 0)


def test_a_cell_without_state_size_is_refused():
    class Stateless(layers.Layer):
        def call(self, inputs, states):
            return inputs, states

    with pytest.raises(ValueError, match="state_size"):
        layers.RNN(Stateless())


def test_config():
    layer = layers.RNN(Cell(), return_sequences=True, go_backwards=True, time_major=True, zero_output_for_mask=True)
    x = X.swapaxes(0, 1)
    y = layer(x)
    again = layers.RNN.from_config(layer.get_config(), custom_objects={"Cell": Cell})
    again.build(x.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x), y)


@pytest.mark.parametrize("make", [lambda: layers.LSTM(H), lambda: layers.Bidirectional(layers.GRU(H))])
def test_arguments_without_a_name_come_in_the_order_of_keras(make):
    layer = make()
    states = [np.full((B, H), 0.5)] * 2
    mask = np.array([[1, 1, 1, 0, 0]] * B, bool)
    np.testing.assert_array_equal(layer(X, states, mask), layer(X, initial_state=states, mask=mask))
    assert layer(rnn_ref.Input((T, F)), [rnn_ref.Input((H,))] * 2).shape == layer.compute_output_shape((None, T, F))
    with pytest.raises(
        TypeError, match=r"too many arguments; after the input come .'initial_state', 'mask', 'training'"
    ):
        layer(X, states, mask, False, None)


def test_losses_are_the_penalties_of_the_weights():
    layer = layers.LSTM(H, kernel_regularizer="l2", recurrent_regularizer="l1")
    layer(X)
    kernel, recurrent, _ = layer.get_weights()
    np.testing.assert_allclose(layer.losses, [0.01 * (kernel**2).sum(), 0.01 * np.abs(recurrent).sum()], rtol=1e-5)
