"""Matrix products for layers, with the same bits for any number of threads."""

from __future__ import annotations

import math

import numpy as np

from rnn_ref import linalg
from rnn_ref.device import xp
from rnn_ref.kernels.cpu.matmul import matmul as multiply_stacks


def matmul(a, b):
    """``a @ b`` as in NumPy, but always summed in the same order, and never in the middle of a fork.

    Parameters
    ----------
    a, b : ndarray, (..., N, K) and (..., K, M)
        Or vectors, as in NumPy; axes before the last two are broadcast.

    Returns
    -------
    c : ndarray, (..., N, M)

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    Examples
    --------
    >>> matmul(np.ones((5, 2, 3), "float32"), np.ones((3, 4), "float32")).shape
    (5, 2, 4)
    """
    if xp.device != "cpu":
        return a @ b
    if a.ndim > b.ndim == 1:
        return matmul(a, b[:, None])[..., 0]
    if a.dtype != b.dtype or a.dtype.char not in "fd" or min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2]:
        return linalg.product(a, b)
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    S = math.prod(lead)
    a, b = (np.broadcast_to(x, (*lead, *x.shape[-2:])).reshape(S, *x.shape[-2:]) for x in (a, b))
    return multiply_stacks(a, b).reshape(*lead, a.shape[-2], b.shape[-1])
