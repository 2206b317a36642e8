"""Memory for large arrays, used again.

What a forward pass leaves for the way back is megabytes, and gone after the step. Memory fresh from the system has to
be mapped page by page, which can take as long as what is computed into it; here the next step gets the same memory.
CuPy does the same for memory of a GPU.
"""

from __future__ import annotations

import sys
from math import prod

import numpy as np

from rnn_ref import locks
from rnn_ref.device import array_module
from rnn_ref.hardware import ALIGNED, LARGE

KEPT = 256 * 1024 * 1024  # bytes of all blocks at most, in use or not; memory beyond goes back to the system after use
MANY = 64  # blocks of one size at most: who keeps arrays of many steps keeps nobody looking through them all

Block = tuple[np.ndarray, int]  # memory, and where in it the first cache line begins

_blocks: dict[int, list[Block]] = {}  # by size; last the size that was asked for last


def _uses(block: Block) -> int:
    """How many refer to the memory of a block; every array that stands on it does, as does every view of one."""
    return sys.getrefcount(block[0])


_UNUSED = _uses((np.empty(0, np.uint8), 0))


def _size(needed: int) -> int:
    """Few different sizes, so that arrays that differ little share them: at most a sixteenth is wasted."""
    step = 1 << max(needed.bit_length() - 5, 0)
    return -(-needed // step) * step


def _new(size: int) -> Block:
    memory = np.empty(size, np.uint8)
    return memory, -memory.ctypes.data % ALIGNED


def _block(size: int) -> Block:
    """One that nobody uses, or a new one."""
    blocks = _blocks[size] = _blocks.pop(size, [])  # now the last to be forgotten
    for block in reversed(blocks):
        if _uses(block) == _UNUSED:
            return block
    fits = _make_room(size)
    block = _new(size)
    if fits:
        blocks.append(block)
        del blocks[:-MANY]
    return block


def _make_room(size: int) -> bool:
    """Whether one more fits, once unused blocks are forgotten, first of the sizes not asked for the longest."""
    if size > KEPT:
        return False
    free = KEPT - sum(size * len(blocks) for size, blocks in _blocks.items())
    for other, blocks in _blocks.items():
        for k in reversed(range(len(blocks))):
            if free < size and _uses(blocks[k]) == _UNUSED:
                del blocks[k]
                free += other
    if free < size:  # somebody may keep what is in use for good: one block, the oldest, is left to him
        del next(blocks for blocks in _blocks.values() if blocks)[0]
    return free >= size


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
    if needed < LARGE and not aligned:
        return np.empty(shape, dtype)
    size = _size(needed + ALIGNED)
    if locks.memory._is_owned():  # the handler of a signal, in the midst of what follows
        return np.ndarray(shape, dtype, *_new(size))
    locks.memory[True]
    try:
        return np.ndarray(shape, dtype, *_block(size))
    finally:
        locks.memory.release()


def empty_like(array: np.ndarray) -> np.ndarray:
    """As :func:`numpy.empty_like`, in C order; on the device of the array."""
    if type(array) is np.ndarray and array.nbytes < LARGE:
        return np.empty(array.shape, array.dtype)
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
