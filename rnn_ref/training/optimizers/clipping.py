"""Gradients held within limits."""

from __future__ import annotations

import math

import numpy as np

from rnn_ref.device import xp


def clipped(grads: list, clipnorm=None, global_clipnorm=None, clipvalue=None) -> list:
    """New gradients within the limits (at most one of them is set); the caller's are left as they are."""
    if clipnorm:
        return [g * _shrink(_norm([g]), clipnorm, g) for g in grads]
    if global_clipnorm:
        norm = _norm(grads)
        return [g * _shrink(norm, global_clipnorm, g) for g in grads]
    if clipvalue:
        return [xp.clip(g, -clipvalue, clipvalue) for g in grads]
    return grads


def _norm(arrays: list[np.ndarray]):
    """A float; on a GPU an array of no axes, for nobody to wait."""
    square = sum(square_sum(a) for a in arrays)
    return math.sqrt(square) if xp.device == "cpu" else xp.sqrt(square)


def square_sum(a: np.ndarray):
    """In float64; on the CPU in one order, where the sums of BLAS, which ``vdot`` calls, depend on its threads."""
    return np.square(a, dtype=np.float64).sum() if xp.device == "cpu" else xp.vdot(a, a).astype(np.float64)


def _shrink(norm, limit: float, like: np.ndarray):
    """The factor that brings a norm down to its limit. NaN for a norm that is not finite, so that it shows."""
    if xp.device == "cpu":
        return limit / max(norm, limit) if math.isfinite(norm) else math.nan
    return xp.where(xp.isfinite(norm), limit / xp.maximum(norm, limit), math.nan).astype(like.dtype)
