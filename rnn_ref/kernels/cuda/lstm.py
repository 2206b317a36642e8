"""LSTM over a batch of sequences on a GPU. Equations: :mod:`rnn_ref.equations.lstm`.

gates   (4, T, B, H)     i, f, g, o; they start as ``x_t W + b`` and end as gates
h, c    (T + 1, B, H)    [0] initial state, [t + 1] state after step t
"""

from __future__ import annotations

from numba import cuda

from rnn_ref.device import array_module
from rnn_ref.equations import lstm
from rnn_ref.equations.activations import NEEDS_Z
from rnn_ref.kernels.cuda.choice import choose
from rnn_ref.kernels.cuda.persistent import lstm as persistent_lstm
from rnn_ref.kernels.cuda.persistent import run
from rnn_ref.kernels.cuda.recurrence import d_recurrent, one_each, recurrent
from rnn_ref.kernels.cuda.sequence import (
    d_bias,
    d_project_inputs,
    d_weights,
    no_drop,
    no_mask,
    parts,
    project_inputs,
    states,
    window,
)
from rnn_ref.kernels.tape import Gradients, Tape


@cuda.jit
def forward_step(t, U, gates, z, h, c, mask, drop, activation, recurrent_activation):
    """One time step: every thread computes unit ``k`` of sample ``n``.

    z_i, z_f, z_c, z_o = (x_t W + b) + h_{t-1} U    gates (4, T, B, H), which hold the bracket; U (H, 4*H)
    c_t = f c_{t-1} + i g                           h, c (T + 1, B, H); where mask (T, B) is False they stay
    h_t = o activation(c_t)
    """
    k, n = cuda.grid(2)
    if n < h.shape[1] and k < h.shape[2]:
        z_i = gates[0, t, n, k] + recurrent(h, U, 0, drop, t, n, k)
        z_f = gates[1, t, n, k] + recurrent(h, U, 1, drop, t, n, k)
        z_c = gates[2, t, n, k] + recurrent(h, U, 2, drop, t, n, k)
        z_o = gates[3, t, n, k] + recurrent(h, U, 3, drop, t, n, k)
        i, f, g, o, c_t, h_t = lstm.forward(z_i, z_f, z_c, z_o, c[t, n, k], activation, recurrent_activation)
        if z.size > 0:
            z[0, t, n, k], z[1, t, n, k], z[2, t, n, k], z[3, t, n, k] = z_i, z_f, z_c, z_o
        gates[0, t, n, k], gates[1, t, n, k], gates[2, t, n, k], gates[3, t, n, k] = i, f, g, o
        counts = mask.size == 0 or mask[t, n]
        c[t + 1, n, k] = c_t if counts else c[t, n, k]
        h[t + 1, n, k] = h_t if counts else h[t, n, k]


@cuda.jit
def backward_step(t, gates, z, c, mask, dh, dc, dz, activation, recurrent_activation):
    """One time step back, but for the recurrent product; a masked step passes on what came.

    dc_t += dh_t o activation'(c_t)         dh, dc (T + 1, B, H)
    dc_{t-1} = dc_t f
    dz_g = dg activation'(z_g)              dz (4, T, B, H), for each gate g
    """
    k, n = cuda.grid(2)
    if n < dh.shape[1] and k < dh.shape[2]:
        if mask.size == 0 or mask[t, n]:
            dz_i, dz_f, dz_c, dz_o, dc_prev, dc_t = lstm.backward(
                dh[t + 1, n, k], dc[t + 1, n, k],
                z[0, t, n, k], z[1, t, n, k], z[2, t, n, k], z[3, t, n, k],
                gates[0, t, n, k], gates[1, t, n, k], gates[2, t, n, k], gates[3, t, n, k],
                c[t + 1, n, k], c[t, n, k],
                activation, recurrent_activation,
            )  # fmt: skip
            dz[0, t, n, k], dz[1, t, n, k], dz[2, t, n, k], dz[3, t, n, k] = dz_i, dz_f, dz_c, dz_o
            dc[t + 1, n, k], dc[t, n, k] = dc_t, dc_prev
        else:
            for g in range(4):
                dz[g, t, n, k] = 0
            dc[t, n, k] = dc[t + 1, n, k]
            dh[t, n, k] += dh[t + 1, n, k]


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
    """Run a batch of sequences; arguments and result are those of :func:`rnn_ref.kernels.cpu.lstm.forward`."""
    (T, B, _), H = x.shape, len(U)
    codes = activation, recurrent_activation
    keep_z = keep == "tape" and (keep_z or not NEEDS_Z.isdisjoint(codes))
    z = array_module(x).empty((4, T if keep_z else 0, B, H), x.dtype)
    h, c = states(T, "tape" if keep == "outputs" else keep, x, B, H), states(T, keep, x, B, H)
    h[0], c[0] = h0, c0
    drop = no_drop(h_drop, x)
    choice = choose(B=B, H=H, G=4, dtype=x.dtype, recurrent_dropout=drop.size > 0)
    threads = one_each(h)
    for first, last in parts(T, keep):
        gates = project_inputs(x[first:last], W, b, 4, x_drop)
        h_part, c_part = window(h, first, last, T), window(c, first, last, T)
        mask_part = no_mask(None if mask is None else mask[first:last], x)
        if choice.name == "persistent":
            run.forward(
                persistent_lstm, choice.forward, U, gates, h_part, mask_part, codes, z=z if keep_z else None, s=c_part
            )
        else:
            for t in range(last - first):
                forward_step[threads](t, U, gates, z, h_part, c_part, mask_part, drop, *codes)
    h = h if keep == "outputs" else h_part
    if keep != "tape":
        return Tape(x=x, h=h, c=c_part, mask=mask)
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
    """Backpropagation through time; as :func:`rnn_ref.kernels.cpu.lstm.backward`."""
    x, h, c, gates = tape.x, tape.h, tape.c, tape.gates
    xp = array_module(x)
    (T, B, _), H, codes = x.shape, len(U), (activation, recurrent_activation)
    dc, dz, dW, dU = xp.empty_like(c), xp.empty_like(gates), xp.empty_like(W), xp.empty_like(U)
    dh[:given], dc[-1] = 0, dc_T
    mask, drop = no_mask(tape.mask, x), no_drop(tape.h_drop, x)
    choice = choose(B=B, H=H, G=4, dtype=x.dtype, recurrent_dropout=drop.size > 0)
    if T > 0 and choice.name == "persistent":
        run.backward(persistent_lstm, choice.backward, U, gates, h, mask, dh, dz, codes, z=tape.z, s=c, ds=dc)
    else:
        z = gates if tape.z is None else tape.z
        threads = one_each(h)
        for t in range(T - 1, -1, -1):
            backward_step[threads](t, gates, z, c, mask, dh, dc, dz, *codes)
            d_recurrent[threads](t, U, dz, 0, drop, dh)
    d_weights(x, dz, dW, tape.x_drop)
    d_weights(h[:-1], dz, dU, tape.h_drop)
    db = None if b is None else d_bias(dz)
    dx = d_project_inputs(dz, W, tape.x_drop) if input_gradient else None
    return Gradients(dx=dx, dW=dW, dU=dU, db=db, dh=dh, dc=dc, dz=dz)
