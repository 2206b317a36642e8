"""Numbers that are read off the GPU, all of a training step in one transfer.

Reading a number waits until the GPU has computed it, while the GPU waits for what is to be done next. So losses,
metrics and checks of data say what they want to do with a number, and within a block ``with read_together():`` all
of that is done at its end. Elsewhere, and always on the CPU, it is done at once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_ref.device import array_module, xp

_waiting: list | None = None  # (function, values) of the block that is open


class read_together:
    """Collect what :func:`later` and :func:`require` ask for until the block ends.

    Where an error leaves the block, what was collected is forgotten: the numbers belong to a step that never was.
    """

    def __enter__(self) -> None:
        global _waiting
        self.outer = _waiting
        if xp.module is not np and _waiting is None:
            _waiting = []

    def __exit__(self, kind, error, traceback) -> None:
        global _waiting
        waiting, _waiting = _waiting, self.outer
        if error is not None or waiting is None or waiting is self.outer:
            return
        found = iter(fetch([value for _, values in waiting for value in values]))
        for use, values in waiting:
            use(*(next(found) for _ in values))


def later(use: Callable, *values) -> None:
    """Call ``use(*values)`` with values that can be read: numbers, or NumPy arrays of float64."""
    if xp.module is np:
        use(*values)
    elif _waiting is None:
        use(*fetch(list(values)))
    else:
        _waiting.append((use, values))


def require(condition, explain: Callable[[], Exception]) -> None:
    """Raise the error that ``explain()`` makes unless ``condition``, one truth value, holds."""

    def check(holds) -> None:
        if not holds:
            raise explain()

    later(check, condition)


def fetch(values: list) -> list:
    """Numbers and arrays of the GPU as floats and NumPy arrays (float64), in one transfer; others as they are."""
    on_gpu = [value for value in values if array_module(value) is not np]
    if not on_gpu:
        return values
    xp = array_module(on_gpu[0])
    numbers = xp.asnumpy(xp.concatenate([value.astype(np.float64).reshape(-1) for value in on_gpu]))
    found, start = [], 0
    for value in values:
        if array_module(value) is np:
            found.append(value)
            continue
        part = numbers[start : start + value.size].reshape(value.shape)
        start += value.size
        found.append(part if value.ndim else float(part))
    return found


def number(value):
    """A float; on a GPU as it is, so that nobody waits for it yet."""
    return float(value) if array_module(value) is np else value
