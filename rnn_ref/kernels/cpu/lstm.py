"""LSTM over a batch of sequences on the CPU. Equations: :mod:`rnn_ref.equations.lstm`.

gates   (4, T, B, H)     i, f, g, o; they start as pre-activations and are activated in place
h, c    (T + 1, B, H)    [0] initial state, [t + 1] state after step t
"""

from __future__ import annotations

import numpy as np
from numba import prange

from rnn_ref.equations import lstm
from rnn_ref.equations.activations import NEEDS_Z, SIGMOID, TANH
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
from rnn_ref.kernels.cpu.products import clear, copy_rows, pack
from rnn_ref.kernels.cpu.recurrence import d_recurrent, recurrent
from rnn_ref.kernels.cpu.sequence import d_project_inputs, project_steps
from rnn_ref.kernels.cpu.threads import lock, prepare
from rnn_ref.kernels.cpu.weights import d_weights, split_bias, with_bias
from rnn_ref.kernels.tape import Gradients, Tape
from rnn_ref.memory import empty_like


@kernel
def forward_step(i, f, g, o, c_prev, c, h, activation, recurrent_activation):
    """One time step of one chunk, every array ``(n*H,)``; ``i, f, g, o`` come in as pre-activations."""
    if activation == TANH and recurrent_activation == SIGMOID:  # constant codes let the compiler vectorize
        for k in range(h.size):
            i[k], f[k], g[k], o[k], c[k], h[k] = lstm.forward(i[k], f[k], g[k], o[k], c_prev[k], TANH, SIGMOID)
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


@library
def forward_rows(
    x: GIVEN3, W: R4, b: R1, U: R4, gates: R4, z: R4, h: R3, c: R3, mask: MASK, x_drop: READ3, h_drop: READ3,
    dropped: R3, scratch: R2, activation: INTEGER, recurrent_activation: INTEGER, first: INTEGER, last: INTEGER,
):  # fmt: skip
    """Samples ``first:last`` through all time steps.

    ``dropped`` (STEPS, n, F) and ``scratch`` (n, H) are room for dropped inputs and states.
    """
    H = h.shape[2]
    here = slice(first * H, last * H)  # in one time step of the chunk's numbers
    gates_flat = gates.reshape(4, gates.shape[1], -1)
    h_flat, c_flat = h.reshape(h.shape[0], -1), c.reshape(c.shape[0], -1)
    for t in range(x.shape[0]):
        if t % batch.STEPS == 0:
            project_steps(x, W, b, x_drop, dropped, t, gates, first, last)
        s = t % gates.shape[1]
        h_before, h_after = t % h.shape[0], (t + 1) % h.shape[0]
        c_before, c_after = t % c.shape[0], (t + 1) % c.shape[0]
        h_prev = h[h_before, first:last]
        for g in range(4):
            z_g = gates[g, s, first:last]
            recurrent(h_prev, U, g, h_drop, first, last, scratch, z_g, z_g)
        if z.size > 0:
            for g in range(4):
                copy_rows(gates[g, s, first:last], z[g, t, first:last])
        forward_step(
            gates_flat[0, s, here],
            gates_flat[1, s, here],
            gates_flat[2, s, here],
            gates_flat[3, s, here],
            c_flat[c_before, here],
            c_flat[c_after, here],
            h_flat[h_after, here],
            activation,
            recurrent_activation,
        )
        if mask.size > 0:
            hold(mask[t, first:last], h_prev, h[h_after, first:last])
            hold(mask[t, first:last], c[c_before, first:last], c[c_after, first:last])


@library
def backward_rows(
    U: R4, gates: R4, z: R4, c: R3, mask: MASK, drop: READ3, dh: R3, dc: R3, dz: R4, activation: INTEGER,
    recurrent_activation: INTEGER, given: INTEGER, scratch: R3, first: INTEGER, last: INTEGER,
):  # fmt: skip
    """Samples ``first:last`` back through all time steps.

    ``scratch`` (3, n, H) is room for dropped states and for what masks keep of both states.
    """
    T, H = gates.shape[1], c.shape[2]
    here = slice(first * H, last * H)
    gates_flat, z_flat, dz_flat = gates.reshape(4, T, -1), z.reshape(4, T, -1), dz.reshape(4, T, -1)
    c_flat, dh_flat, dc_flat = c.reshape(T + 1, -1), dh.reshape(T + 1, -1), dc.reshape(T + 1, -1)
    dropped, kept_h, kept_c = scratch[0], scratch[1], scratch[2]
    for t in range(T - 1, -1, -1):
        if t < given:
            clear(dh[t, first:last])
        if mask.size > 0:
            take_out(mask, t, dh, kept_h, first, last)
            take_out(mask, t, dc, kept_c, first, last)
        backward_step(
            dh_flat[t + 1, here],
            dc_flat[t + 1, here],
            z_flat[0, t, here],
            z_flat[1, t, here],
            z_flat[2, t, here],
            z_flat[3, t, here],
            gates_flat[0, t, here],
            gates_flat[1, t, here],
            gates_flat[2, t, here],
            gates_flat[3, t, here],
            c_flat[t + 1, here],
            c_flat[t, here],
            dz_flat[0, t, here],
            dz_flat[1, t, here],
            dz_flat[2, t, here],
            dz_flat[3, t, here],
            dc_flat[t, here],
            activation,
            recurrent_activation,
        )
        for g in range(4):
            d_recurrent(dz[g, t, first:last], U, g, drop, first, last, dropped, dh[t, first:last])
        if mask.size > 0:
            pass_on(mask, t, dh, kept_h, first, last)
            pass_on(mask, t, dc, kept_c, first, last)


@kernel(parallel=True)
def forward_batch(
    x: GIVEN3, W: R4, b: R1, U: R4, gates: R4, z: R4, h: R3, c: R3, mask: MASK, x_drop: READ3, h_drop: READ3,
    activation: INTEGER, recurrent_activation: INTEGER, borders: INTEGERS,
):  # fmt: skip
    for k in prange(borders.size - 1):
        before = flush_denormals()
        n, H = borders[k + 1] - borders[k], h.shape[2]
        dropped, scratch = np.empty((batch.STEPS, n, x.shape[2]), h.dtype), np.empty((n, H), h.dtype)
        forward_rows(
            x, W, b, U, gates, z, h, c, mask, x_drop, h_drop,
            dropped, scratch, activation, recurrent_activation, borders[k], borders[k + 1],
        )  # fmt: skip
        restore_denormals(before)


@kernel(parallel=True)
def backward_batch(
    U: R4, gates: R4, z: R4, c: R3, mask: MASK, drop: READ3, dh: R3, dc: R3, dz: R4, activation: INTEGER,
    recurrent_activation: INTEGER, given: INTEGER, borders: INTEGERS,
):  # fmt: skip
    for k in prange(borders.size - 1):
        before = flush_denormals()
        scratch = np.empty((3, borders[k + 1] - borders[k], c.shape[2]), c.dtype)
        backward_rows(
            U, gates, z, c, mask, drop, dh, dc, dz,
            activation, recurrent_activation, given, scratch, borders[k], borders[k + 1],
        )  # fmt: skip
        restore_denormals(before)


def forward(
    x,
    W,
    U,
    b,
    h0,
    c0,
    *,
    activation: int,
    recurrent_activation: int,
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
    T, B, _ = x.shape
    H = U.shape[0]
    slots = batch.slots(T, keep)
    h, c = batch.empty(x, slots.outputs, B, H), batch.empty(x, slots.states, B, H)
    gates = batch.kept("gates", x, keep, 4, slots.steps, B, H)
    keep_z = keep == "tape" and (keep_z or not NEEDS_Z.isdisjoint((activation, recurrent_activation)))
    z = batch.empty(x, 4, T if keep_z else 0, B, H)
    h[0], c[0] = h0, c0
    b = np.zeros(4 * H, x.dtype) if b is None else b
    with lock:
        threads = prepare(x.dtype, forward_rows, forward_batch, work=batch.work(x, U))
        forward_batch(
            x,
            pack(W, 4, "W"),
            b,
            pack(U, 4, "U"),
            gates,
            z,
            h,
            c,
            batch.no_mask(mask),
            batch.no_drop(x_drop, x),
            batch.no_drop(h_drop, x),
            activation,
            recurrent_activation,
            batch.chunks(B, threads),
        )
    h, c = batch.in_order(h, T), batch.in_order(c, T)
    if keep != "tape":
        return Tape(x=x, h=h, c=c, mask=mask)
    return Tape(x=x, h=h, c=c, gates=gates, z=z if keep_z else None, mask=mask, x_drop=x_drop, h_drop=h_drop)


def backward(
    tape: Tape,
    W,
    U,
    b,
    dh,
    dc_T,
    *,
    activation: int,
    recurrent_activation: int,
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
        What reaches each hidden state from outside (outputs, final state). Overwritten with the totals.
    given : int
        Where ``dh`` begins to hold something; nothing reaches the states before, whatever stands there.
    dc_T : ndarray, (B, H), or 0
        What reaches the final cell state from outside.
    input_gradient : bool
        Whether to compute ``dx``.

    Returns
    -------
    Gradients
    """
    x, h, c, gates = tape.x, tape.h, tape.c, tape.gates
    dc = empty_like(c)
    dc[-1] = dc_T
    dz, dWb, dU = empty_like(gates), with_bias(W, b), with_bias(U, None)
    dx = empty_like(x) if input_gradient else None
    with lock:
        threads = prepare(x.dtype, backward_rows, backward_batch, work=batch.work(x, U))
        backward_batch(
            pack(U, 4, "U", transposed=True),
            gates,
            gates if tape.z is None else tape.z,
            c,
            batch.no_mask(tape.mask),
            batch.no_drop(tape.h_drop, x),
            dh,
            dc,
            dz,
            activation,
            recurrent_activation,
            given,
            batch.chunks(x.shape[1], threads),
        )
        d_weights(x, h[:-1], dz, dWb, dU, threads=threads, x_drop=tape.x_drop, h_drop=tape.h_drop)
        if input_gradient:
            d_project_inputs(dz, W, dx, tape.x_drop)
    dW, db = split_bias(dWb, b)
    return Gradients(dx=dx, dW=dW, dU=dU, db=db, dh=dh, dc=dc, dz=dz)
