"""NumPy's factorizations and norms, for which a fork waits.

NumPy leaves them to a BLAS with threads of its own. When a process is forked while these are at work, they wait for
ever, in the parent and in the child.

>>> float(norm([3.0, 4.0]))
5.0
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import numpy as np

from rnn_ref import locks


def _held(function: Callable) -> Callable:
    @wraps(function)
    def run(*args, **kwargs):
        locks.kernels[True]
        try:
            return function(*args, **kwargs)
        finally:
            locks.kernels.release()

    return run


qr, svd, eigvals, norm = map(_held, (np.linalg.qr, np.linalg.svd, np.linalg.eigvals, np.linalg.norm))
product = _held(np.matmul)
