"""Products of the inputs over many time steps at once: to pre-activations, and back.

Dropout masks are the same for all time steps of a sequence. ``x_drop`` is ``(1, B, F)`` or, with one mask for each
gate, ``(G, B, F)``; ``h_drop`` likewise ``(G, B, H)``; None without dropout.
"""

from __future__ import annotations

import numpy as np

from rnn_ref.hardware import STEPS
from rnn_ref.jit import part
from rnn_ref.kernels.cpu.products import MEDIUM, d_project_x, packed_product
from rnn_ref.kernels.cpu.recurrence import multiply
from rnn_ref.memory import empty_like


def flat(array: np.ndarray) -> np.ndarray:
    """``(..., T, B, K)`` -> ``(..., T*B, K)``: all time steps as rows of one matrix."""
    return array.reshape(*array.shape[:-3], -1, array.shape[-1])


def _shares(drop, G: int):
    """Gates that see the same dropped input: ``(slice of gates, mask)``."""
    if drop is None:
        return [(slice(0, G), None)]
    if len(drop) == 1:
        return [(slice(0, G), drop[0])]
    return [(slice(g, g + 1), drop[g]) for g in range(G)]


def _columns(gates: slice, H: int) -> slice:
    return slice(gates.start * H, gates.stop * H)


@part
def project_steps(x, W, b, drop, dropped, t, z, first, last):
    """``z_g = (x drop_g) W_g + b_g`` of the samples ``first:last`` for up to STEPS steps from ``t`` on.

    ``x`` (T, B, F), ``W`` (G, P, F, *) packed, ``drop`` (0, 1 or G, B, F), ``dropped`` (STEPS, n, F) for dropped
    inputs, ``z`` (G, S, B, H) with S slots for steps.
    """
    G, S, _B, H = z.shape
    steps, slot, n, width = min(STEPS, x.shape[0] - t), t % S, last - first, W.shape[3]
    by_time = n < MEDIUM  # the rows of a product are samples, or time steps if there are few samples
    for g in range(G):
        if drop.size > 0 and g < drop.shape[0]:
            for s in range(steps):
                multiply(x[t + s, first:last], drop[g, first:last], dropped[s])
        rows = dropped[:steps] if drop.size > 0 else x[t : t + steps, first:last]
        for p in range(W.shape[1]):  # a panel stays in the cache while all rows pass by
            left, right = p * width, min(H, (p + 1) * width)
            b_p = b[g * H + left : g * H + right].reshape(1, -1)
            z_p = z[g, slot : slot + steps, first:last, left:right]
            for k in range(n if by_time else steps):
                out = z_p[:, k] if by_time else z_p[k]
                packed_product(rows[:, k] if by_time else rows[k], W[g, p : p + 1], b_p, out)


def d_project_inputs(dz, W, dx, x_drop=None) -> None:
    """``dx = Σ_g (dz_g W_gᵀ) drop_g``."""
    H = dz.shape[-1]
    if x_drop is None:
        d_project_x(flat(dz), W, flat(dx))
        return
    dx[:] = 0
    part = empty_like(dx)
    for gates, drop in _shares(x_drop, len(dz)):
        d_project_x(flat(dz[gates]), W[:, _columns(gates, H)], flat(part))
        dx += part * drop
