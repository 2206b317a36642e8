"""GRU over a batch of sequences on a GPU. Equations: :mod:`rnn_ref.equations.gru`.

gates   (3, T, B, H)     z, r, g; they start as ``x_t W + b`` and end as gates
q       (T, B, H)        projected state ``h_{t-1} U_h + b'_h`` (``reset_after=True``) or reset state ``r h_{t-1}``
h       (T + 1, B, H)    [0] initial state, [t + 1] state after step t
"""

from __future__ import annotations

from numba import cuda

from rnn_ref.device import array_module
from rnn_ref.equations import gru
from rnn_ref.equations.activations import NEEDS_Z
from rnn_ref.kernels.cuda.choice import choose
from rnn_ref.kernels.cuda.persistent import gru as persistent_gru
from rnn_ref.kernels.cuda.persistent import run
from rnn_ref.kernels.cuda.recurrence import d_recurrent, dropped, one_each, recurrent
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
def gates_step(t, U, b_q, gates, z, q, h, drop, recurrent_activation, reset_after):
    """Update and reset gate of one time step, and ``q``: every thread computes unit ``k`` of sample ``n``.

    z, r = recurrent_activation((x_t W + b) + h_{t-1} U)    gates (3, T, B, H), which hold the bracket; U (H, 3*H)
    q = h_{t-1} U_h + b_q, or r h_{t-1}                     with reset_after, or without: (T, B, H)
    """
    k, n = cuda.grid(2)
    if n < h.shape[1] and k < h.shape[2]:
        z_z = gates[0, t, n, k] + recurrent(h, U, 0, drop, t, n, k)
        z_r = gates[1, t, n, k] + recurrent(h, U, 1, drop, t, n, k)
        if z.size > 0:
            z[0, t, n, k], z[1, t, n, k] = z_z, z_r
        gates[0, t, n, k] = gru.gate(z_z, recurrent_activation)
        gates[1, t, n, k] = gru.gate(z_r, recurrent_activation)
        if reset_after:
            q[t, n, k] = b_q[k] + recurrent(h, U, 2, drop, t, n, k)
        else:
            q[t, n, k] = gru.reset_state(gates[1, t, n, k], dropped(h[t, n, k], drop, 2, n, k))


@cuda.jit
def forward_step(t, U, gates, z, q, h, mask, activation, reset_after):
    """Candidate and new state; without ``reset_after`` it needs the reset states of all units, hence its own launch.

    z_h = (x_t W_h + b_h) + r q, or + q U_h                 with reset_after, or without
    h_t = z h_{t-1} + (1 - z) activation(z_h)               h (T + 1, B, H); where mask (T, B) is False: h_{t-1}
    """
    k, n = cuda.grid(2)
    if n < h.shape[1] and k < h.shape[2]:
        z_h = gates[2, t, n, k]
        if reset_after:
            z_h = gru.reset_projection(z_h, gates[1, t, n, k], q[t, n, k])
        else:
            H = h.shape[2]
            for j in range(H):
                z_h += q[t, n, j] * U[j, 2 * H + k]
        if z.size > 0:
            z[2, t, n, k] = z_h
        g, h_t = gru.forward(gates[0, t, n, k], z_h, h[t, n, k], activation)
        gates[2, t, n, k] = g
        h[t + 1, n, k] = h_t if mask.size == 0 or mask[t, n] else h[t, n, k]


@cuda.jit
def backward_step(t, gates, z, h, mask, dh, dz, activation, recurrent_activation):
    """Update gate and candidate of one time step back; a masked step passes on what came.

    dz_h = dh_t (1 - z) activation'(z_h)                    dh (T + 1, B, H), dz (3, T, B, H)
    dz_z = dh_t (h_{t-1} - g) recurrent_activation'(z_z)
    dh_{t-1} += dh_t z
    """
    k, n = cuda.grid(2)
    if n < h.shape[1] and k < h.shape[2]:
        if mask.size == 0 or mask[t, n]:
            dz_t, dz[2, t, n, k], dh_prev = gru.backward(
                dh[t + 1, n, k], z[2, t, n, k], gates[0, t, n, k], gates[2, t, n, k], h[t, n, k], activation
            )
            dz[0, t, n, k] = gru.d_gate(dz_t, z[0, t, n, k], gates[0, t, n, k], recurrent_activation)
            dh[t, n, k] += dh_prev
        else:
            dz[0, t, n, k], dz[2, t, n, k] = 0, 0
            dh[t, n, k] += dh[t + 1, n, k]


@cuda.jit
def backward_reset(t, U, gates, z, q, h, drop, dh, dz, dq, recurrent_activation, reset_after):
    """Reset gate back; without ``reset_after``, ``dq`` of a unit is a sum over the candidates of all.

    dq = dz_h r,      dr = dz_h q                           with reset_after; dq (T, B, H)
    dq = dz_h U_hᵀ,   dr = dq h_{t-1},   dh_{t-1} += dq r   without
    dz_r = dr recurrent_activation'(z_r)
    """
    k, n = cuda.grid(2)
    if n < h.shape[1] and k < h.shape[2]:
        r = gates[1, t, n, k]
        if reset_after:
            dr, dq[t, n, k] = gru.d_reset_projection(dz[2, t, n, k], r, q[t, n, k])
        else:
            H, drh = h.shape[2], type(r)(0)
            for j in range(H):
                drh += dz[2, t, n, j] * U[k, 2 * H + j]
            dq[t, n, k] = drh
            dr, dh_prev = gru.d_reset_state(drh, r, dropped(h[t, n, k], drop, 2, n, k))
            dh[t, n, k] += dropped(dh_prev, drop, 2, n, k)
        dz[1, t, n, k] = gru.d_gate(dr, z[1, t, n, k], r, recurrent_activation)


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
    """Run a batch of sequences; arguments and result are those of :func:`rnn_ref.kernels.cpu.gru.forward`."""
    xp = array_module(x)
    (T, B, _), H = x.shape, len(U)
    codes = activation, recurrent_activation
    keep_z = keep == "tape" and (keep_z or not NEEDS_Z.isdisjoint(codes))
    z = xp.empty((3, T if keep_z else 0, B, H), x.dtype)
    h = states(T, "tape" if keep == "outputs" else keep, x, B, H)
    h[0] = h0
    b_q = xp.empty(0, x.dtype)
    if reset_after:
        # Only the candidate tells its two biases apart: its recurrent one is added inside the reset gate.
        b = xp.zeros((2, 3 * H), x.dtype) if b is None else b
        b_q = b[1, 2 * H :]
        b = xp.concatenate((b[0, : 2 * H] + b[1, : 2 * H], b[0, 2 * H :]))
    drop = no_drop(h_drop, x)
    choice = choose(B=B, H=H, G=3, dtype=x.dtype, recurrent_dropout=drop.size > 0, reset_after=reset_after)
    threads = one_each(h)
    for first, last in parts(T, keep):
        gates = project_inputs(x[first:last], W, b, 3, x_drop)
        q, h_part = xp.empty_like(gates[0]), window(h, first, last, T)
        mask_part = no_mask(None if mask is None else mask[first:last], x)
        if choice.name == "persistent":
            run.forward(
                persistent_gru, choice.forward, U, gates, h_part, mask_part, codes, b=b_q, z=z if keep_z else None, s=q
            )
        else:
            for t in range(last - first):
                gates_step[threads](t, U, b_q, gates, z, q, h_part, drop, recurrent_activation, reset_after)
                forward_step[threads](t, U, gates, z, q, h_part, mask_part, activation, reset_after)
    h = h if keep == "outputs" else h_part
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
    """Backpropagation through time; as :func:`rnn_ref.kernels.cpu.gru.backward`."""
    x, h, gates, q, h_drop = tape.x, tape.h, tape.gates, tape.q, tape.h_drop
    xp = array_module(x)
    (T, B, _), H = x.shape, len(U)
    dz_dq = xp.empty((4, T, B, H), x.dtype)  # together, for the products of the persistent kernel
    dz, dq, dW, dU = dz_dq[:3], dz_dq[3], xp.empty_like(W), xp.empty_like(U)
    dh[:given] = 0
    mask, drop = no_mask(tape.mask, x), no_drop(h_drop, x)
    choice = choose(B=B, H=H, G=3, dtype=x.dtype, recurrent_dropout=drop.size > 0, reset_after=reset_after)
    if T > 0 and choice.name == "persistent":
        codes = activation, recurrent_activation
        run.backward(persistent_gru, choice.backward, U, gates, h, mask, dh, dz_dq, codes, z=tape.z, s=q)
    else:
        z = gates if tape.z is None else tape.z
        threads = one_each(h)
        for t in range(T - 1, -1, -1):
            backward_step[threads](t, gates, z, h, mask, dh, dz, activation, recurrent_activation)
            backward_reset[threads](t, U, gates, z, q, h, drop, dh, dz, dq, recurrent_activation, reset_after)
            d_recurrent[threads](t, U, dz[:2], 0, drop, dh)
            if reset_after:
                d_recurrent[threads](t, U, dz_dq[3:], 2, drop, dh)
    d_weights(x, dz, dW, tape.x_drop)
    # The state reaches both gates as h_{t-1}; the candidate as h_{t-1} (then dq is its gradient) or as r h_{t-1}.
    d_weights(h[:-1], dz[:2], dU, h_drop)
    if reset_after:
        d_weights(h[:-1], dq[None], dU, None if h_drop is None else h_drop[2:], first_gate=2)
    else:
        d_weights(q, dz[2:], dU, first_gate=2)
    db = None if b is None else d_bias(dz)
    if b is not None and reset_after:
        db = xp.stack((db, xp.concatenate((db[: 2 * H], d_bias(dq[None])))))
    dx = d_project_inputs(dz, W, tape.x_drop) if input_gradient else None
    return Gradients(dx=dx, dW=dW, dU=dU, db=db, dh=dh, dz=dz, dq=dq if reset_after else None)
