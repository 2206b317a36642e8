"""``z = x W + b`` and its gradients, on whatever device: for layers that are made of such products."""

from __future__ import annotations

import numpy as np

from rnn_ref import memory
from rnn_ref.device import xp
from rnn_ref.kernels.cpu.products import d_project_x, project
from rnn_ref.kernels.cpu.threads import lock, prepare
from rnn_ref.kernels.cpu.weights import d_weights


def affine(x, W, b=None) -> np.ndarray:
    """``z (..., H) = x (..., F) W (F, H) + b (H,)``."""
    F, H = W.shape
    if xp.device != "cpu":
        z = x.reshape(-1, F) @ W
        return (z if b is None else z + b).reshape(*x.shape[:-1], H)
    x, W = memory.contiguous(x), np.ascontiguousarray(W)
    z = memory.empty((*x.shape[:-1], H), x.dtype)
    with lock:
        prepare(x.dtype, work=x.size * H)
        project(x.reshape(-1, F), W, np.zeros(H, x.dtype) if b is None else b, z.reshape(-1, H))
    return z


def d_affine(x, W, dz, *, input_gradient: bool = True) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """dL/dz (..., H) -> ``dx = dz W'``, ``dW = x' dz`` and ``db = Σ dz``."""
    F, H = W.shape
    shape, x, dz = x.shape, xp.ascontiguousarray(x.reshape(-1, F)), xp.ascontiguousarray(dz.reshape(-1, H))
    if xp.device != "cpu":
        return (dz @ W.T).reshape(shape) if input_gradient else None, x.T @ dz, dz.sum(axis=0)
    W = np.ascontiguousarray(W)
    dx = memory.empty_like(x) if input_gradient else None
    dWb = memory.empty((F + 1, H), x.dtype, aligned=True)  # the bias is a row more
    with lock:
        threads = prepare(x.dtype, work=x.size * H)
        d_weights(x[None], None, dz[None, None], dWb, None, threads=threads)
        if input_gradient:
            d_project_x(dz[None], W, dx)
    return None if dx is None else dx.reshape(shape), dWb[:F], dWb[F]
