"""Batches that are made ahead of time, and come in order."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial


def made_ahead(make: Callable, numbers: Iterable[int], *, workers: int, ahead: int) -> Generator:
    """``make(k)`` for every number, in order; threads are up to ``ahead`` calls in front, and end with the iterator.

    Examples
    --------
    >>> list(made_ahead(lambda k: k * k, range(5), workers=2, ahead=3))
    [0, 1, 4, 9, 16]
    """
    with ThreadPoolExecutor(workers) as pool:
        yield from results_of(partial(pool.submit, make), numbers, ahead)


def results_of(submit: Callable[[int], Future], numbers: Iterable[int], ahead: int) -> Generator:
    """The results of ``submit(k)`` for every number, in order; no more than ``ahead`` are under way or wait."""
    numbers = iter(numbers)
    waiting = deque(submit(k) for k in itertools.islice(numbers, ahead))
    try:
        while waiting:
            made = waiting.popleft().result()
            waiting.extend(submit(k) for k in itertools.islice(numbers, 1))
            yield made
    finally:
        for future in waiting:
            future.cancel()
