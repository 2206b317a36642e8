"""Numbers too small to be normal are zeros inside kernels, and what they were outside."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

TINY = np.finfo("float32").tiny
T = 400


def denormal(array):
    return (array != 0) & (np.abs(array) < TINY)


def fading(kind):
    """A layer whose state fades over 400 zero inputs, with its tape; the gradient of the last output fades too."""
    layer = getattr(layers, kind)(20, recurrent_initializer="zeros" if kind != "SimpleRNN" else "identity")
    layer.ensure_built((None, T, 3))
    if kind == "SimpleRNN":
        layer.recurrent_kernel.value[...] *= 0.6
    x = np.zeros((9, T, 3), "float32")
    x[:, 0] = 1
    return layer, layer.forward(x)[1]


@pytest.mark.skipif(not rnn_ref.jit.X86, reason="flushing is written for x86")
@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_states_and_gradients_fade_to_zero(kind):
    layer, tape = fading(kind)
    state = tape.states[-1]
    assert 0 < np.abs(state[T // 4]).max() < 1e-3
    assert not state[-1].any()
    assert not denormal(state).any()
    flow = layer.backward(tape, np.ones((9, 20), "float32")).flow
    assert flow.dstates[-1][-2].any()
    assert not flow.dstates[-1][0].any()
    assert not any(denormal(a).any() for a in (*flow.dstates, flow.dz, flow.dx, flow.dW, flow.dU))


def test_outside_they_stay():
    fading("LSTM")
    assert (np.full(64, TINY) * np.float32(0.5) > 0).all()
