"""SimpleRNN over a batch of sequences on the CPU. Equations: :mod:`rnn_ref.equations.simple_rnn`.

z   (1, T, B, H)     pre-activations
h   (T + 1, B, H)    h[0] initial state, h[t + 1] state after step t
"""

from __future__ import annotations

import numpy as np
from numba import prange

from rnn_ref.equations import simple_rnn
from rnn_ref.equations.activations import TANH
from rnn_ref.jit import (
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
from rnn_ref.kernels.cpu.products import clear, pack
from rnn_ref.kernels.cpu.recurrence import d_recurrent, recurrent
from rnn_ref.kernels.cpu.sequence import d_project_inputs, project_steps
from rnn_ref.kernels.cpu.threads import lock, prepare
from rnn_ref.kernels.cpu.weights import d_weights, split_bias, with_bias
from rnn_ref.kernels.tape import Gradients, Tape
from rnn_ref.memory import empty_like


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


@library
def forward_rows(
    x: GIVEN3, W: R4, b: R1, U: R4, z: R4, h: R3, mask: MASK, x_drop: READ3, h_drop: READ3, dropped: R3,
    scratch: R2, activation: INTEGER, first: INTEGER, last: INTEGER,
):  # fmt: skip
    """Samples ``first:last`` through all time steps.

    ``dropped`` (STEPS, n, F) and ``scratch`` (n, H) are room for dropped inputs and states.
    """
    H = h.shape[2]
    here = slice(first * H, last * H)  # in one time step of the chunk's numbers
    h_flat, z_flat = h.reshape(h.shape[0], -1), z[0].reshape(z.shape[1], -1)
    for t in range(x.shape[0]):
        if t % batch.STEPS == 0:
            project_steps(x, W, b, x_drop, dropped, t, z, first, last)
        s, before, after = t % z.shape[1], t % h.shape[0], (t + 1) % h.shape[0]
        h_prev, h_t, z_t = h[before, first:last], h[after, first:last], z[0, s, first:last]
        recurrent(h_prev, U, 0, h_drop, first, last, scratch, z_t, z_t)
        forward_step(z_flat[s, here], h_flat[after, here], activation)
        if mask.size > 0:
            hold(mask[t, first:last], h_prev, h_t)


@library
def backward_rows(
    U: R4, z: R4, h: R3, mask: MASK, drop: READ3, dh: R3, dz: R4, activation: INTEGER, given: INTEGER,
    scratch: R3, first: INTEGER, last: INTEGER,
):  # fmt: skip
    """Samples ``first:last`` back through all time steps.

    ``scratch`` (2, n, H) is room for dropped states and for what masks keep.
    """
    T, H = z.shape[1], h.shape[2]
    here = slice(first * H, last * H)
    dh_flat, h_flat = dh.reshape(T + 1, -1), h.reshape(T + 1, -1)
    z_flat, dz_flat = z[0].reshape(T, -1), dz[0].reshape(T, -1)
    dropped, kept = scratch[0], scratch[1]
    for t in range(T - 1, -1, -1):
        if t < given:
            clear(dh[t, first:last])
        if mask.size > 0:
            take_out(mask, t, dh, kept, first, last)
        backward_step(dh_flat[t + 1, here], z_flat[t, here], h_flat[t + 1, here], dz_flat[t, here], activation)
        d_recurrent(dz[0, t, first:last], U, 0, drop, first, last, dropped, dh[t, first:last])
        if mask.size > 0:
            pass_on(mask, t, dh, kept, first, last)


@kernel(parallel=True)
def forward_batch(
    x: GIVEN3, W: R4, b: R1, U: R4, z: R4, h: R3, mask: MASK, x_drop: READ3, h_drop: READ3, activation: INTEGER,
    borders: INTEGERS,
):  # fmt: skip
    for k in prange(borders.size - 1):
        before = flush_denormals()
        n, H = borders[k + 1] - borders[k], h.shape[2]
        dropped, scratch = np.empty((batch.STEPS, n, x.shape[2]), h.dtype), np.empty((n, H), h.dtype)
        forward_rows(x, W, b, U, z, h, mask, x_drop, h_drop, dropped, scratch, activation, borders[k], borders[k + 1])
        restore_denormals(before)


@kernel(parallel=True)
def backward_batch(
    U: R4, z: R4, h: R3, mask: MASK, drop: READ3, dh: R3, dz: R4, activation: INTEGER, given: INTEGER,
    borders: INTEGERS,
):  # fmt: skip
    for k in prange(borders.size - 1):
        before = flush_denormals()
        scratch = np.empty((2, borders[k + 1] - borders[k], h.shape[2]), h.dtype)
        backward_rows(U, z, h, mask, drop, dh, dz, activation, given, scratch, borders[k], borders[k + 1])
        restore_denormals(before)


def forward(
    x,
    W,
    U,
    b,
    h0,
    *,
    activation: int,
    mask=None,
    x_drop=None,
    h_drop=None,
    keep: str = "tape",
    keep_z: bool = True,
) -> Tape:
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
    keep : {"tape", "outputs", "last"}
        Everything that :func:`backward` needs; or only the hidden states; or only the final state.
    keep_z : bool
        No choice here: the pre-activations are the only thing kept besides the states.

    Returns
    -------
    Tape
        With ``h`` and ``z``; ``h`` without steps that were not kept.
    """
    T, B, _ = x.shape
    H = U.shape[0]
    slots = batch.slots(T, keep)
    h, z = batch.empty(x, slots.outputs, B, H), batch.kept("z", x, keep, 1, slots.steps, B, H)
    h[0] = h0
    b = np.zeros(H, x.dtype) if b is None else b
    with lock:
        threads = prepare(x.dtype, forward_rows, forward_batch, work=batch.work(x, U))
        forward_batch(
            x,
            pack(W, 1, "W"),
            b,
            pack(U, 1, "U"),
            z,
            h,
            batch.no_mask(mask),
            batch.no_drop(x_drop, x),
            batch.no_drop(h_drop, x),
            activation,
            batch.chunks(B, threads),
        )
    h = batch.in_order(h, T)
    if keep != "tape":
        return Tape(x=x, h=h, mask=mask)
    return Tape(x=x, h=h, z=z, mask=mask, x_drop=x_drop, h_drop=h_drop)


def backward(tape: Tape, W, U, b, dh, *, activation: int, given: int = 0, input_gradient: bool = True) -> Gradients:
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
    x, h, z = tape.x, tape.h, tape.z
    dz, dWb, dU = empty_like(z), with_bias(W, b), with_bias(U, None)
    dx = empty_like(x) if input_gradient else None
    with lock:
        threads = prepare(x.dtype, backward_rows, backward_batch, work=batch.work(x, U))
        backward_batch(
            pack(U, 1, "U", transposed=True),
            z,
            h,
            batch.no_mask(tape.mask),
            batch.no_drop(tape.h_drop, x),
            dh,
            dz,
            activation,
            given,
            batch.chunks(x.shape[1], threads),
        )
        d_weights(x, h[:-1], dz, dWb, dU, threads=threads, x_drop=tape.x_drop, h_drop=tape.h_drop)
        if input_gradient:
            d_project_inputs(dz, W, dx, tape.x_drop)
    dW, db = split_bias(dWb, b)
    return Gradients(dx=dx, dW=dW, dU=dU, db=db, dh=dh, dz=dz)
