"""GRU over a batch of sequences on the CPU. Equations: :mod:`rnn_ref.equations.gru`.

    gates   (3, T, B, H)     z, r, g; they start as pre-activations and are activated in place
    q       (T, B, H)        reset_after: projected state h_{t-1} U_h + b'_h; else: reset state r h_{t-1}
    h       (T + 1, B, H)    h[0] initial state, h[t + 1] state after step t

A step has two parts: the reset gate acts, before or after a product, and then the update gate.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from rnn_ref.equations import gru
from rnn_ref.equations.activations import NEEDS_Z, SIGMOID, TANH
from rnn_ref.jit import part
from rnn_ref.kernels.cpu.loop import Product, Steps, loop
from rnn_ref.kernels.cpu.run import Given, Parameters, Runner, kept_tape
from rnn_ref.kernels.cpu.weights import split_bias
from rnn_ref.kernels.tape import Gradients, Tape


@part
def reset_projection(tape, weights, at):
    """reset_after: ``r`` is activated, the gated projection is added to ``z_h``."""
    here = slice(at.first, at.last)
    r, z_h, q = tape.gates[1, at.step, here], tape.gates[2, at.step, here], tape.q[0, at.step, here]
    recurrent_activation = weights.codes[1]
    if recurrent_activation == SIGMOID:  # a constant code lets the compiler vectorize
        for k in range(r.size):
            r[k] = gru.gate(r[k], SIGMOID)
            z_h[k] = gru.reset_projection(z_h[k], r[k], q[k])
    else:
        for k in range(r.size):
            r[k] = gru.gate(r[k], recurrent_activation)
            z_h[k] = gru.reset_projection(z_h[k], r[k], q[k])


@part
def d_reset_projection(tape, weights, flow, at):
    here = slice(at.first, at.last)
    z = tape.z if tape.z.size > 0 else tape.gates
    z_r, r, q = z[1, at.step, here], tape.gates[1, at.step, here], tape.q[0, at.step, here]
    dz_r, dz_h, dq = flow.dz[1, at.step, here], flow.dz[2, at.step, here], flow.dq[0, at.step, here]
    recurrent_activation = weights.codes[1]
    for k in range(r.size):
        dr, dq[k] = gru.d_reset_projection(dz_h[k], r[k], q[k])
        dz_r[k] = gru.d_gate(dr, z_r[k], r[k], recurrent_activation)


@part
def reset_state(tape, weights, at):
    """Not reset_after: ``r`` is activated, ``m = r h_{t-1}``."""
    here = slice(at.first, at.last)
    r, m, h_prev = tape.gates[1, at.step, here], tape.m[0, at.step, here], tape.h[at.before, here]
    recurrent_activation = weights.codes[1]
    for k in range(r.size):
        r[k] = gru.gate(r[k], recurrent_activation)
        m[k] = gru.reset_state(r[k], h_prev[k])


@part
def d_reset_state(tape, weights, flow, at):
    here = slice(at.first, at.last)
    z = tape.z if tape.z.size > 0 else tape.gates
    z_r, r, h_prev = z[1, at.step, here], tape.gates[1, at.step, here], tape.h[at.before, here]
    dm, dz_r, dh_prev = flow.dm[0, 0, here], flow.dz[1, at.step, here], flow.dh[at.before, here]
    recurrent_activation = weights.codes[1]
    for k in range(r.size):
        dr, dh_through_r = gru.d_reset_state(dm[k], r[k], h_prev[k])
        dz_r[k] = gru.d_gate(dr, z_r[k], r[k], recurrent_activation)
        dh_prev[k] += dh_through_r


@part
def update(tape, weights, at):
    """``z`` and ``g`` come in as pre-activations."""
    here = slice(at.first, at.last)
    z, g = tape.gates[0, at.step, here], tape.gates[2, at.step, here]
    h_prev, h = tape.h[at.before, here], tape.h[at.after, here]
    activation, recurrent_activation = weights.codes[0], weights.codes[1]
    if activation == TANH and recurrent_activation == SIGMOID:
        for k in range(h.size):
            z[k] = gru.gate(z[k], SIGMOID)
            g[k], h[k] = gru.forward(z[k], g[k], h_prev[k], TANH)
    else:
        for k in range(h.size):
            z[k] = gru.gate(z[k], recurrent_activation)
            g[k], h[k] = gru.forward(z[k], g[k], h_prev[k], activation)


@part
def d_update(tape, weights, flow, at):
    here = slice(at.first, at.last)
    z, g, h_prev = tape.gates[0, at.step, here], tape.gates[2, at.step, here], tape.h[at.before, here]
    dh, dh_prev = flow.dh[at.after, here], flow.dh[at.before, here]
    dz_z, dz_h = flow.dz[0, at.step, here], flow.dz[2, at.step, here]
    activation, recurrent_activation = weights.codes[0], weights.codes[1]
    if activation == TANH and recurrent_activation == SIGMOID:
        for k in range(dh.size):
            dz, dz_h[k], dh_direct = gru.backward(dh[k], g[k], z[k], g[k], h_prev[k], TANH)
            dz_z[k] = gru.d_gate(dz, z[k], z[k], SIGMOID)
            dh_prev[k] += dh_direct
    else:
        kept = tape.z if tape.z.size > 0 else tape.gates
        z_z, z_h = kept[0, at.step, here], kept[2, at.step, here]
        for k in range(dh.size):
            dz, dz_h[k], dh_direct = gru.backward(dh[k], z_h[k], z[k], g[k], h_prev[k], activation)
            dz_z[k] = gru.d_gate(dz, z_z[k], z[k], recurrent_activation)
            dh_prev[k] += dh_direct


AFTER, BEFORE = (Product(0), Product(1), Product(-1)), (Product(0), Product(1), Product(2, made=0))
SETTLED = 0, 0, 1  # the candidate's pre-activation is complete when the reset gate has acted
RUNNERS = {
    True: Runner(
        partial(
            loop, "gru", Steps(update, d_update, reset_projection, d_reset_projection), AFTER, SETTLED, Path(__file__)
        ),
        AFTER, gates=3, apart=1,
    ),
    False: Runner(
        partial(
            loop, "gru_reset_before", Steps(update, d_update, reset_state, d_reset_state), BEFORE, SETTLED,
            Path(__file__),
        ),
        BEFORE, gates=3, made=1,
    ),
}  # fmt: skip


def forward(
    x, W, U, b, h0, *, activation: int, recurrent_activation: int, reset_after: bool = True, mask=None, x_drop=None,
    h_drop=None, keep: str = "tape", keep_z: bool = False,
) -> Tape:  # fmt: skip
    """Run a batch of sequences.

    Parameters
    ----------
    x : ndarray, (T, B, F)
    W : ndarray, (F, 3*H)
    U : ndarray, (H, 3*H)
    b : ndarray or None
        ``(2, 3*H)`` with ``reset_after`` (input and recurrent bias), else ``(3*H,)``.
    h0 : ndarray, (B, H)
    activation, recurrent_activation : int
        Codes of the activations, see :mod:`rnn_ref.equations.activations`.
    reset_after : bool
        Where the reset gate acts, see :mod:`rnn_ref.equations.gru`.
    mask : ndarray of bool, (T, B), optional
        False where a step is to be skipped.
    x_drop, h_drop : ndarray, (1 or 3, B, F) and (3, B, H), optional
        Dropout of inputs and states, with the factor that keeps their mean.
    keep : {"tape", "outputs", "last"}
        Everything that :func:`backward` needs; or only the hidden states; or only the final states.
    keep_z : bool
        Keep the pre-activations even if the backward pass can do without them.

    Returns
    -------
    Tape
        With ``h``, ``gates``, ``q``, and ``z`` where kept; ``h`` without steps that were not kept.
    """
    H, b_q, codes = U.shape[0], None, (activation, recurrent_activation)
    keep_z = keep_z or not NEEDS_Z.isdisjoint(codes)
    if reset_after and b is not None:
        # Only the candidate tells its two biases apart: its recurrent one is added inside the reset gate.
        b_q = b[1, 2 * H :].reshape(1, H)
        b = np.concatenate((b[0, : 2 * H] + b[1, : 2 * H], b[0, 2 * H :]))
    given, parameters = Given(x, mask, x_drop, h_drop), Parameters(W, U, b, b_q, codes=codes)
    found = RUNNERS[bool(reset_after)].forward(given, parameters, (h0,), keep, keep_z)
    return kept_tape(given, found, keep, keep_z, q=(found.q if reset_after else found.m)[0])


def backward(
    tape: Tape, W, U, b, dh, *, activation: int, recurrent_activation: int, reset_after: bool = True, given: int = 0,
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
    given : int
        Where ``dh`` begins to hold something; nothing reaches the states before, whatever stands there.
    input_gradient : bool
        Whether to compute ``dx``.

    Returns
    -------
    Gradients
    """
    b_q = b if reset_after else None  # the states have a bias of their own
    parameters = Parameters(W, U, b, b_q, codes=(activation, recurrent_activation))
    apart = {"q" if reset_after else "m": tape.q[None]}
    back = RUNNERS[bool(reset_after)].backward(*Given.of(tape, **apart), parameters, dh, (), given, input_gradient)
    flow, (dW, db), (dU, db_q) = back.flow, split_bias(back.dWb, b), split_bias(back.dUb, b_q)
    if db_q is not None:
        db = np.stack([db, db_q])
    dq = flow.dq[0] if reset_after else None
    return Gradients(dx=back.dx, dW=dW, dU=dU, db=db, dh=dh, dz=flow.dz, dq=dq)
