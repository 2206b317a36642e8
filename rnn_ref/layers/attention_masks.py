"""Masks of attention: which query may attend to which value."""

from __future__ import annotations

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.attention_axes import AttentionAxes


def allowed_scores(layer, axes: AttentionAxes, masks, attention_mask, causal: bool, query, value) -> np.ndarray | None:
    """Where a query may attend: all masks combined.

    Parameters
    ----------
    layer : MultiHeadAttention
    axes : AttentionAxes
    masks : sequence of three
        Of query ``(B, Tq)``, value and key ``(B, Tv)``, or with the free axes in between; None where there is none.
    attention_mask : ndarray of bool or None
        ``(Tq, Tv)``, ``(B, Tq, Tv)`` or ``(B, N, Tq, Tv)``; see :meth:`AttentionAxes.fold_mask`.
    causal : bool
        Whether step t may attend only to steps up to t.
    query, value : tuple
        Their shapes.

    Returns
    -------
    ndarray of bool, (B' or 1, N or 1, Tq' or 1, Tv' or 1), or None
        In the folded shape.
    """
    parts = []
    window = layer.sliding_window
    if len(axes.attended) > 1:
        by_step = {
            "use_causal_mask": causal,
            "sliding_window": window,
            "a mask of query, value or key": any(m is not None for m in masks),
        }
        for what in (what for what, given in by_step.items() if given):
            raise ValueError(
                f"{layer.name}: {what} is for one attended axis; here there are {len(axes.attended)}, "
                f"{axes.attended}. Say where a query may look with attention_mask, or set attention_axes."
            )
    for what, mask, shape in zip(("query", "value", "key"), masks, (query, value, value)):
        if mask is None:
            continue
        mask = xp.asarray(mask, bool)
        free, attended = axes.sizes(shape)
        full = (shape[0], *free, *attended)
        if mask.shape not in ((shape[0], *attended), full):
            raise ValueError(f"{layer.name}: the {what} mask has shape {mask.shape}, expected {full}.")
        if mask.ndim < len(full):
            mask = mask.reshape(shape[0], *[1] * len(free), *attended)
        mask = xp.broadcast_to(mask, full).reshape(-1, *attended)
        parts.append(mask[:, None, :, None] if what == "query" else mask[:, None, None, :])
    Tq, Tv = axes.sizes(query)[1][0], axes.sizes(value)[1][0]
    if causal:
        parts.append(xp.tri(Tq, Tv, dtype=bool)[None, None])
    if window is not None:
        parts.append((xp.tri(Tq, Tv, window - 1, dtype=bool) & xp.tri(Tv, Tq, window - 1, dtype=bool).T)[None, None])
    if attention_mask is not None:
        parts.append(axes.fold_mask(xp.asarray(attention_mask, bool), query, value, layer.num_heads, layer.name))
    allowed = None
    for part in parts:
        allowed = part if allowed is None else allowed & part
    return allowed
