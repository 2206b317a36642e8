"""The loop over time as a function, its helpers, and the names of older versions."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers
from rnn_ref.layers import generate_dropout_mask, rnn, standardize_args

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

B, T, F = 3, 5, 4


def data(shape=(B, T, F), seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def step(x, states):
    h = np.tanh(x + 0.5 * states[0])
    return 2 * h, [h, states[1] + 1]


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_against_keras(go_backwards, masked):
    mask = data((B, T), 2) > 0 if masked else None
    if masked:
        mask[0] = False
    initial = [data((B, F), 1), np.zeros((B, 1))]

    def theirs(x, states):
        h = keras.ops.tanh(x + 0.5 * states[0])
        return 2 * h, (h, states[1] + 1)

    last, outputs, states = rnn(step, data(), initial, go_backwards, mask, need_per_step_outputs=True)
    expected = keras.src.backend.rnn(
        theirs,
        keras.ops.convert_to_tensor(data()),
        tuple(initial),
        go_backwards,
        keras.ops.convert_to_tensor(mask) if masked else None,
        unroll=True,
    )
    np.testing.assert_allclose(last, expected[0], atol=1e-5)
    np.testing.assert_allclose(outputs, expected[1], atol=1e-5)
    for a, b in zip(states, expected[2]):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_outputs_on_request_constants_and_a_single_state():
    last, outputs, (state,) = rnn(lambda x, s: (s[0] + s[1], s[0] + x), data(), np.zeros((B, F)), constants=[100.0])
    assert outputs is None
    np.testing.assert_allclose(state, data().sum(axis=1))
    np.testing.assert_allclose(last, data()[:, :-1].sum(axis=1) + 100)


def test_more_axes_and_unroll():
    x = data((B, T, 2, 3))
    last, outputs, _ = rnn(lambda x, s: (x, s), x, [], unroll=True, need_per_step_outputs=True)
    np.testing.assert_array_equal(outputs, x)
    np.testing.assert_array_equal(last, x[:, -1])


def test_it_runs_a_cell_of_the_package():
    layer = layers.LSTM(3, return_sequences=True, return_state=True)
    x = data().astype("float32")
    y, h, c = layer(x)
    _, outputs, states = rnn(layer.cell, x, [np.zeros((B, 3), "float32")] * 2, need_per_step_outputs=True)
    np.testing.assert_allclose(outputs, y, atol=1e-6)
    np.testing.assert_allclose(states, [h, c], atol=1e-6)


def test_bad_input_of_rnn():
    with pytest.raises(ValueError, match="batch, time"):
        rnn(step, np.zeros((2, 3)), [])
    with pytest.raises(ValueError, match="zero time steps"):
        rnn(step, np.zeros((2, 0, 3)), [])
    with pytest.raises(ValueError, match="mask"):
        rnn(step, data(), [], mask=np.ones((B, T + 1)))
    with pytest.raises(ValueError, match="2 states, expected 1"):
        rnn(lambda x, s: (x, [x, x]), data(), [np.zeros((B, F))])
    with pytest.raises(ValueError, match="unroll"):
        rnn(step, rnn_ref.Input((None, 3)), [], unroll=True)
    with pytest.raises(TypeError, match="RNN layer"):
        rnn(step, rnn_ref.Input((4, 3)), [])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("x", None, None), ("x", None, None)),
        (("x", "h", None), ("x", ["h"], None)),
        (("x", ["h", "c"], "k"), ("x", ["h", "c"], ["k"])),
        ((["x"], ["h"], None), ("x", ["h"], None)),
        ((["x", "h", "c"], None, None), ("x", ["h", "c"], None)),
        ((["x", "h", "c", "k"], None, None, 1), ("x", ["h", "c"], ["k"])),
        ((["x", "k"], None, None, 1), ("x", None, ["k"])),
    ],
)
def test_standardize_args(given, expected):
    assert standardize_args(*given) == expected


def test_standardize_args_refuses_two_ways_at_once():
    with pytest.raises(ValueError, match="must be None"):
        standardize_args(["x", "h"], "h", None)
    with pytest.raises(ValueError, match="num_constants=2"):
        standardize_args(["x", "k"], None, None, 2)


def test_generate_dropout_mask():
    ones = np.ones((200, 300))
    mask = generate_dropout_mask(lambda: ones, rate=0.25, training=True)
    assert set(np.unique(mask)) == {0.0, 1 / 0.75}
    assert mask.mean() == pytest.approx(1, abs=0.01)
    masks = generate_dropout_mask(ones, 0.25, True, count=4)
    assert len(masks) == 4
    assert not np.array_equal(masks[0], masks[1])
    assert generate_dropout_mask(ones, 0.25) is ones
    halves = generate_dropout_mask(ones, 0.25, True, dropout_func=lambda array, rate: array * rate)
    np.testing.assert_array_equal(halves, 0.25 * ones)
    for arguments in ((ones, 1.0), (ones, -0.1), (ones, 0.5, True, 0)):
        with pytest.raises(ValueError, match="must"):
            generate_dropout_mask(*arguments)


def test_the_function_and_the_module_of_its_name():

    assert callable(layers.rnn)


@pytest.mark.parametrize(
    ("name", "today"),
    [("CuDNNLSTM", "LSTM"), ("CuDNNGRU", "GRU"), ("dynamic_rnn", "RNN"), ("BasicLSTMCell", "LSTMCell")],
)
def test_older_names_say_what_is_written_today(name, today):
    with pytest.raises(AttributeError, match=today):
        getattr(layers, name)
    with pytest.raises(AttributeError, match="no attribute 'LSTN'"):
        getattr(layers, "LSTN")  # noqa: B009
