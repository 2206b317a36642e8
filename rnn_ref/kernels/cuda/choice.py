"""Which kernel runs: the persistent one where it can, else the teaching kernel."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import config, cuda

from rnn_ref.kernels.cuda.persistent.plan import Plan, plan

_only_teaching = False


class Choice(NamedTuple):
    """A kernel, and why it is not the fast one.

    Attributes
    ----------
    name : {"persistent", "teaching"}
    reason : str or None
        Why not the persistent kernel.
    forward, backward : Plan or None
        How the persistent kernel shares out the work.
    """

    name: str
    reason: str | None = None
    forward: Plan | None = None
    backward: Plan | None = None


@cache
def multiprocessors() -> int:
    """Of the current device. One in the simulator: it runs one block after the other, and none can wait for another."""
    return 1 if config.ENABLE_CUDASIM else cuda.get_current_device().MULTIPROCESSOR_COUNT


@contextmanager
def only_teaching():
    """Run the teaching kernels, whatever could run.

    Examples
    --------
    >>> from rnn_ref.kernels.cuda.choice import choose, only_teaching
    >>> with only_teaching():
    ...     choose(B=1, H=1, G=1, dtype="float32").reason
    'asked for by only_teaching()'
    """
    global _only_teaching
    before, _only_teaching = _only_teaching, True
    try:
        yield
    finally:
        _only_teaching = before


def choose(*, B: int, H: int, G: int, dtype, recurrent_dropout: bool = False, reset_after: bool = True) -> Choice:
    """Choose the kernel for ``B`` samples, ``H`` units and ``G`` gates."""
    if _only_teaching:
        return Choice("teaching", "asked for by only_teaching()")
    if B == 0:
        return Choice("teaching", "the batch has no samples")
    if recurrent_dropout:
        return Choice("teaching", "recurrent_dropout gives every gate a state of its own")
    if not reset_after:
        return Choice("teaching", "reset_after=False needs two products one after the other at each step")
    itemsize, count = np.dtype(dtype).itemsize, multiprocessors()
    forward, backward = plan(B, H, H, G, itemsize, count), plan(B, H, G * H, 1, itemsize, count)
    if forward is None or backward is None:
        return Choice(
            "teaching",
            f"the recurrent kernel of {H} units ({G} gates, {np.dtype(dtype)}) does not fit into the registers of "
            f"{count} multiprocessors",
        )
    return Choice("persistent", None, forward, backward)
