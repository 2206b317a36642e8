"""LSTM over a batch of sequences on the CPU. Equations: :mod:`rnn_ref.equations.lstm`.

gates   (4, T, B, H)     i, f, g, o; they start as pre-activations and are activated in place
h, c    (T + 1, B, H)    [0] initial state, [t + 1] state after step t
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from rnn_ref.equations import lstm
from rnn_ref.equations.activations import NEEDS_Z, SIGMOID, TANH
from rnn_ref.jit import part
from rnn_ref.kernels.cpu.loop import Product, Steps, loop
from rnn_ref.kernels.cpu.run import Given, Parameters, Runner, kept_tape
from rnn_ref.kernels.cpu.weights import split_bias
from rnn_ref.kernels.tape import Gradients, Tape


@part
def step(tape, weights, at):
    here = slice(at.first, at.last)
    i, f = tape.gates[0, at.step, here], tape.gates[1, at.step, here]
    g, o = tape.gates[2, at.step, here], tape.gates[3, at.step, here]
    c_prev, c, h = tape.c[0, at.c_before, here], tape.c[0, at.c_after, here], tape.h[at.after, here]
    activation, recurrent_activation = weights.codes[0], weights.codes[1]
    if activation == TANH and recurrent_activation == SIGMOID:  # constant codes let the compiler vectorize
        for k in range(h.size):
            i[k], f[k], g[k], o[k], c[k], h[k] = lstm.forward(i[k], f[k], g[k], o[k], c_prev[k], TANH, SIGMOID)
    else:
        for k in range(h.size):
            i[k], f[k], g[k], o[k], c[k], h[k] = lstm.forward(
                i[k], f[k], g[k], o[k], c_prev[k], activation, recurrent_activation
            )


@part
def d_step(tape, weights, flow, at):
    here = slice(at.first, at.last)
    i, f = tape.gates[0, at.step, here], tape.gates[1, at.step, here]
    g, o = tape.gates[2, at.step, here], tape.gates[3, at.step, here]
    c_prev, c = tape.c[0, at.c_before, here], tape.c[0, at.c_after, here]
    dh, dc, dc_prev = flow.dh[at.after, here], flow.dc[0, at.c_after, here], flow.dc[0, at.c_before, here]
    dz_i, dz_f = flow.dz[0, at.step, here], flow.dz[1, at.step, here]
    dz_c, dz_o = flow.dz[2, at.step, here], flow.dz[3, at.step, here]
    activation, recurrent_activation = weights.codes[0], weights.codes[1]
    if activation == TANH and recurrent_activation == SIGMOID:
        for k in range(dh.size):
            dz_i[k], dz_f[k], dz_c[k], dz_o[k], dc_prev[k], dc[k] = lstm.backward(
                dh[k], dc[k],
                i[k], f[k], g[k], o[k],  # these two take no pre-activations
                i[k], f[k], g[k], o[k], c[k], c_prev[k],
                TANH, SIGMOID,
            )  # fmt: skip
    else:
        z = tape.z if tape.z.size > 0 else tape.gates
        z_i, z_f, z_c, z_o = z[0, at.step, here], z[1, at.step, here], z[2, at.step, here], z[3, at.step, here]
        for k in range(dh.size):
            dz_i[k], dz_f[k], dz_c[k], dz_o[k], dc_prev[k], dc[k] = lstm.backward(
                dh[k], dc[k],
                z_i[k], z_f[k], z_c[k], z_o[k],
                i[k], f[k], g[k], o[k], c[k], c_prev[k],
                activation, recurrent_activation,
            )  # fmt: skip


PRODUCTS = tuple(Product(g) for g in range(4))
RUNNER = Runner(
    partial(loop, "lstm", Steps(step, d_step), PRODUCTS, (0,) * 4, Path(__file__)), PRODUCTS, gates=4, others=1
)


def forward(
    x, W, U, b, h0, c0, *, activation: int, recurrent_activation: int, mask=None, x_drop=None, h_drop=None,
    keep: str = "tape", keep_z: bool = False,
) -> Tape:  # fmt: skip
    """Run a batch of sequences.

    Parameters
    ----------
    x : ndarray, (T, B, F)
    W : ndarray, (F, 4*H)
    U : ndarray, (H, 4*H)
    b : ndarray, (4*H,) or None
    h0, c0 : ndarray, (B, H)
    activation, recurrent_activation : int
        Codes of the activations, see :mod:`rnn_ref.equations.activations`.
    mask : ndarray of bool, (T, B), optional
        False where a step is to be skipped.
    x_drop, h_drop : ndarray, (1 or 4, B, F) and (4, B, H), optional
        Dropout of inputs and states, with the factor that keeps their mean.
    keep : {"tape", "outputs", "last"}
        Everything that :func:`backward` needs; or only the hidden states; or only the final states.
    keep_z : bool
        Keep the pre-activations even if the backward pass can do without them.

    Returns
    -------
    Tape
        With ``h``, ``c``, ``gates``, and ``z`` where kept; ``h`` and ``c`` without steps that were not kept.
    """
    codes = activation, recurrent_activation
    keep_z = keep_z or not NEEDS_Z.isdisjoint(codes)
    given, parameters = Given(x, mask, x_drop, h_drop), Parameters(W, U, b, codes=codes)
    found = RUNNER.forward(given, parameters, (h0, c0), keep, keep_z)
    return kept_tape(given, found, keep, keep_z, c=found.c[0])


def backward(
    tape: Tape, W, U, b, dh, dc_T, *, activation: int, recurrent_activation: int, given: int = 0,
    input_gradient: bool = True,
) -> Gradients:  # fmt: skip
    """Backpropagation through time.

    Parameters
    ----------
    tape : Tape
        From :func:`forward`.
    W, U, b
        As in :func:`forward`.
    dh : ndarray, (T + 1, B, H)
        What reaches each hidden state from outside (outputs, final state). Overwritten with the totals.
    dc_T : ndarray, (B, H), or 0
        What reaches the final cell state from outside.
    given : int
        Where ``dh`` begins to hold something; nothing reaches the states before, whatever stands there.
    input_gradient : bool
        Whether to compute ``dx``.

    Returns
    -------
    Gradients
    """
    parameters = Parameters(W, U, b, codes=(activation, recurrent_activation))
    back = RUNNER.backward(*Given.of(tape, c=tape.c[None]), parameters, dh, (dc_T,), given, input_gradient)
    dW, db = split_bias(back.dWb, b)
    return Gradients(dx=back.dx, dW=dW, dU=back.dUb, db=db, dh=dh, dc=back.flow.dc[0], dz=back.flow.dz)
