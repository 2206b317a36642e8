"""SimpleRNN over a batch of sequences on a GPU. Equations: :mod:`rnn_ref.equations.simple_rnn`.

z   (1, T, B, H)     pre-activations; they start as ``x_t W + b``
h   (T + 1, B, H)    h[0] initial state, h[t + 1] state after step t
"""

from __future__ import annotations

from numba import cuda

from rnn_ref.device import array_module
from rnn_ref.equations import simple_rnn
from rnn_ref.kernels.cuda.choice import choose
from rnn_ref.kernels.cuda.persistent import run
from rnn_ref.kernels.cuda.persistent import simple_rnn as persistent_simple_rnn
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
def forward_step(t, U, z, h, mask, drop, activation):
    """One time step: every thread computes unit ``k`` of sample ``n``.

    z_t = (x_t W + b) + h_{t-1} U       z (1, T, B, H), which holds the bracket; U (H, H)
    h_t = activation(z_t)               h (T + 1, B, H); where mask (T, B) is False: h_{t-1}
    """
    k, n = cuda.grid(2)
    if n < h.shape[1] and k < h.shape[2]:
        z[0, t, n, k] += recurrent(h, U, 0, drop, t, n, k)
        h_t = simple_rnn.forward(z[0, t, n, k], activation)
        h[t + 1, n, k] = h_t if mask.size == 0 or mask[t, n] else h[t, n, k]


@cuda.jit
def backward_step(t, z, h, mask, dh, dz, activation):
    """One time step back, but for the recurrent product; a masked step passes on what came.

    dz_t = dh_t activation'(z_t)        dh (T + 1, B, H), dz (1, T, B, H)
    """
    k, n = cuda.grid(2)
    if n < h.shape[1] and k < h.shape[2]:
        if mask.size == 0 or mask[t, n]:
            dz[0, t, n, k] = simple_rnn.backward(dh[t + 1, n, k], z[0, t, n, k], h[t + 1, n, k], activation)
        else:
            dz[0, t, n, k] = 0
            dh[t, n, k] += dh[t + 1, n, k]


def forward(
    x, W, U, b, h0, *, activation: int, mask=None, x_drop=None, h_drop=None, keep: str = "tape", keep_z: bool = True
) -> Tape:
    """Run a batch of sequences; arguments and result are those of :func:`rnn_ref.kernels.cpu.simple_rnn.forward`."""
    (T, B, _), H = x.shape, len(U)
    h = states(T, "tape" if keep == "outputs" else keep, x, B, H)
    h[0] = h0
    drop = no_drop(h_drop, x)
    choice = choose(B=B, H=H, G=1, dtype=x.dtype, recurrent_dropout=drop.size > 0)
    threads = one_each(h)
    for first, last in parts(T, keep):
        z = project_inputs(x[first:last], W, b, 1, x_drop)
        h_part = window(h, first, last, T)
        mask_part = no_mask(None if mask is None else mask[first:last], x)
        if choice.name == "persistent":
            run.forward(persistent_simple_rnn, choice.forward, U, z, h_part, mask_part, (activation, 0))
        else:
            for t in range(last - first):
                forward_step[threads](t, U, z, h_part, mask_part, drop, activation)
    h = h if keep == "outputs" else h_part
    if keep != "tape":
        return Tape(x=x, h=h, mask=mask)
    return Tape(x=x, h=h, z=z, mask=mask, x_drop=x_drop, h_drop=h_drop)


def backward(tape: Tape, W, U, b, dh, *, activation: int, given: int = 0, input_gradient: bool = True) -> Gradients:
    """Backpropagation through time; as :func:`rnn_ref.kernels.cpu.simple_rnn.backward`."""
    x, h, z = tape.x, tape.h, tape.z
    xp = array_module(x)
    (T, B, _), H = x.shape, len(U)
    dz, dW, dU = xp.empty_like(z), xp.empty_like(W), xp.empty_like(U)
    dh[:given] = 0
    mask, drop = no_mask(tape.mask, x), no_drop(tape.h_drop, x)
    choice = choose(B=B, H=H, G=1, dtype=x.dtype, recurrent_dropout=drop.size > 0)
    if T > 0 and choice.name == "persistent":
        run.backward(persistent_simple_rnn, choice.backward, U, z, h, mask, dh, dz, (activation, 0))
    else:
        threads = one_each(h)
        for t in range(T - 1, -1, -1):
            backward_step[threads](t, z, h, mask, dh, dz, activation)
            d_recurrent[threads](t, U, dz, 0, drop, dh)
    d_weights(x, dz, dW, tape.x_drop)
    d_weights(h[:-1], dz, dU, tape.h_drop)
    db = None if b is None else d_bias(dz)
    dx = d_project_inputs(dz, W, tape.x_drop) if input_gradient else None
    return Gradients(dx=dx, dW=dW, dU=dU, db=db, dh=dh, dz=dz)
