"""SimpleRNN over a batch of sequences on the CPU. Equations: :mod:`rnn_ref.equations.simple_rnn`.

z   (1, T, B, H)     pre-activations
h   (T + 1, B, H)    h[0] initial state, h[t + 1] state after step t
"""

from __future__ import annotations

import numpy as np
from numba import prange

from rnn_ref.equations import simple_rnn
from rnn_ref.equations.activations import TANH
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
def forward_step(z, h, activation):
    """One time step of one chunk, every array ``(n*H,)``."""
    if activation == TANH:  # a constant code lets the compiler vectorize
        for k in range(h.size):
            h[k] = simple_rnn.forward(z[k], TANH)
    else:
        for k in range(h.size):
            h[k] = simple_rnn.forward(z[k], activation)


@kernel
def backward_step(dh, z, h, dz, activation):
    """One time step of one chunk back, every array ``(n*H,)``."""
    if activation == TANH:
        for k in range(h.size):
            dz[k] = simple_rnn.backward(dh[k], z[k], h[k], TANH)
    else:
        for k in range(h.size):
            dz[k] = simple_rnn.backward(dh[k], z[k], h[k], activation)


@kernel
def forward_rows(U, z, h, activation, first, last):
    """Samples ``first:last`` through all time steps."""
    for t in range(z.shape[1]):
        add_product(h[t, first:last], U[0], z[0, t, first:last])
        forward_step(z[0, t, first:last].reshape(-1), h[t + 1, first:last].reshape(-1), activation)


@kernel
def backward_rows(U, z, h, dh, dz, activation, first, last):
    """Samples ``first:last`` back through all time steps."""
    for t in range(z.shape[1] - 1, -1, -1):
        backward_step(
            dh[t + 1, first:last].reshape(-1),
            z[0, t, first:last].reshape(-1),
            h[t + 1, first:last].reshape(-1),
            dz[0, t, first:last].reshape(-1),
            activation,
        )
        add_product(dz[0, t, first:last], U[0].T, dh[t, first:last])


@kernel(parallel=True)
def forward_batch(U, z, h, activation, borders):
    for k in prange(borders.size - 1):
        forward_rows(U, z, h, activation, borders[k], borders[k + 1])


@kernel(parallel=True)
def backward_batch(U, z, h, dh, dz, activation, borders):
    for k in prange(borders.size - 1):
        backward_rows(U, z, h, dh, dz, activation, borders[k], borders[k + 1])


def forward(x, W, U, b, h0, *, activation: int, keep_z: bool = True) -> Tape:
    """Run a batch of sequences.

    Parameters
    ----------
    x : ndarray, (T, B, F)
    W : ndarray, (F, H)
    U : ndarray, (H, H)
    b : ndarray, (H,) or None
    h0 : ndarray, (B, H)
    activation : int
        Code of the activation, see :mod:`rnn_ref.equations.activations`.
    keep_z : bool
        No choice here: the pre-activations are the only thing kept besides the states.

    Returns
    -------
    Tape
        With ``h`` and ``z``.
    """
    T, B, _ = x.shape
    H = U.shape[0]
    h, z = batch.empty(x, T + 1, B, H), batch.empty(x, 1, T, B, H)
    h[0] = h0
    b = np.zeros(H, x.dtype) if b is None else b
    with serial_blas():
        project(batch.flat(x), W, b, batch.flat(z))
        forward_batch(batch.per_gate(U, 1), z, h, activation, batch.chunks(B))
    return Tape(x=x, h=h, z=z)


def backward(tape: Tape, W, U, b, dh, *, activation: int, input_gradient: bool = True) -> Gradients:
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
    x, h, z = tape.x, tape.h, tape.z
    dz, dW, dU = np.empty_like(z), np.empty_like(W), np.empty_like(U)
    dx = np.empty_like(x) if input_gradient else None
    db = None if b is None else np.empty_like(b)
    with serial_blas():
        backward_batch(batch.per_gate(U, 1), z, h, dh, dz, activation, batch.chunks(x.shape[1]))
        d_project_W(batch.flat(x), batch.flat(dz), dW)
        d_project_W(batch.flat(h[:-1]), batch.flat(dz), dU)
        if b is not None:
            d_project_b(batch.flat(dz), db)
        if input_gradient:
            d_project_x(batch.flat(dz), W, batch.flat(dx))
    return Gradients(dx=dx, dW=dW, dU=dU, db=db, dh=dh, dz=dz)
