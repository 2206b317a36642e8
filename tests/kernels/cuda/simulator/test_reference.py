"""The kernels against cells written down here a second time in float64, which autograd differentiates."""

from contextlib import nullcontext

import autograd.numpy as anp
import pytest
from autograd import grad

from rnn_ref.kernels.cuda.choice import only_teaching

from ..concurrent_blocks import concurrent_blocks
from ..parity import Case


def sigmoid(z):
    return 1 / (1 + anp.exp(-z))


def columns(kernel, G):
    return anp.split(kernel, G, axis=-1)


def lstm(x, h, c, W, U, b):
    z_i, z_f, z_c, z_o = (x[g] @ W[g] + h[g] @ U[g] + b[g] for g in range(4))
    c = sigmoid(z_f) * c + sigmoid(z_i) * anp.tanh(z_c)
    return sigmoid(z_o) * anp.tanh(c), c


def gru_reset_after(x, h, h_prev, W, U, b):
    z, r = (sigmoid(x[g] @ W[g] + b[0][g] + h[g] @ U[g] + b[1][g]) for g in range(2))
    candidate = anp.tanh(x[2] @ W[2] + b[0][2] + r * (h[2] @ U[2] + b[1][2]))
    return (z * h_prev + (1 - z) * candidate,)


def gru_reset_before(x, h, h_prev, W, U, b):
    z, r = (sigmoid(x[g] @ W[g] + h[g] @ U[g] + b[g]) for g in range(2))
    candidate = anp.tanh(x[2] @ W[2] + (r * h[2]) @ U[2] + b[2])
    return (z * h_prev + (1 - z) * candidate,)


def simple_rnn(x, h, W, U, b):
    return (anp.tanh(x[0] @ W[0] + h[0] @ U[0] + b[0]),)


CELLS = {
    "lstm": (Case("lstm"), 4, lambda x, h, states, *weights: lstm(x, h, states[1], *weights)),
    "gru": (Case("gru"), 3, lambda x, h, states, *weights: gru_reset_after(x, h, states[0], *weights)),
    "gru, reset before": (
        Case("gru", reset_after=False),
        3,
        lambda x, h, states, *weights: gru_reset_before(x, h, states[0], *weights),
    ),
    "simple_rnn": (Case("simple_rnn"), 1, lambda x, h, states, *weights: simple_rnn(x, h, *weights)),
}


def run(cell, G, a, x, W, U, b, *states):
    """States after each step; a step that does not count leaves them as they are."""
    gates = [columns(row, G) for row in b] if b.ndim == 2 else columns(b, G)
    history = [states]
    for t in range(len(x)):
        x_t = [x[t] if a["x_drop"] is None else x[t] * a["x_drop"][g] for g in range(G)]
        h_t = [states[0] if a["h_drop"] is None else states[0] * a["h_drop"][g] for g in range(G)]
        new = cell(x_t, h_t, states, columns(W, G), columns(U, G), gates)
        counts = True if a["mask"] is None else a["mask"][t][:, None]
        states = tuple(anp.where(counts, after, before) for after, before in zip(new, states, strict=True))
        history.append(states)
    return history


@pytest.mark.parametrize("options", [{}, {"masked": True, "x_drop": True}, {"masked": True, "h_drop": True}], ids=str)
@pytest.mark.parametrize("kernel", ["teaching", "fastest"])
@pytest.mark.parametrize("name", CELLS)
def test_states_and_gradients(name, kernel, options, assert_close):
    case, G, cell = CELLS[name]
    case = Case(**vars(case) | {"T": 4, "F": 3, "dtype": "float64", "seed": 5} | options)
    a = case.arrays()
    inputs = a["x"], a["W"], a["U"], a["b"], *a["states"]

    def loss(inputs):
        history = run(cell, G, a, *inputs)
        through_outputs = sum(anp.sum(history[t][0] * a["dh"][t]) for t in range(1, case.T + 1))
        return through_outputs + sum(anp.sum(last * d) for last, d in zip(history[-1][1:], a["d_final"], strict=True))

    history = run(cell, G, a, *inputs)
    gradients = dict(zip(["dx", "dW", "dU", "db", "dh", "dc"], grad(loss)(inputs)))
    with concurrent_blocks(), only_teaching() if kernel == "teaching" else nullcontext():
        actual = case.run("cuda")
    for i, state in enumerate(["h", "c"][: len(a["states"])]):
        assert_close(actual[state], [states[i] for states in history], 1e-10, state)
    for gradient, expected in gradients.items():
        initial = gradient in ("dh", "dc")  # the kernels give the gradients of all states, autograd of the first
        assert_close(actual[gradient][0] if initial else actual[gradient], expected, 1e-10, gradient)
