"""Masks of attention: which query may look at which value."""

from __future__ import annotations

import numpy as np

from rnn_ref.device import xp


def allowed_scores(layer, masks, attention_mask, causal: bool, sizes: tuple[int, int, int]) -> np.ndarray | None:
    """Where a query may look: all masks together.

    Parameters
    ----------
    layer : MultiHeadAttention
    masks : sequence of three
        Of query ``(B, Tq)``, value and key ``(B, Tv)``; None where there is none.
    attention_mask : ndarray of bool or None
        ``(Tq, Tv)``, ``(B, Tq, Tv)`` or ``(B, N, Tq, Tv)``.
    causal : bool
        Whether step t may look at steps up to t only.
    sizes : (B, Tq, Tv)

    Returns
    -------
    ndarray of bool, (B or 1, N or 1, Tq or 1, Tv or 1), or None
    """
    B, Tq, Tv = sizes
    parts = []
    for what, mask, T in zip(("query", "value", "key"), masks, (Tq, Tv, Tv)):
        if mask is None:
            continue
        mask = xp.asarray(mask, bool)
        if mask.shape != (B, T):
            raise ValueError(f"{layer.name}: the {what} mask has shape {mask.shape}, expected {(B, T)}.")
        parts.append(mask[:, None, :, None] if what == "query" else mask[:, None, None, :])
    if causal:
        parts.append(xp.tri(Tq, Tv, dtype=bool)[None, None])
    if attention_mask is not None:
        mask = xp.asarray(attention_mask, bool)
        mask = mask if mask.ndim == 4 else mask[:, None] if mask.ndim == 3 else mask[None, None]
        full = (B, layer.num_heads, Tq, Tv)
        if mask.ndim != 4 or any(given not in (1, size) for given, size in zip(mask.shape, full)):
            raise ValueError(
                f"{layer.name}: attention_mask has shape {np.shape(attention_mask)}, expected {(B, Tq, Tv)}, or {full} "
                "for every head its own."
            )
        parts.append(mask)
    allowed = None
    for part in parts:
        allowed = part if allowed is None else allowed & part
    return allowed
