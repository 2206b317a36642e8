"""ONNX's layout of recurrent weights and Keras's, converted both ways.

ONNX, for each direction               here
W (G*H, F), R (G*H, H)                 kernel (F, G*H), recurrent_kernel (H, G*H): transposed
LSTM: gates i, o, f, c                 i, f, c, o
GRU: gates z, r, h                     z, r, h
B (2*G*H): Wb, then Rb                 bias (G*H,): their sum; on the way out Rb is 0
GRU, linear_before_reset=1             reset_after=True, bias (2, 3*H): Wb and Rb
GRU, linear_before_reset=0             reset_after=False, bias (3*H,): their sum
"""

from __future__ import annotations

import numpy as np

BLOCKS = {"RNN": 1, "LSTM": 4, "GRU": 3}
STATES = {"RNN": 1, "LSTM": 2, "GRU": 1}
TO_ONNX = {"RNN": (0,), "LSTM": (0, 3, 1, 2), "GRU": (0, 1, 2)}  # the position here of each of ONNX's gates
FROM_ONNX = {kind: tuple(np.argsort(order).tolist()) for kind, order in TO_ONNX.items()}


def _reordered(array: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    blocks = np.split(array, len(order))
    return np.concatenate([blocks[place] for place in order])


def to_onnx(kind: str, kernel, recurrent_kernel, bias, reset_after: bool = False) -> tuple:
    """Weights here -> ``W``, ``R`` and ``B`` (None without biases) of one direction.

    Examples
    --------
    >>> W, R, B = to_onnx("LSTM", np.array([[1, 2, 3, 4]]), np.array([[5, 6, 7, 8]]), np.array([0, 1, 0, 0]))
    >>> W.ravel(), R.ravel(), B
    (array([1, 4, 2, 3]), array([5, 8, 6, 7]), array([0, 0, 1, 0, 0, 0, 0, 0]))
    """
    W, R = (_reordered(kernel.T, TO_ONNX[kind]), _reordered(recurrent_kernel.T, TO_ONNX[kind]))
    if bias is None:
        return W, R, None
    both = bias if reset_after else (bias, np.zeros_like(bias))
    return W, R, np.concatenate([_reordered(part, TO_ONNX[kind]) for part in both])


def from_onnx(kind: str, W, R, B, reset_after: bool = False) -> list[np.ndarray]:
    """And back: kernel, recurrent_kernel and, if there is a ``B``, bias."""
    kernels = [np.ascontiguousarray(_reordered(part, FROM_ONNX[kind]).T) for part in (W, R)]
    if B is None:
        return kernels
    both = [_reordered(part, FROM_ONNX[kind]) for part in np.split(B, 2)]
    return [*kernels, np.stack(both) if reset_after else both[0] + both[1]]
