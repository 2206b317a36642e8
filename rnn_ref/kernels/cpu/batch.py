"""How a batch is cut into chunks of samples that run through all time steps independently."""

from __future__ import annotations

import sys
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from rnn_ref import memory
from rnn_ref.hardware import ALIGNED, CHUNK, STEPS


@lru_cache(1024)
def chunks(B: int, threads: int) -> np.ndarray:
    """Borders of the chunks, ``(number + 1,)``: chunk ``k`` holds the samples ``borders[k]:borders[k + 1]``.

    One for each thread if a chunk then has from 8 samples (a tile of a product) to CHUNK. The bits of a result do not
    depend on it: no number is summed over samples here.
    """
    rows = max(8, min(CHUNK, -(-B // threads)))
    number = -(-B // rows)
    if number == 1 and B >= 4 and threads > 1:
        number = 2
    return np.array([B * k // max(number, 1) for k in range(number + 1)])


def work(x: np.ndarray, U: np.ndarray) -> int:
    """Multiply-adds of a forward pass: ``x`` (T, B, F), ``U`` (H, G*H)."""
    T, B, F = x.shape
    return T * B * (F + U.shape[0]) * U.shape[1]


def empty(like: np.ndarray, *shape: int) -> np.ndarray:
    """Uninitialized array in the precision of ``like``."""
    return memory.empty(shape, like.dtype)


Entry = tuple[np.ndarray, np.ndarray]  # what was handed out, and the memory that it is the beginning of
_last: dict[str, Entry] = {}


def _uses(entry: Entry) -> int:
    """How many refer to the array or, as its views do, to the memory."""
    return sys.getrefcount(entry[0]) + sys.getrefcount(entry[1].base)


def _entry(room: np.ndarray | None, like: np.ndarray, shape: tuple) -> Entry:
    """An array in this memory, or in new memory if that is too small; it begins with a cache line."""
    count = prod(shape) * like.itemsize
    if room is None or room.nbytes < count:
        block = np.empty(max(count, memory.LARGE) + ALIGNED, np.uint8)
        room = block[-block.ctypes.data % ALIGNED :]
    return room[:count].view(like.dtype).reshape(shape), room


_UNUSED = _uses(_entry(None, np.empty(0, np.float32), (1,)))


def workspace(name: str, like: np.ndarray, *shape: int) -> np.ndarray:
    """Uninitialized array for use within one call of a kernel; the next one with this name gets the same memory.

    Memory fresh from the system costs as much time as writing it twice. Kernels run one at a time, so one array for
    each purpose is enough, unless the handler of a signal runs some while its own thread is about to.
    """
    entry = _last.get(name)
    if entry is not None and _uses(entry) == _UNUSED:
        if entry[0].shape == shape and entry[0].dtype == like.dtype:
            return entry[0]
        _last[name] = entry = _entry(entry[1], like, shape)
    else:
        _last[name] = entry = _entry(None, like, shape)
    return entry[0]


def kept(name: str, like: np.ndarray, keep: str, *shape: int) -> np.ndarray:
    """An array of its own if it goes onto the tape, else part of the workspace."""
    return empty(like, *shape) if keep == "tape" else workspace(name, like, *shape)


NO_MASK = np.zeros((0, 0), np.bool_)
NO_DROP = {np.dtype(name): np.zeros((0, 0, 0), name) for name in ("float32", "float64")}


def no_mask(mask: np.ndarray | None) -> np.ndarray:
    """A mask ``(T, B)``; None becomes one without elements, as compiled code wants one type for both."""
    return NO_MASK if mask is None else np.ascontiguousarray(mask, np.bool_)


def no_drop(drop: np.ndarray | None, like: np.ndarray) -> np.ndarray:
    """Dropout ``(1 or G, B, K)``; None becomes one without elements."""
    return NO_DROP[like.dtype] if drop is None else np.ascontiguousarray(drop, like.dtype)


class Slots(NamedTuple):
    """How many steps each array of a forward pass holds. A shorter array is used again from its beginning.

    Attributes
    ----------
    steps : int
        Of gates and pre-activations: T, or STEPS.
    outputs : int
        Of the hidden state: T + 1, or 2.
    states : int
        Of other states: T + 1, or 2.
    """

    steps: int
    outputs: int
    states: int


def slots(T: int, keep: str) -> Slots:
    """``keep`` is "tape" for everything that the way back needs, "outputs", or "last" for the final states only."""
    steps, states = (T, T + 1) if keep == "tape" else (min(T, STEPS), 2)
    return Slots(steps, 2 if keep == "last" else T + 1, states)


def in_order(state: np.ndarray, T: int) -> np.ndarray:
    """A state's array with the final state last; one of two slots may end with either."""
    return state[::-1] if len(state) == 2 and T % 2 == 0 else state
