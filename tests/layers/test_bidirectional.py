"""Bidirectional against Keras: outputs, states, gradients, masks; and its own bookkeeping."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref.layers import GRU, LSTM, RNN, Bidirectional, Dense, SimpleRNN

from ..keras_on_numpy import keras
from ..slopes import check_slopes

pytestmark = pytest.mark.usefixtures("on_numpy")

B, T, F, H = 3, 5, 4, 2
KERAS = {LSTM: keras.layers.LSTM, GRU: keras.layers.GRU, SimpleRNN: keras.layers.SimpleRNN}


def data(shape=(B, T, F), seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def holes():
    mask = np.random.default_rng(1).random((B, T)) > 0.4
    mask[0] = False
    return mask


def as_list(y):
    return list(y) if isinstance(y, (list, tuple)) else [y]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave", None])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (LSTM, {"return_sequences": True, "return_state": True}),
        (GRU, {"return_sequences": True}),
        (SimpleRNN, {"return_state": True}),
        (LSTM, {}),
    ],
)
def test_against_keras(kind, options, merge_mode, masked, keras_in):
    ours = Bidirectional(kind(H, dtype="float64", **options), merge_mode=merge_mode)
    x, mask = data(), holes() if masked else None
    states = [data((B, H), 3 + k) for k in range(4 if kind is LSTM else 2)]
    ours.ensure_built(x.shape)
    ours.set_weights([w + 0.1 * data(w.shape, 9) for w in ours.get_weights()])
    outputs, tape = ours.forward(x, initial_state=states, mask=mask)
    outputs = as_list(outputs)
    dys = [data(y.shape, 20 + k) for k, y in enumerate(outputs)]
    if masked and options.get("return_sequences") is None:
        # A row without a single step: Keras on NumPy and JAX shows the initial state, on TensorFlow zeros, as here.
        for dy in dys[: 2 if merge_mode is None else 1]:
            dy[0] = 0
    gradients = ours.backward(tape, dys if len(dys) > 1 else dys[0])
    with keras_in("float64"):
        theirs = keras.layers.Bidirectional(
            KERAS[kind](H, dtype="float64", **options), merge_mode=merge_mode, dtype="float64"
        )
        theirs.build(x.shape)

        def run(x, *rest):
            theirs.set_weights(rest[len(states) :])
            return as_list(theirs(x, initial_state=list(rest[: len(states)]), mask=mask))

        arrays = [x, *states, *ours.get_weights()]
        for y, expected, dy in zip(outputs, run(*arrays), dys, strict=True):
            np.testing.assert_allclose(y[dy != 0], expected[dy != 0], rtol=1e-9, atol=1e-12)
        found = [
            gradients.inputs,
            *gradients.initial_state,
            *(gradients.weights[name] for name in ours.named_weights()),
        ]
        check_slopes(lambda *a: sum((y * dy).sum() for y, dy in zip(run(*a), dys)), arrays, found)


@pytest.mark.parametrize("merge_mode", ["concat", "mul", None])
def test_gradients_by_differences(merge_mode):
    layer = Bidirectional(GRU(H, return_sequences=True, return_state=True), merge_mode=merge_mode)
    errors = rnn_ref.check_gradients(layer, data(), mask=holes(), initial_state=[data((B, H))] * 2, samples=8)
    assert max(errors.values()) < 1e-6
    assert any(name.startswith("forward_gru") and name.endswith("/kernel") for name in errors)


def test_published_count_and_names():
    rnn_ref.layers.layer.reset_names()
    layer = Bidirectional(LSTM(64), input_shape=(10, 5))
    assert layer.name == "bidirectional"
    assert layer.count_params() == 35840
    assert [w.partition("/")[0] for w in layer.named_weights()] == ["forward_lstm"] * 3 + ["backward_lstm"] * 3
    assert Bidirectional(LSTM(64, input_shape=(10, 5))).count_params() == 35840
    assert not np.array_equal(layer.get_weights()[0], layer.get_weights()[3])


def test_summary_and_training(capsys):
    rnn_ref.layers.layer.reset_names()
    model = rnn_ref.Sequential([Bidirectional(LSTM(64), input_shape=(10, 5)), Dense(1)])
    model.summary()
    assert "bidirectional (Bidirection" in capsys.readouterr().out  # the column is as narrow in TensorFlow
    model.compile("adam", "mse")
    model.fit(data((4, 10, 5)), np.zeros((4, 1)), verbose=0)


def test_states_in_the_input_list():
    layer = Bidirectional(LSTM(H), dtype="float64")
    x, states = data(), [data((B, H), k) for k in range(4)]
    np.testing.assert_array_equal(layer([x, *states]), layer(x, initial_state=states))
    with pytest.raises(ValueError, match="needs 4 arrays"):
        layer(x, initial_state=states[:2])


def test_stateful():
    layer = Bidirectional(GRU(H, stateful=True, return_state=True, dtype="float64"))
    x = data()
    _, f, b = layer(x)
    np.testing.assert_array_equal(layer.states[0], f)
    _, f2, _ = layer(x)
    fresh = Bidirectional.from_config(layer.get_config())
    fresh.ensure_built(x.shape)
    fresh.set_weights(layer.get_weights())
    np.testing.assert_array_equal(fresh(x, initial_state=[f, b])[1], f2)
    layer.reset_states()
    np.testing.assert_array_equal(layer(x)[2], b)
    with pytest.raises(AttributeError, match="stateful"):
        Bidirectional(GRU(H)).reset_states()


def test_config_round_trip_with_a_backward_layer_of_its_own():
    backward = GRU(3, return_sequences=True, go_backwards=True, name="other")
    layer = Bidirectional(LSTM(H, return_sequences=True), backward_layer=backward, name="both")
    again = Bidirectional.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    x = data()
    y = layer(x)
    assert y.shape == (B, T, H + 3)
    assert layer.compute_output_shape((None, T, F)) == (None, T, H + 3)
    again.ensure_built(x.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x), y)


def test_initial_weights():
    weights = Bidirectional(GRU(H), input_shape=(T, F)).get_weights()
    layer = Bidirectional(GRU(H), weights=weights, input_shape=(T, F))
    for a, b in zip(layer.get_weights(), weights):
        np.testing.assert_array_equal(a, b)


def test_time_major():
    layer = Bidirectional(GRU(H, return_sequences=True, dtype="float64"))
    x, mask = data(), holes()
    y = layer(x, mask=mask)
    major = Bidirectional(GRU(H, return_sequences=True, time_major=True, dtype="float64"), weights=layer.get_weights())
    np.testing.assert_array_equal(major(x.swapaxes(0, 1), mask=mask.T), y.swapaxes(0, 1))


def test_a_custom_cell_in_both_directions():
    class Decay(rnn_ref.layers.Layer):
        def __init__(self, size, **options):
            super().__init__(**options)
            self.state_size = size

        def build(self, shape):
            self.rate = self.add_weight((self.state_size,), "ones", "rate")

        def call(self, inputs, states):
            h = states[0] * self.rate * 0.5 + inputs
            return h, [h]

        def get_config(self):
            return super().get_config() | {"size": self.state_size}

    layer = Bidirectional(RNN(Decay(F), return_sequences=True))
    assert max(rnn_ref.check_gradients(layer, data(), mask=holes(), samples=8).values()) < 1e-6


def test_masks_of_the_outputs():
    mask = holes()
    assert Bidirectional(GRU(H)).compute_mask(None, mask) is None
    assert Bidirectional(GRU(H, return_sequences=True)).compute_mask(None, mask) is mask
    assert len(Bidirectional(LSTM(H, return_state=True), merge_mode=None).compute_mask(None, mask)) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda: (Dense(3),), "recurrent layers"),
        (lambda: (None,), "recurrent layer"),
        (lambda: (GRU(2), "max"), "merge_mode='max'"),
        (lambda: (GRU(2), "sum", None, GRU(2)), "go_backwards"),
        (lambda: (GRU(2), "sum", None, GRU(2, go_backwards=True, return_state=True)), "return_state"),
        (lambda: (GRU(2, go_backwards=True),), "give a backward_layer with go_backwards=False"),
        (lambda: (GRU(2), "sum", None, GRU(2, go_backwards=True, stateful=True)), "stateful"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Bidirectional(*arguments())
