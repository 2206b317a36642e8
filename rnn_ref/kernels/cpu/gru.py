"""GRU over a batch of sequences on the CPU. Equations: :mod:`rnn_ref.equations.gru`.

    gates   (3, T, B, H)     z, r, g; they start as pre-activations and are activated in place
    q       (T, B, H)        reset_after: projected state h_{t-1} U_h + b'_h; else: reset state r h_{t-1}
    h       (T + 1, B, H)    h[0] initial state, h[t + 1] state after step t

A step has two parts, because with ``reset_after=False`` a product stands between them.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from rnn_ref.equations import gru
from rnn_ref.equations.activations import NEEDS_Z, SIGMOID, TANH
from rnn_ref.jit import (
    BOOLEAN,
    GIVEN3,
    INTEGER,
    INTEGERS,
    MASK,
    R1,
    R2,
    R3,
    R4,
    READ3,
    flush_denormals,
    kernel,
    library,
    restore_denormals,
)
from rnn_ref.kernels.cpu import batch
from rnn_ref.kernels.cpu.masking import hold, pass_on, take_out
from rnn_ref.kernels.cpu.products import clear, copy_rows, pack, packed_product
from rnn_ref.kernels.cpu.recurrence import add, add_multiplied, d_recurrent, multiply, recurrent
from rnn_ref.kernels.cpu.sequence import d_project_inputs, project_steps
from rnn_ref.kernels.cpu.threads import lock, prepare
from rnn_ref.kernels.cpu.weights import d_weights, split_bias, with_bias
from rnn_ref.kernels.tape import Gradients, Tape
from rnn_ref.memory import empty_like


@kernel
def reset_projection(r, z_h, q, recurrent_activation):
    """reset_after: ``r`` is activated, the gated projection is added to ``z_h``. Every array ``(n*H,)``."""
    if recurrent_activation == SIGMOID:  # a constant code lets the compiler vectorize
        for k in range(r.size):
            r[k] = gru.gate(r[k], SIGMOID)
            z_h[k] = gru.reset_projection(z_h[k], r[k], q[k])
    else:
        for k in range(r.size):
            r[k] = gru.gate(r[k], recurrent_activation)
            z_h[k] = gru.reset_projection(z_h[k], r[k], q[k])


@kernel
def d_reset_projection(dz_h, z_r, r, q, dz_r, dq, recurrent_activation):
    for k in range(r.size):
        dr, dq[k] = gru.d_reset_projection(dz_h[k], r[k], q[k])
        dz_r[k] = gru.d_gate(dr, z_r[k], r[k], recurrent_activation)


@kernel
def reset_state(r, h_prev, q, recurrent_activation):
    """Not reset_after: ``r`` is activated, ``q = r h_{t-1}``. Every array ``(n*H,)``."""
    for k in range(r.size):
        r[k] = gru.gate(r[k], recurrent_activation)
        q[k] = gru.reset_state(r[k], h_prev[k])


@kernel
def d_reset_state(drh, z_r, r, h_prev, dz_r, dh_prev, recurrent_activation):
    for k in range(r.size):
        dr, dh_through_r = gru.d_reset_state(drh[k], r[k], h_prev[k])
        dz_r[k] = gru.d_gate(dr, z_r[k], r[k], recurrent_activation)
        dh_prev[k] += dh_through_r


@kernel
def update(z, g, h_prev, h, activation, recurrent_activation):
    """``z`` and ``g`` come in as pre-activations. Every array ``(n*H,)``."""
    if activation == TANH and recurrent_activation == SIGMOID:
        for k in range(h.size):
            z[k] = gru.gate(z[k], SIGMOID)
            g[k], h[k] = gru.forward(z[k], g[k], h_prev[k], TANH)
    else:
        for k in range(h.size):
            z[k] = gru.gate(z[k], recurrent_activation)
            g[k], h[k] = gru.forward(z[k], g[k], h_prev[k], activation)


@kernel
def d_update(dh, z_z, z_h, z, g, h_prev, dz_z, dz_h, dh_prev, activation, recurrent_activation):
    if activation == TANH and recurrent_activation == SIGMOID:
        for k in range(dh.size):
            dz, dz_h[k], dh_direct = gru.backward(dh[k], g[k], z[k], g[k], h_prev[k], TANH)
            dz_z[k] = gru.d_gate(dz, z[k], z[k], SIGMOID)
            dh_prev[k] += dh_direct
    else:
        for k in range(dh.size):
            dz, dz_h[k], dh_direct = gru.backward(dh[k], z_h[k], z[k], g[k], h_prev[k], activation)
            dz_z[k] = gru.d_gate(dz, z_z[k], z[k], recurrent_activation)
            dh_prev[k] += dh_direct


@library
def forward_rows(
    x: GIVEN3, W: R4, b: R1, b_q: R1, U: R4, gates: R4, z: R4, q: R3, h: R3, mask: MASK, x_drop: READ3,
    h_drop: READ3, dropped: R3, scratch: R2, activation: INTEGER, recurrent_activation: INTEGER,
    reset_after: BOOLEAN, first: INTEGER, last: INTEGER,
):  # fmt: skip
    """Samples ``first:last`` through all time steps.

    ``dropped`` (STEPS, n, F) and ``scratch`` (n, H) are room for dropped inputs and states.
    """
    H = h.shape[2]
    here = slice(first * H, last * H)  # in one time step of the chunk's numbers
    gates_flat, q_flat = gates.reshape(3, gates.shape[1], -1), q.reshape(q.shape[0], -1)
    h_flat, scratch_flat = h.reshape(h.shape[0], -1), scratch.reshape(-1)
    for t in range(x.shape[0]):
        if t % batch.STEPS == 0:
            project_steps(x, W, b, x_drop, dropped, t, gates, first, last)
        s, before, after = t % gates.shape[1], t % h.shape[0], (t + 1) % h.shape[0]
        h_prev = h[before, first:last]
        for g in range(2):
            z_g = gates[g, s, first:last]
            recurrent(h_prev, U, g, h_drop, first, last, scratch, z_g, z_g)
        if z.size > 0:
            for g in range(2):
                copy_rows(gates[g, s, first:last], z[g, t, first:last])
        z_h, q_t = gates[2, s, first:last], q[s, first:last]
        update_flat, reset_flat, z_h_flat = gates_flat[0, s, here], gates_flat[1, s, here], gates_flat[2, s, here]
        if reset_after:
            recurrent(h_prev, U, 2, h_drop, first, last, scratch, b_q.reshape(1, -1), q_t)
            reset_projection(reset_flat, z_h_flat, q_flat[s, here], recurrent_activation)
        else:
            if h_drop.size > 0:
                multiply(h_prev, h_drop[2, first:last], scratch)
            else:
                copy_rows(h_prev, scratch)
            reset_state(reset_flat, scratch_flat, q_flat[s, here], recurrent_activation)
            packed_product(q_t, U[2], z_h, z_h)
        if z.size > 0:
            copy_rows(z_h, z[2, t, first:last])
        update(update_flat, z_h_flat, h_flat[before, here], h_flat[after, here], activation, recurrent_activation)
        if mask.size > 0:
            hold(mask[t, first:last], h_prev, h[after, first:last])


@library
def backward_rows(
    U: R4, gates: R4, z: R4, q: R3, h: R3, mask: MASK, drop: READ3, dh: R3, dz: R4, dq: R3, activation: INTEGER,
    recurrent_activation: INTEGER, reset_after: BOOLEAN, given: INTEGER, scratch: R3, first: INTEGER,
    last: INTEGER,
):  # fmt: skip
    """Samples ``first:last`` back through all time steps.

    ``scratch`` (3, n, H) is room for dropped states, their gradients, and what masks keep.
    """
    T, H = gates.shape[1], h.shape[2]
    here = slice(first * H, last * H)
    gates_flat, z_flat, dz_flat = gates.reshape(3, T, -1), z.reshape(3, T, -1), dz.reshape(3, T, -1)
    h_flat, q_flat, dh_flat, dq_flat = h.reshape(T + 1, -1), q.reshape(T, -1), dh.reshape(T + 1, -1), dq.reshape(T, -1)
    dropped, d_dropped, kept = scratch[0], scratch[1], scratch[2]
    dropped_flat, d_dropped_flat = dropped.reshape(-1), d_dropped.reshape(-1)
    for t in range(T - 1, -1, -1):
        if t < given:
            clear(dh[t, first:last])
        if mask.size > 0:
            take_out(mask, t, dh, kept, first, last)
        h_prev, dh_prev = h[t, first:last], dh[t, first:last]
        z_r, r, dz_r = z_flat[1, t, here], gates_flat[1, t, here], dz_flat[1, t, here]
        d_update(
            dh_flat[t + 1, here],
            z_flat[0, t, here],
            z_flat[2, t, here],
            gates_flat[0, t, here],
            gates_flat[2, t, here],
            h_flat[t, here],
            dz_flat[0, t, here],
            dz_flat[2, t, here],
            dh_flat[t, here],
            activation,
            recurrent_activation,
        )
        if reset_after:
            d_reset_projection(
                dz_flat[2, t, here], z_r, r, q_flat[t, here], dz_r, dq_flat[t, here], recurrent_activation
            )
            d_recurrent(dq[t, first:last], U, 2, drop, first, last, dropped, dh_prev)
        else:
            drh = dq[t, first:last]
            clear(drh)
            packed_product(dz[2, t, first:last], U[2], drh, drh)
            if drop.size > 0:
                multiply(h_prev, drop[2, first:last], dropped)
            else:
                copy_rows(h_prev, dropped)
            clear(d_dropped)
            d_reset_state(dq_flat[t, here], z_r, r, dropped_flat, dz_r, d_dropped_flat, recurrent_activation)
            if drop.size > 0:
                add_multiplied(d_dropped, drop[2, first:last], dh_prev)
            else:
                add(d_dropped, dh_prev)
        for g in range(2):
            d_recurrent(dz[g, t, first:last], U, g, drop, first, last, dropped, dh_prev)
        if mask.size > 0:
            pass_on(mask, t, dh, kept, first, last)


@kernel(parallel=True)
def forward_batch(
    x: GIVEN3, W: R4, b: R1, b_q: R1, U: R4, gates: R4, z: R4, q: R3, h: R3, mask: MASK, x_drop: READ3,
    h_drop: READ3, activation: INTEGER, recurrent_activation: INTEGER, reset_after: BOOLEAN, borders: INTEGERS,
):  # fmt: skip
    for k in prange(borders.size - 1):
        before = flush_denormals()
        n, H = borders[k + 1] - borders[k], h.shape[2]
        dropped, scratch = np.empty((batch.STEPS, n, x.shape[2]), h.dtype), np.empty((n, H), h.dtype)
        forward_rows(
            x, W, b, b_q, U, gates, z, q, h, mask, x_drop, h_drop, dropped, scratch,
            activation, recurrent_activation, reset_after, borders[k], borders[k + 1],
        )  # fmt: skip
        restore_denormals(before)


@kernel(parallel=True)
def backward_batch(
    U: R4, gates: R4, z: R4, q: R3, h: R3, mask: MASK, drop: READ3, dh: R3, dz: R4, dq: R3, activation: INTEGER,
    recurrent_activation: INTEGER, reset_after: BOOLEAN, given: INTEGER, borders: INTEGERS,
):  # fmt: skip
    for k in prange(borders.size - 1):
        before = flush_denormals()
        scratch = np.empty((3, borders[k + 1] - borders[k], h.shape[2]), h.dtype)
        backward_rows(
            U, gates, z, q, h, mask, drop, dh, dz, dq,
            activation, recurrent_activation, reset_after, given, scratch, borders[k], borders[k + 1],
        )  # fmt: skip
        restore_denormals(before)


def forward(
    x,
    W,
    U,
    b,
    h0,
    *,
    activation: int,
    recurrent_activation: int,
    reset_after: bool = True,
    mask=None,
    x_drop=None,
    h_drop=None,
    keep: str = "tape",
    keep_z: bool = False,
) -> Tape:
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
        Everything that :func:`backward` needs; or only the hidden states; or only the final state.
    keep_z : bool
        Keep the pre-activations even if the backward pass can do without them.

    Returns
    -------
    Tape
        With ``h``, ``gates``, ``q``, and ``z`` where kept; ``h`` without steps that were not kept.
    """
    T, B, _ = x.shape
    H = U.shape[0]
    slots = batch.slots(T, keep)
    h = batch.empty(x, slots.outputs, B, H)
    gates, q = batch.kept("gates", x, keep, 3, slots.steps, B, H), batch.kept("q", x, keep, slots.steps, B, H)
    keep_z = keep == "tape" and (keep_z or not NEEDS_Z.isdisjoint((activation, recurrent_activation)))
    z = batch.empty(x, 3, T if keep_z else 0, B, H)
    h[0] = h0
    b = np.zeros((2, 3 * H) if reset_after else 3 * H, x.dtype) if b is None else b
    b_q = np.empty(0, x.dtype)
    if reset_after:
        # Only the candidate tells its two biases apart: its recurrent one is added inside the reset gate.
        b_q = b[1, 2 * H :]
        b = np.concatenate((b[0, : 2 * H] + b[1, : 2 * H], b[0, 2 * H :]))
    with lock:
        threads = prepare(x.dtype, forward_rows, forward_batch, work=batch.work(x, U))
        forward_batch(
            x,
            pack(W, 3, "W"),
            b,
            b_q,
            pack(U, 3, "U"),
            gates,
            z,
            q,
            h,
            batch.no_mask(mask),
            batch.no_drop(x_drop, x),
            batch.no_drop(h_drop, x),
            activation,
            recurrent_activation,
            reset_after,
            batch.chunks(B, threads),
        )
    h = batch.in_order(h, T)
    if keep != "tape":
        return Tape(x=x, h=h, mask=mask)
    return Tape(x=x, h=h, gates=gates, q=q, z=z if keep_z else None, mask=mask, x_drop=x_drop, h_drop=h_drop)


def backward(
    tape: Tape,
    W,
    U,
    b,
    dh,
    *,
    activation: int,
    recurrent_activation: int,
    reset_after: bool = True,
    given: int = 0,
    input_gradient: bool = True,
) -> Gradients:
    """Backpropagation through time.

    Parameters
    ----------
    tape : Tape
        From :func:`forward`.
    W, U, b
        As in :func:`forward`.
    dh : ndarray, (T + 1, B, H)
        What reaches each state from outside (outputs, final state). Overwritten with the totals.
    given : int
        Where ``dh`` begins to hold something; nothing reaches the states before, whatever stands there.
    input_gradient : bool
        Whether to compute ``dx``.

    Returns
    -------
    Gradients
    """
    x, h, gates, q, h_drop = tape.x, tape.h, tape.gates, tape.q, tape.h_drop
    b_q = b if reset_after else None  # the states have a bias of their own
    dz, dq, dWb, dUb = empty_like(gates), empty_like(q), with_bias(W, b), with_bias(U, b_q)
    dx = empty_like(x) if input_gradient else None
    with lock:
        threads = prepare(x.dtype, backward_rows, backward_batch, work=batch.work(x, U))
        backward_batch(
            pack(U, 3, "U", transposed=True),
            gates,
            gates if tape.z is None else tape.z,
            q,
            h,
            batch.no_mask(tape.mask),
            batch.no_drop(h_drop, x),
            dh,
            dz,
            dq,
            activation,
            recurrent_activation,
            reset_after,
            given,
            batch.chunks(x.shape[1], threads),
        )
        # The state reaches both gates as h_{t-1}; the candidate as h_{t-1} (then dq is its gradient) or as r h_{t-1}.
        drops = {"x_drop": tape.x_drop, "h_drop": h_drop}
        if reset_after:
            d_weights(x, h[:-1], dz, dWb, dUb, threads=threads, d_h=dq, **drops)
        else:
            d_weights(x, h[:-1], dz[:2], dWb, dUb, threads=threads, **drops)
            d_weights(x, q, dz[2:], dWb, dUb, threads=threads, x_drop=tape.x_drop, first_gate=2)
        if input_gradient:
            d_project_inputs(dz, W, dx, tape.x_drop)
    (dW, db), (dU, db_q) = split_bias(dWb, b), split_bias(dUb, b_q)
    if db_q is not None:
        db = np.stack([db, db_q])
    return Gradients(dx=dx, dW=dW, dU=dU, db=db, dh=dh, dz=dz, dq=dq if reset_after else None)
