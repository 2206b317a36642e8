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
from rnn_ref.kernels.cpu.masking import hold, pass_on, take_out
from rnn_ref.kernels.cpu.products import serial_blas
from rnn_ref.kernels.cpu.recurrence import add_recurrent, d_add_recurrent
from rnn_ref.kernels.cpu.sequence import d_bias, d_project_inputs, d_weights, project_inputs
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
def forward_rows(U, z, h, mask, drop, activation, first, last):
    """Samples ``first:last`` through all time steps."""
    scratch = np.empty((last - first, h.shape[2]), h.dtype)
    for t in range(z.shape[1]):
        add_recurrent(h[t, first:last], U, 0, drop[:, first:last], scratch, z[0, t, first:last])
        forward_step(z[0, t, first:last].reshape(-1), h[t + 1, first:last].reshape(-1), activation)
        if mask.size > 0:
            hold(mask, t, h, first, last)


@kernel
def backward_rows(U, z, h, mask, drop, dh, dz, activation, first, last):
    """Samples ``first:last`` back through all time steps."""
    scratch = np.empty((last - first, h.shape[2]), h.dtype)
    kept = np.empty((last - first, h.shape[2]), h.dtype)
    for t in range(z.shape[1] - 1, -1, -1):
        if mask.size > 0:
            take_out(mask, t, dh, kept, first, last)
        backward_step(
            dh[t + 1, first:last].reshape(-1),
            z[0, t, first:last].reshape(-1),
            h[t + 1, first:last].reshape(-1),
            dz[0, t, first:last].reshape(-1),
            activation,
        )
        d_add_recurrent(dz[0, t, first:last], U, 0, drop[:, first:last], scratch, dh[t, first:last])
        if mask.size > 0:
            pass_on(mask, t, dh, kept, first, last)


@kernel(parallel=True)
def forward_batch(U, z, h, mask, drop, activation, borders):
    for k in prange(borders.size - 1):
        forward_rows(U, z, h, mask, drop, activation, borders[k], borders[k + 1])


@kernel(parallel=True)
def backward_batch(U, z, h, mask, drop, dh, dz, activation, borders):
    for k in prange(borders.size - 1):
        backward_rows(U, z, h, mask, drop, dh, dz, activation, borders[k], borders[k + 1])


def forward(x, W, U, b, h0, *, activation: int, mask=None, x_drop=None, h_drop=None, keep_z: bool = True) -> Tape:
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
    mask : ndarray of bool, (T, B), optional
        False where a step is to be skipped.
    x_drop, h_drop : ndarray, (1, B, F) and (1, B, H), optional
        Dropout of inputs and states, with the factor that keeps their mean.
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
        project_inputs(x, W, b, z, x_drop)
        forward_batch(
            batch.per_gate(U, 1), z, h, batch.no_mask(mask), batch.no_drop(h_drop, x), activation, batch.chunks(B)
        )
    return Tape(x=x, h=h, z=z, mask=mask, x_drop=x_drop, h_drop=h_drop)


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
    mask, drop = batch.no_mask(tape.mask), batch.no_drop(tape.h_drop, x)
    with serial_blas():
        backward_batch(batch.per_gate(U, 1), z, h, mask, drop, dh, dz, activation, batch.chunks(x.shape[1]))
        d_weights(x, dz, dW, tape.x_drop)
        d_weights(h[:-1], dz, dU, tape.h_drop)
        if b is not None:
            d_bias(dz, db)
        if input_gradient:
            d_project_inputs(dz, W, dx, tape.x_drop)
    return Gradients(dx=dx, dW=dW, dU=dU, db=db, dh=dh, dz=dz)
