"""What an optimizer's `learning_rate` is: a number that can also be assigned to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_ref.checks import number

from . import schedules


class LearningRate(float):
    """The learning rate at the moment it was asked for: a float, with what code written for Keras calls on it.

    Examples
    --------
    >>> import rnn_ref
    >>> optimizer = rnn_ref.optimizers.SGD(0.1)
    >>> optimizer.learning_rate.assign(0.05)
    >>> optimizer.learning_rate
    0.05
    """

    def __new__(cls, value: float, optimizer):
        rate = super().__new__(cls, value)
        rate._optimizer = optimizer
        return rate

    def assign(self, value) -> None:
        """Set the optimizer's learning rate; this number itself stays as it is."""
        self._optimizer.learning_rate = value

    @property
    def value(self) -> float:
        return float(self)

    def numpy(self) -> np.ndarray:
        return np.asarray(float(self))

    def __reduce__(self):
        return float, (float(self),)  # a copy is a number: it belongs to no optimizer


def check_learning_rate(learning_rate, owner: str) -> float | Callable:
    """A finite number as a float; a schedule or another callable as it is."""
    if callable(learning_rate) and not isinstance(learning_rate, type):
        return learning_rate
    try:
        return number(learning_rate, "learning_rate", owner)
    except ValueError:
        raise ValueError(
            f"{owner}: `learning_rate` must be a finite number, a LearningRateSchedule or a callable without "
            f"arguments. Received: learning_rate={learning_rate!r}"
        ) from None


def current(learning_rate: float | Callable, iterations: int) -> float:
    """The number that a learning rate is in this step."""
    if isinstance(learning_rate, schedules.LearningRateSchedule):
        return float(learning_rate(iterations))
    return number(learning_rate(), "learning_rate()", "optimizer") if callable(learning_rate) else float(learning_rate)
