"""Memory for large arrays, used again.

What a forward pass leaves for the way back is megabytes, and gone after the step. Memory fresh from the system has to
be mapped page by page, which can take as long as what is computed into it; here the next step gets the same memory.
CuPy does the same for memory of a GPU.
"""

from __future__ import annotations

from math import prod

import numpy as np

from rnn_ref.device import array_module

LARGE = 256 * 1024  # bytes from which on it pays; below, the C library keeps memory by itself
KEPT = 256 * 1024 * 1024  # bytes at most that lie ready; what does not fit goes back to the system
ALIGNED = 64  # bytes of a cache line: vectors that straddle two are read at half the speed

_ready: dict[int, list[np.ndarray]] = {}  # memory by its size; every change is one step for Python, safe in threads


class _Block:
    """What an array stands on, and all its views; when the last of them goes, the memory lies ready again."""

    def __init__(self, memory: np.ndarray):
        self.memory = memory
        start = -memory.ctypes.data % ALIGNED
        self.__array_interface__ = memory[start : memory.nbytes - ALIGNED + start].__array_interface__

    def __del__(self):
        if self.memory.nbytes <= KEPT:
            _ready.setdefault(self.memory.nbytes, []).append(self.memory)
            _give_back()


def _give_back() -> None:
    """Forget the sizes that have not been asked for the longest until no more than KEPT bytes lie ready."""
    held = sum(size * len(blocks) for size, blocks in list(_ready.items()))
    for size, blocks in list(_ready.items()):
        if held <= KEPT:
            return
        held -= size * len(blocks)
        _ready.pop(size, None)


def _size(needed: int) -> int:
    """Few different sizes, so that arrays that differ little share them: at most a sixteenth is wasted."""
    step = 1 << max(needed.bit_length() - 5, 0)
    return -(-needed // step) * step


def _memory(size: int) -> np.ndarray:
    blocks = _ready.pop(size, [])
    try:
        memory = blocks.pop()
    except IndexError:
        return np.empty(size, np.uint8)
    if blocks:
        _ready.setdefault(size, []).extend(blocks)  # now the last to be forgotten
    return memory


def empty(shape, dtype=np.float32, *, aligned: bool = False) -> np.ndarray:
    """An array of numbers that are yet to be written; as :func:`numpy.empty`.

    Large ones begin with a cache line; ``aligned`` says that a small one is to do so, too. Where threads write side by
    side into one line, it goes to and fro between their cores.

    Examples
    --------
    >>> from rnn_ref.memory import empty
    >>> empty((1000, 1000), "float32").shape
    (1000, 1000)
    """
    dtype, shape = np.dtype(dtype), (shape,) if isinstance(shape, int) else shape
    needed = prod(shape) * dtype.itemsize
    if needed < LARGE:
        if not aligned:
            return np.empty(shape, dtype)
        memory = np.empty(needed + ALIGNED, np.uint8)
        return np.ndarray(shape, dtype, memory, -memory.ctypes.data % ALIGNED)
    block = np.asarray(_Block(_memory(_size(needed + ALIGNED))))
    return block[:needed].view(dtype).reshape(shape)


def empty_like(array: np.ndarray) -> np.ndarray:
    """As :func:`numpy.empty_like`, in C order; on the device of the array."""
    if not isinstance(array, np.ndarray):
        return array_module(array).empty(array.shape, array.dtype)
    return empty(array.shape, array.dtype)


def zeros(shape, dtype=np.float32) -> np.ndarray:
    """As :func:`numpy.zeros`."""
    array = empty(shape, dtype)
    array.fill(0)
    return array


def zeros_like(array: np.ndarray) -> np.ndarray:
    """As :func:`numpy.zeros_like`."""
    zeros = empty_like(array)
    zeros.fill(0)
    return zeros


def contiguous(array: np.ndarray) -> np.ndarray:
    """As :func:`numpy.ascontiguousarray`."""
    if array.flags.c_contiguous:
        return array
    copy = empty_like(array)
    copy[...] = array
    return copy
