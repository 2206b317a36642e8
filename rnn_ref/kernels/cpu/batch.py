"""How a batch is cut into chunks of samples that run through all time steps independently."""

from __future__ import annotations

import numpy as np

ROWS = 8


def chunks(B: int) -> np.ndarray:
    """Borders of the chunks, ``(number + 1,)``: chunk ``k`` holds the samples ``borders[k]:borders[k + 1]``.

    The size depends on the shape only, so a result has the same bits on any number of threads. Eight
    samples fill a register block of BLAS and leave enough chunks to share out; a batch that is not a
    multiple of eight is cut evenly.
    """
    number = max(1, -(-B // ROWS))
    if number == 1 and B >= 4:
        number = 2
    return np.linspace(0, B, number + 1).astype(np.int64)


def per_gate(weights: np.ndarray, G: int) -> np.ndarray:
    """``(H, G*H)`` -> ``(G, H, H)``, contiguous: a step multiplies by one gate's block at a time."""
    H = weights.shape[0]
    return np.ascontiguousarray(weights.reshape(H, G, H).transpose(1, 0, 2))


def empty(like: np.ndarray, *shape: int) -> np.ndarray:
    """Uninitialized array in the precision of ``like``."""
    return np.empty(shape, like.dtype)


def no_mask(mask: np.ndarray | None) -> np.ndarray:
    """A mask ``(T, B)``; None becomes one without elements, as compiled code wants one type for both."""
    return np.zeros((0, 0), np.bool_) if mask is None else np.ascontiguousarray(mask, np.bool_)


def no_drop(drop: np.ndarray | None, like: np.ndarray) -> np.ndarray:
    """Recurrent dropout ``(G, B, H)``; None becomes one without elements."""
    return np.zeros((0, 0, 0), like.dtype) if drop is None else np.ascontiguousarray(drop, like.dtype)
