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
from rnn_ref.jit import kernel
from rnn_ref.kernels.cpu import batch
from rnn_ref.kernels.cpu.products import (
    add_product,
    d_project_b,
    d_project_W,
    d_project_x,
    project,
    serial_blas,
)
from rnn_ref.kernels.tape import Gradients, Tape


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


@kernel
def forward_rows(U, gates, z, q, h, activation, recurrent_activation, reset_after, first, last):
    """Samples ``first:last`` through all time steps."""
    for t in range(gates.shape[1]):
        h_prev = h[t, first:last]
        for g in range(2):
            add_product(h_prev, U[g], gates[g, t, first:last])
        if z.size > 0:
            z[:2, t, first:last] = gates[:2, t, first:last]
        r, z_h = gates[1, t, first:last], gates[2, t, first:last]
        if reset_after:
            add_product(h_prev, U[2], q[t, first:last])
            reset_projection(
                r.reshape(-1), z_h.reshape(-1), q[t, first:last].reshape(-1), recurrent_activation
            )
        else:
            reset_state(r.reshape(-1), h_prev.reshape(-1), q[t, first:last].reshape(-1), recurrent_activation)
            add_product(q[t, first:last], U[2], z_h)
        if z.size > 0:
            z[2, t, first:last] = gates[2, t, first:last]
        update(
            gates[0, t, first:last].reshape(-1),
            z_h.reshape(-1),
            h_prev.reshape(-1),
            h[t + 1, first:last].reshape(-1),
            activation,
            recurrent_activation,
        )


@kernel
def backward_rows(U, gates, z, q, h, dh, dz, dq, activation, recurrent_activation, reset_after, first, last):
    """Samples ``first:last`` back through all time steps."""
    for t in range(gates.shape[1] - 1, -1, -1):
        h_prev, dh_prev = h[t, first:last], dh[t, first:last]
        r, z_r = gates[1, t, first:last].reshape(-1), z[1, t, first:last].reshape(-1)
        d_update(
            dh[t + 1, first:last].reshape(-1),
            z[0, t, first:last].reshape(-1),
            z[2, t, first:last].reshape(-1),
            gates[0, t, first:last].reshape(-1),
            gates[2, t, first:last].reshape(-1),
            h_prev.reshape(-1),
            dz[0, t, first:last].reshape(-1),
            dz[2, t, first:last].reshape(-1),
            dh_prev.reshape(-1),
            activation,
            recurrent_activation,
        )
        if reset_after:
            d_reset_projection(
                dz[2, t, first:last].reshape(-1),
                z_r,
                r,
                q[t, first:last].reshape(-1),
                dz[1, t, first:last].reshape(-1),
                dq[t, first:last].reshape(-1),
                recurrent_activation,
            )
            add_product(dq[t, first:last], U[2].T, dh_prev)
        else:
            drh = dq[t, first:last]
            drh[:] = 0
            add_product(dz[2, t, first:last], U[2].T, drh)
            d_reset_state(
                drh.reshape(-1),
                z_r,
                r,
                h_prev.reshape(-1),
                dz[1, t, first:last].reshape(-1),
                dh_prev.reshape(-1),
                recurrent_activation,
            )
        for g in range(2):
            add_product(dz[g, t, first:last], U[g].T, dh_prev)


@kernel(parallel=True)
def forward_batch(U, gates, z, q, h, activation, recurrent_activation, reset_after, borders):
    for k in prange(borders.size - 1):
        forward_rows(
            U, gates, z, q, h, activation, recurrent_activation, reset_after, borders[k], borders[k + 1]
        )


@kernel(parallel=True)
def backward_batch(U, gates, z, q, h, dh, dz, dq, activation, recurrent_activation, reset_after, borders):
    for k in prange(borders.size - 1):
        first, last = borders[k], borders[k + 1]
        backward_rows(
            U, gates, z, q, h, dh, dz, dq, activation, recurrent_activation, reset_after, first, last
        )


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
    keep_z : bool
        Keep the pre-activations even if the backward pass can do without them.

    Returns
    -------
    Tape
        With ``h``, ``gates``, ``q``, and ``z`` where kept.
    """
    T, B, _ = x.shape
    H = U.shape[0]
    h, q, gates = batch.empty(x, T + 1, B, H), batch.empty(x, T, B, H), batch.empty(x, 3, T, B, H)
    keep_z = keep_z or not NEEDS_Z.isdisjoint((activation, recurrent_activation))
    z = batch.empty(x, 3, T if keep_z else 0, B, H)
    h[0] = h0
    b = np.zeros((2, 3 * H) if reset_after else 3 * H, x.dtype) if b is None else b
    if reset_after:
        # Only the candidate tells its two biases apart: its recurrent one is added inside the reset gate.
        q[:] = b[1, 2 * H :]
        b = np.concatenate((b[0, : 2 * H] + b[1, : 2 * H], b[0, 2 * H :]))
    with serial_blas():
        project(batch.flat(x), W, b, batch.flat(gates))
        U = batch.per_gate(U, 3)
        forward_batch(U, gates, z, q, h, activation, recurrent_activation, reset_after, batch.chunks(B))
    return Tape(x=x, h=h, gates=gates, q=q, z=z if keep_z else None)


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
    input_gradient : bool
        Whether to compute ``dx``.

    Returns
    -------
    Gradients
    """
    x, h, gates, q = tape.x, tape.h, tape.gates, tape.q
    H = U.shape[0]
    z = gates if tape.z is None else tape.z
    dz, dq, dW, dU = np.empty_like(gates), np.empty_like(q), np.empty_like(W), np.empty_like(U)
    dx = np.empty_like(x) if input_gradient else None
    db = None if b is None else np.empty_like(b)
    # The state reaches the gates through h_{t-1}; the candidate through h_{t-1} (then dq) or r h_{t-1}.
    candidate_input, d_candidate = (h[:-1], dq) if reset_after else (q, dz[2])
    with serial_blas():
        borders = batch.chunks(x.shape[1])
        backward_batch(
            batch.per_gate(U, 3),
            gates,
            z,
            q,
            h,
            dh,
            dz,
            dq,
            activation,
            recurrent_activation,
            reset_after,
            borders,
        )
        d_project_W(batch.flat(x), batch.flat(dz), dW)
        d_project_W(batch.flat(h[:-1]), batch.flat(dz[:2]), dU[:, : 2 * H])
        d_project_W(batch.flat(candidate_input), batch.flat(d_candidate[None]), dU[:, 2 * H :])
        if b is not None:
            d_project_b(batch.flat(dz), db[0] if reset_after else db)
            if reset_after:
                db[1, : 2 * H] = db[0, : 2 * H]
                d_project_b(batch.flat(dq[None]), db[1, 2 * H :])
        if input_gradient:
            d_project_x(batch.flat(dz), W, batch.flat(dx))
    return Gradients(dx=dx, dW=dW, dU=dU, db=db, dh=dh, dz=dz, dq=dq if reset_after else None)
