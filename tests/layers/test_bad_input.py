"""Bad input of recurrent models: the error names the layer, what came, what was expected, and what to change."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, layers

X = np.zeros((4, 5, 3), "float32")


def stateful(B):
    layer = layers.LSTM(2, stateful=True, name="memory")
    layer(X)
    layer(X[:B])


def fixed_batch(B):
    model = rnn_ref.Sequential([Input(batch_shape=(4, 5, 3)), layers.GRU(2, stateful=True, name="memory")])
    model.predict(X[:B], verbose=0)


class Stateless:
    def call(self, inputs, states):
        return inputs, states


def lstm(**options):
    return layers.LSTM(2, name="memory", **options)


def not_connected():
    a, b = Input((3,), name="here"), Input((3,), name="missing")
    Model(a, layers.Add()([a, b]))


CASES = {
    "stateful batch": (
        lambda: stateful(3),
        r"memory: stateful with states for 4 samples, got a batch of 3.*reset_states",
    ),
    "stateful batch of an Input": (lambda: fixed_batch(3), r"memory: stateful, made for batches of 4 samples, got 3"),
    "number of states": (
        lambda: lstm()(X, initial_state=[np.zeros((4, 2))]),
        r"memory: initial_state needs 2 arrays \(hidden, cell\), got 1",
    ),
    "shape of states": (
        lambda: lstm()(X, initial_state=[np.zeros((4, 3))] * 2),
        r"memory: initial hidden state has shape \(4, 3\), expected \(4, 2\)",
    ),
    "number of symbolic states": (
        lambda: lstm()(Input((5, 3)), initial_state=[Input((2,))]),
        r"memory: initial_state needs 2 .*got 1",
    ),
    "shape of symbolic states": (
        lambda: lstm()(Input((5, 3)), initial_state=[Input((2,)), Input((7,))]),
        r"memory: initial cell state has shape \(None, 7\), expected \(None, 2\)",
    ),
    "symbolic states of both directions": (
        lambda: layers.Bidirectional(lstm(), name="both")(Input((5, 3)), initial_state=[Input((2,))] * 3),
        r"both: .*needs 4 arrays.*got 3",
    ),
    "states of both directions": (
        lambda: layers.Bidirectional(lstm(), name="both")(X, initial_state=[np.zeros((4, 2))] * 2),
        r"both: .*needs 4 arrays.*got 2",
    ),
    "mask": (lambda: lstm()(X, mask=np.ones((4, 6), bool)), r"memory: the mask has shape \(4, 6\), expected \(4, 5\)"),
    "mask of both directions": (
        lambda: layers.Bidirectional(lstm())(X, mask=np.ones((4, 6), bool)),
        r"memory: the mask has shape \(4, 6\), expected \(4, 5\)",
    ),
    "constants": (
        lambda: lstm()(X, constants=[X[:, 0]]),
        r"memory: got constants, but the call of its cell takes none",
    ),
    "unrolling": (
        lambda: lstm(unroll=True)(Input((None, 3))),
        r"memory: unroll=True needs a known number of time steps; give it in the Input",
    ),
    "token": (
        lambda: layers.Embedding(5, 2, name="words")([[1, 7]]),
        r"words: token 7 at index \(0, 1\).* from 0 to 4",
    ),
    "graph": (not_connected, "missing"),
    "cell": (lambda: layers.RNN(Stateless(), name="memory"), r"memory.*Stateless.*state_size"),
}


@pytest.mark.parametrize("case", CASES)
def test_message(case):
    wrong, message = CASES[case]
    with pytest.raises((TypeError, ValueError), match=f"(?s){message}"):
        wrong()
