"""While kernels run: one at a time, with what they are linked to, on as many threads as their work is worth."""

from __future__ import annotations

import os
import threading

import numpy as np
from numba import get_num_threads, set_num_threads
from numba.np.ufunc import parallel

from rnn_ref.hardware import LITTLE_WORK, SPINS
from rnn_ref.jit import link
from rnn_ref.kernels.cpu.products import tiled_product

_lock = threading.Lock()
_linked: set[tuple] = set()
_get, _set = get_num_threads, set_num_threads


def _start() -> None:
    """Start Numba's threads; GNU's OpenMP, if they are its, reads here how long they wait for work before they sleep.

    Left alone, they wait actively for some 5 milliseconds. When another program needs the core, it runs instead of
    the thread that has waited so long, and then comes the work: a step of one millisecond took 25. Who set OpenMP's
    variables himself is left alone; and where another library loaded OpenMP before, it stays as it is.
    """
    if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & set(os.environ):
        os.environ["GOMP_SPINCOUNT"] = str(SPINS)
        try:
            get_num_threads()  # loads the library, which looks just once
        finally:
            del os.environ["GOMP_SPINCOUNT"]
    # What Numba's functions of these names call once they made sure, by two locks, that the library is loaded.
    global _get, _set
    get_num_threads()
    _get, _set = getattr(parallel, "_get_num_threads", _get), getattr(parallel, "_set_num_threads", _set)


class running:
    """While kernels run on arrays of this type: one at a time, and with the library functions that they call.

    Numba's portable thread pool must not be entered from two Python threads at once. ``work`` counts multiply-adds.
    """

    def __init__(self, dtype, *library, work: int):
        self.needed, self.work = (dtype, *library), work

    def __enter__(self) -> int:
        """The number of threads."""
        _lock.acquire()
        try:
            if self.needed not in _linked:
                if not _linked:
                    _start()
                dtype, *library = self.needed
                for function in (tiled_product, *library):
                    link(function, np.dtype(dtype))
                _linked.add(self.needed)
            self.before = _get()
            self.threads = min(self.before, 1 + self.work // LITTLE_WORK)
            if self.threads != self.before:
                _set(self.threads)
            return self.threads
        except BaseException:
            _lock.release()
            raise

    def __exit__(self, *error) -> None:
        if self.threads != self.before:
            _set(self.before)
        _lock.release()
