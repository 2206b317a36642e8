"""``z = x W + b`` and its gradients on any device, for layers made of such products."""

from __future__ import annotations

import numpy as np

from rnn_ref import memory
from rnn_ref.device import xp
from rnn_ref.kernels.cpu.products import d_project_x, project
from rnn_ref.kernels.cpu.threads import lock, prepare
from rnn_ref.kernels.cpu.weights import d_weights
from rnn_ref.kernels.gate import admitted


def affine(x, W, b=None, *, owner: str = "affine") -> np.ndarray:
    """``z (..., H) = x (..., F) W (F, H) + b (H,)``; errors name the ``owner``.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> affine(np.ones((4, 2), "float32"), np.ones((2, 3), "float32")).shape
    (4, 3)
    """
    F, H = W.shape
    _check_features(x, F, owner)
    if xp.device != "cpu":
        z = x.reshape(-1, F) @ W
        return (z if b is None else z + b).reshape(*x.shape[:-1], H)
    x, dtype = memory.contiguous(x), x.dtype.name
    W = admitted(W, (F, H), dtype, owner, "kernel")
    b = np.zeros(H, x.dtype) if b is None else admitted(b, (H,), dtype, owner, "bias")
    z = memory.empty((*x.shape[:-1], H), x.dtype)
    lock[True]
    try:
        prepare(x.dtype, work=x.size * H)
        project(x.reshape(-1, F), W, b, z.reshape(-1, H))
    finally:
        lock.release()
    return z


def d_affine(
    x, W, dz, *, input_gradient: bool = True, owner: str = "affine"
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """dL/dz (..., H) -> ``dx = dz W'``, ``dW = x' dz`` and ``db = Σ dz``; errors as in :func:`affine`."""
    F, H = W.shape
    _check_features(x, F, owner)
    dz = admitted(dz, (*x.shape[:-1], H), x.dtype.name, owner, "the gradient of the output")
    shape, x, dz = x.shape, xp.ascontiguousarray(x.reshape(-1, F)), dz.reshape(-1, H)
    if xp.device != "cpu":
        return (dz @ W.T).reshape(shape) if input_gradient else None, x.T @ dz, dz.sum(axis=0)
    W = admitted(W, (F, H), x.dtype.name, owner, "kernel")
    dx = memory.empty_like(x) if input_gradient else None
    dWb = memory.empty((F + 1, H), x.dtype, aligned=True)  # the bias as one more row
    lock[True]
    try:
        threads = prepare(x.dtype, work=x.size * H)
        d_weights(x[None], None, dz[None, None], dWb, None, threads=threads)
        if input_gradient:
            d_project_x(dz[None], W, dx)
    finally:
        lock.release()
    return None if dx is None else dx.reshape(shape), dWb[:F], dWb[F]


def _check_features(x, F: int, owner: str) -> None:
    if x.shape[-1] != F:
        raise ValueError(f"{owner}: expected {F} features, as many as the kernel has rows, got {x.shape[-1]}.")
