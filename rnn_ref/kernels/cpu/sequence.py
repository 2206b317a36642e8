"""Products over all time steps at once: inputs to pre-activations, and gradients to weights.

Dropout masks are the same for all time steps of a sequence. ``x_drop`` is ``(1, B, F)`` or, with one mask for each
gate, ``(G, B, F)``; ``h_drop`` likewise ``(G, B, H)``; None without dropout.
"""

from __future__ import annotations

import numpy as np

from rnn_ref.kernels.cpu.products import d_project_W, d_project_x, project


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


def _dropped(x, drop):
    return x if drop is None else x * drop


def _columns(gates: slice, H: int) -> slice:
    return slice(gates.start * H, gates.stop * H)


def project_inputs(x, W, b, z, x_drop=None) -> None:
    """``z_g = (x drop_g) W_g + b_g``: ``x`` (T, B, F), ``z`` (G, T, B, H)."""
    H = z.shape[-1]
    for gates, drop in _shares(x_drop, len(z)):
        columns = _columns(gates, H)
        project(flat(_dropped(x, drop)), W[:, columns], b[columns], flat(z[gates]))


def d_project_inputs(dz, W, dx, x_drop=None) -> None:
    """``dx = Σ_g (dz_g W_gᵀ) drop_g``."""
    H = dz.shape[-1]
    if x_drop is None:
        d_project_x(flat(dz), W, flat(dx))
        return
    dx[:] = 0
    part = np.empty_like(dx)
    for gates, drop in _shares(x_drop, len(dz)):
        d_project_x(flat(dz[gates]), W[:, _columns(gates, H)], flat(part))
        dx += part * drop


def d_weights(x, dz, dW, drop=None, first_gate: int = 0) -> None:
    """``dW_g = (x drop_g)ᵀ dz_g``: ``x`` (T, B, K), ``dW`` (K, G*H); for the recurrent kernel ``x`` is ``h_{t-1}``.

    ``dz`` may hold only some gates, from ``first_gate`` on; the other columns of ``dW`` stay as they are.
    """
    H = dz.shape[-1]
    for gates, share in _shares(drop, len(dz)):
        d_project_W(flat(_dropped(x, share)), flat(dz[gates]), dW, (first_gate + gates.start) * H)


def d_bias(dz, db, first_gate: int = 0) -> None:
    """``db_g = Σ_{t, b} dz_g``: a bias is the weight of an input that is always 1."""
    ones = np.ones((dz.shape[1], dz.shape[2], 1), dz.dtype)
    d_weights(ones, dz, db[None], first_gate=first_gate)
