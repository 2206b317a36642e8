"""Batches in groups: what ``steps_per_execution`` means for callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator


def in_executions(batches: Iterable, size: int, begin: Callable, end: Callable, first: int = 0) -> Iterator[tuple]:
    """Yield each batch with its number; ``begin(first)`` and ``end(last)`` are called around every ``size`` of them.

    As in Keras, the last number is that of a full group even where the data ends before it. The loop stops once ``end``
    returns True. Counting starts at ``first``.

    >>> print(*in_executions("abc", 2, lambda step: print("begin", step), lambda step: print("end", step)))
    begin 0
    end 1
    begin 2
    end 3
    (0, 'a') (1, 'b') (2, 'c')
    """
    step = first - 1
    for step, batch in enumerate(batches, first):
        if step % size == 0:
            begin(step)
        yield step, batch
        if (step + 1) % size == 0 and end(step):
            return
    if (step + 1) % size and step >= first:
        end(step + size - (step + 1) % size)
