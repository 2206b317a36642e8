"""While kernels run: one at a time, with what they are linked to, on as many threads as their work is worth.

>>> from rnn_ref.kernels.cpu.threads import lock, prepare
>>> lock[True]
True
>>> try:
...     threads = prepare("float32", work=10)  # and then the kernels
... finally:
...     lock.release()
>>> threads
1
"""

from __future__ import annotations

import numpy as np

from rnn_ref import locks
from rnn_ref.hardware import LITTLE_WORK
from rnn_ref.jit import link
from rnn_ref.kernels.cpu.products import project_rows, tiled_product
from rnn_ref.regions import use_threads

# Numba's portable thread pool must not be entered from two Python threads at once.
lock = _lock = locks.kernels
_linked: set[tuple] = set()


def prepare(dtype, *kernels, work: int) -> int:
    """Link these kernels for arrays of this type; the number of threads that ``work`` multiply-adds are worth.

    Under the lock, taken as :mod:`rnn_ref.locks` says.
    """
    needed = (dtype, *kernels)
    if needed not in _linked:
        for function in (tiled_product, project_rows, *kernels):
            link(function, np.dtype(dtype))
        _linked.add(needed)
    return use_threads(1 + work // LITTLE_WORK)
