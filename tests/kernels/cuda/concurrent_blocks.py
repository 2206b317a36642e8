"""Blocks side by side in Numba's CUDA simulator, so that kernels whose blocks wait for each other can be tested.

The simulator runs one block after the other: the first that waits for another would wait forever. Here all blocks of a
launch run at the same time, each with shared memory of its own. Its threads meet at real barriers instead of being
asked in turn whether they have arrived, which is also several times faster.
"""

import sys
import threading
from contextlib import contextmanager
from math import prod
from unittest.mock import patch

import numpy as np
from numba.cuda.simulator import kernel as simulator
from numba.cuda.simulator.kernelapi import Dim3
from numba.np.numpy_support import as_dtype


class _Thread(threading.Thread):
    """One thread of the grid; the simulator's ``cuda`` module asks the current one who it is."""

    def __init__(self, run, blockIdx, threadIdx, barrier):
        super().__init__(daemon=True)
        self.work, self.blockIdx, self.threadIdx, self.barrier = run, Dim3(*blockIdx), Dim3(*threadIdx), barrier
        self.error = None

    def run(self):
        try:
            self.work()
        except Exception as error:
            self.error = error
            self.barrier.abort()

    def syncthreads(self):
        self.barrier.wait()


class _Blocks:
    """Takes the place of the simulator's BlockManager: runs all blocks when the last of them is to be run."""

    def __init__(self, function, grid, block, debug):
        self.function, self.grid, self.block = function, grid, block

    def run(self, point, *arguments):
        if any(i < size - 1 for i, size in zip(point, self.grid)):
            return
        threads = []
        for block in np.ndindex(*self.grid):
            barrier = threading.Barrier(prod(self.block))
            threads += [
                _Thread(lambda: self.function(*arguments), block, thread, barrier) for thread in np.ndindex(*self.block)
            ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        errors = [t.error for t in threads if t.error and not isinstance(t.error, threading.BrokenBarrierError)]
        if errors:
            raise errors[0]
        assert not any(t.error or t.is_alive() for t in threads), "threads of a block did not all come to a barrier"


class _SharedOfBlock:
    """Takes the place of the simulator's shared memory: every block has its own, told apart by the line that asks."""

    def __init__(self, size):
        self.arrays, self.lock = {}, threading.Lock()

    def array(self, shape, dtype):
        key = (*threading.current_thread().blockIdx, sys._getframe(1).f_lineno)
        with self.lock:
            return self.arrays.setdefault(key, np.empty(shape, as_dtype(dtype)))


@contextmanager
def concurrent_blocks():
    with (
        patch.object(simulator, "BlockManager", _Blocks),
        patch("numba.cuda.simulator.kernelapi.FakeCUDAShared", _SharedOfBlock),
    ):
        yield
