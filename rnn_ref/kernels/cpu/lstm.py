"""LSTM over a batch of sequences on the CPU. Equations: :mod:`rnn_ref.equations.lstm`.

gates   (4, T, B, H)     i, f, g, o; they start as pre-activations and are activated in place
h, c    (T + 1, B, H)    [0] initial state, [t + 1] state after step t
"""

from __future__ import annotations

import numpy as np
from numba import prange

from rnn_ref.equations import lstm
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
def forward_step(i, f, g, o, c_prev, c, h, activation, recurrent_activation):
    """One time step of one chunk, every array ``(n*H,)``; ``i, f, g, o`` come in as pre-activations."""
    if activation == TANH and recurrent_activation == SIGMOID:  # constant codes let the compiler vectorize
        for k in range(h.size):
            i[k], f[k], g[k], o[k], c[k], h[k] = lstm.forward(
                i[k], f[k], g[k], o[k], c_prev[k], TANH, SIGMOID
            )
    else:
        for k in range(h.size):
            i[k], f[k], g[k], o[k], c[k], h[k] = lstm.forward(
                i[k], f[k], g[k], o[k], c_prev[k], activation, recurrent_activation
            )


@kernel
def backward_step(
    dh,
    dc,
    z_i,
    z_f,
    z_c,
    z_o,
    i,
    f,
    g,
    o,
    c,
    c_prev,
    dz_i,
    dz_f,
    dz_c,
    dz_o,
    dc_prev,
    activation,
    recurrent_activation,
):
    """One time step of one chunk back, every array ``(n*H,)``."""
    if activation == TANH and recurrent_activation == SIGMOID:
        for k in range(dh.size):
            dz_i[k], dz_f[k], dz_c[k], dz_o[k], dc_prev[k], dc[k] = lstm.backward(
                dh[k], dc[k],
                i[k], f[k], g[k], o[k],  # these two take no pre-activations
                i[k], f[k], g[k], o[k], c[k], c_prev[k],
                TANH, SIGMOID,
            )  # fmt: skip
    else:
        for k in range(dh.size):
            dz_i[k], dz_f[k], dz_c[k], dz_o[k], dc_prev[k], dc[k] = lstm.backward(
                dh[k], dc[k],
                z_i[k], z_f[k], z_c[k], z_o[k],
                i[k], f[k], g[k], o[k], c[k], c_prev[k],
                activation, recurrent_activation,
            )  # fmt: skip


@kernel
def forward_rows(U, gates, z, h, c, activation, recurrent_activation, first, last):
    """Samples ``first:last`` through all time steps."""
    for t in range(gates.shape[1]):
        for g in range(4):
            add_product(h[t, first:last], U[g], gates[g, t, first:last])
        if z.size > 0:
            z[:, t, first:last] = gates[:, t, first:last]
        forward_step(
            gates[0, t, first:last].reshape(-1),
            gates[1, t, first:last].reshape(-1),
            gates[2, t, first:last].reshape(-1),
            gates[3, t, first:last].reshape(-1),
            c[t, first:last].reshape(-1),
            c[t + 1, first:last].reshape(-1),
            h[t + 1, first:last].reshape(-1),
            activation,
            recurrent_activation,
        )


@kernel
def backward_rows(U, gates, z, c, dh, dc, dz, activation, recurrent_activation, first, last):
    """Samples ``first:last`` back through all time steps."""
    for t in range(gates.shape[1] - 1, -1, -1):
        backward_step(
            dh[t + 1, first:last].reshape(-1),
            dc[t + 1, first:last].reshape(-1),
            z[0, t, first:last].reshape(-1),
            z[1, t, first:last].reshape(-1),
            z[2, t, first:last].reshape(-1),
            z[3, t, first:last].reshape(-1),
            gates[0, t, first:last].reshape(-1),
            gates[1, t, first:last].reshape(-1),
            gates[2, t, first:last].reshape(-1),
            gates[3, t, first:last].reshape(-1),
            c[t + 1, first:last].reshape(-1),
            c[t, first:last].reshape(-1),
            dz[0, t, first:last].reshape(-1),
            dz[1, t, first:last].reshape(-1),
            dz[2, t, first:last].reshape(-1),
            dz[3, t, first:last].reshape(-1),
            dc[t, first:last].reshape(-1),
            activation,
            recurrent_activation,
        )
        for g in range(4):
            add_product(dz[g, t, first:last], U[g].T, dh[t, first:last])


@kernel(parallel=True)
def forward_batch(U, gates, z, h, c, activation, recurrent_activation, borders):
    for k in prange(borders.size - 1):
        forward_rows(U, gates, z, h, c, activation, recurrent_activation, borders[k], borders[k + 1])


@kernel(parallel=True)
def backward_batch(U, gates, z, c, dh, dc, dz, activation, recurrent_activation, borders):
    for k in prange(borders.size - 1):
        backward_rows(
            U, gates, z, c, dh, dc, dz, activation, recurrent_activation, borders[k], borders[k + 1]
        )


def forward(x, W, U, b, h0, c0, *, activation: int, recurrent_activation: int, keep_z: bool = False) -> Tape:
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
    keep_z : bool
        Keep the pre-activations even if the backward pass can do without them.

    Returns
    -------
    Tape
        With ``h``, ``c``, ``gates``, and ``z`` where kept.
    """
    T, B, _ = x.shape
    H = U.shape[0]
    h, c = batch.empty(x, T + 1, B, H), batch.empty(x, T + 1, B, H)
    gates = batch.empty(x, 4, T, B, H)
    keep_z = keep_z or not NEEDS_Z.isdisjoint((activation, recurrent_activation))
    z = batch.empty(x, 4, T if keep_z else 0, B, H)
    h[0], c[0] = h0, c0
    b = np.zeros(4 * H, x.dtype) if b is None else b
    with serial_blas():
        project(batch.flat(x), W, b, batch.flat(gates))
        forward_batch(batch.per_gate(U, 4), gates, z, h, c, activation, recurrent_activation, batch.chunks(B))
    return Tape(x=x, h=h, c=c, gates=gates, z=z if keep_z else None)


def backward(
    tape: Tape, W, U, b, dh, dc_T, *, activation: int, recurrent_activation: int, input_gradient: bool = True
) -> Gradients:
    """Backpropagation through time.

    Parameters
    ----------
    tape : Tape
        From :func:`forward`.
    W, U, b
        As in :func:`forward`.
    dh : ndarray, (T + 1, B, H)
        What reaches each hidden state from outside (outputs, final state). Overwritten with the totals.
    dc_T : ndarray, (B, H)
        What reaches the final cell state from outside.
    input_gradient : bool
        Whether to compute ``dx``.

    Returns
    -------
    Gradients
    """
    x, h, c, gates = tape.x, tape.h, tape.c, tape.gates
    z = gates if tape.z is None else tape.z
    dc = np.empty_like(c)
    dc[-1] = dc_T
    dz, dW, dU = np.empty_like(gates), np.empty_like(W), np.empty_like(U)
    dx = np.empty_like(x) if input_gradient else None
    db = None if b is None else np.empty_like(b)
    with serial_blas():
        borders = batch.chunks(x.shape[1])
        backward_batch(
            batch.per_gate(U, 4), gates, z, c, dh, dc, dz, activation, recurrent_activation, borders
        )
        d_project_W(batch.flat(x), batch.flat(dz), dW)
        d_project_W(batch.flat(h[:-1]), batch.flat(dz), dU)
        if b is not None:
            d_project_b(batch.flat(dz), db)
        if input_gradient:
            d_project_x(batch.flat(dz), W, batch.flat(dx))
    return Gradients(dx=dx, dW=dW, dU=dU, db=db, dh=dh, dc=dc, dz=dz)
