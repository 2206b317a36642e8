"""Activations that couple the numbers of a row: for outputs, never for a gate. ``axis`` is the axis of the rows."""

from __future__ import annotations

import numpy as np


def softmax(z: np.ndarray, axis: int = -1) -> np.ndarray:
    """``a_k = exp(z_k) / Σ_j exp(z_j)``."""
    a = np.exp(z - z.max(axis=axis, keepdims=True))
    a /= a.sum(axis=axis, keepdims=True)
    return a


def d_softmax(a: np.ndarray, da: np.ndarray, axis: int = -1) -> np.ndarray:
    """``dz_k = a_k (da_k - Σ_j a_j da_j)``."""
    return a * (da - (a * da).sum(axis=axis, keepdims=True))


def log_softmax(z: np.ndarray, axis: int = -1) -> np.ndarray:
    """``a_k = z_k - log Σ_j exp(z_j)``."""
    z = z - z.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


def d_log_softmax(a: np.ndarray, da: np.ndarray, axis: int = -1) -> np.ndarray:
    """``dz_k = da_k - exp(a_k) Σ_j da_j``."""
    return da - np.exp(a) * da.sum(axis=axis, keepdims=True)


def sparsemax(z: np.ndarray, axis: int = -1) -> np.ndarray:
    """``a_k = max(z_k - τ, 0)`` with the τ for which the row sums to 1 (Martins and Astudillo 2016).

    If the k largest are above τ, then ``τ = (their sum - 1) / k``; k is the last for which the k-th largest is.
    """
    z = np.moveaxis(z, axis, -1)
    z = z - z.max(axis=-1, keepdims=True)
    ranked = np.sort(z, axis=-1)[..., ::-1]
    sums = ranked.cumsum(axis=-1) - 1
    counts = np.ones_like(z).cumsum(axis=-1)
    k = (ranked * counts > sums).sum(axis=-1, keepdims=True)
    tau = np.take_along_axis(sums, k - 1, -1) / k.astype(z.dtype)
    return np.moveaxis(np.maximum(z - tau, 0), -1, axis)


def d_sparsemax(a: np.ndarray, da: np.ndarray, axis: int = -1) -> np.ndarray:
    """What is above τ, less its mean."""
    above = (a > 0).astype(a.dtype)
    return above * (da - (above * da).sum(axis=axis, keepdims=True) / above.sum(axis=axis, keepdims=True))


def glu(z: np.ndarray, sigmoid, axis: int = -1) -> np.ndarray:
    """``a = u σ(v)`` with the first and the second half of each row (Dauphin et al. 2017)."""
    u, v = np.split(z, 2, axis=axis)
    return u * sigmoid(v)


def d_glu(z: np.ndarray, da: np.ndarray, sigmoid, axis: int = -1) -> np.ndarray:
    """``du = da σ(v)``, ``dv = da u σ(v) (1 - σ(v))``."""
    u, v = np.split(z, 2, axis=axis)
    gate = sigmoid(v)
    return np.concatenate([da * gate, da * u * gate * (1 - gate)], axis=axis)
