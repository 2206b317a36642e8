"""The base class of all initializers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from rnn_ref.guard import Guarded
from rnn_ref.registry import Config
from rnn_ref.spelling import Spelled

Shape = Sequence[int]


class Initializer(Guarded, Spelled):
    """Base class: a subclass has a `__call__` and, if it takes arguments, a `get_config`.

    Examples
    --------
    >>> class Countdown(Initializer):
    ...     def __call__(self, shape, dtype="float32"):
    ...         return np.arange(np.prod(shape), 0, -1, dtype=dtype).reshape(shape)
    >>> Countdown()((3,))
    array([3., 2., 1.], dtype=float32)
    """

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        """Return an array of `shape` and `dtype`."""
        raise NotImplementedError(f"{type(self).__name__} should define __call__(self, shape, dtype)")

    def get_config(self) -> Config:
        """Return the constructor's arguments, as values that JSON can hold."""
        return {}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make an initializer from what `get_config` returned."""
        return cls(**config)

    def clone(self) -> Self:
        """Return a new initializer with the same arguments."""
        return self.from_config(self.get_config())


# Constant initializers


def checked_shape(shape: Shape) -> tuple[int, ...]:
    # Tuples and lists only: NumPy would also take an integer, and iterate over a string.
    if not isinstance(shape, tuple | list) or not all(
        isinstance(size, int | np.integer) and size >= 0 for size in shape
    ):
        raise ValueError(f"shape should be a tuple of non-negative integers, got {shape!r}")
    return tuple(int(size) for size in shape)


def checked_dtype(dtype: DTypeLike) -> np.dtype:
    # Keras passes None for the default; NumPy takes it to mean float64.
    return np.dtype("float32" if dtype is None else dtype)


# Keras spells each class in snake_case as well: `initializers.glorot_uniform(seed=1)`.
