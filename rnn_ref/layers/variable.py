"""A weight of a layer: an array with a name."""

from __future__ import annotations

import numpy as np


class Variable:
    """A weight: an array that the optimizer updates in place.

    Attributes
    ----------
    name : str
        Short name, such as ``"kernel"``.
    path : str
        Name with its layer, such as ``"lstm/kernel"``.
    value : ndarray
    trainable : bool
    regularizer : callable or None
        Adds ``regularizer(value)`` to the loss; has a ``gradient``.
    constraint : callable or None
        Applied to the value after every update.
    """

    def __init__(self, value, name, *, path=None, trainable=True, regularizer=None, constraint=None):
        self.value = value
        self.name = name
        self.path = path or name
        self.trainable = trainable
        self.regularizer = regularizer
        self.constraint = constraint

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def dtype(self) -> str:
        return self.value.dtype.name

    @property
    def size(self) -> int:
        return self.value.size

    def numpy(self) -> np.ndarray:
        """The value, as an array of its own."""
        return np.array(self.value)

    def assign(self, value) -> None:
        """Replace the value, keeping shape and precision."""
        value = np.asarray(value)
        if value.shape != self.shape:
            raise ValueError(f"{self.path}: got a value of shape {value.shape}, expected {self.shape}.")
        self.value[...] = value

    def __array__(self, dtype=None, copy=None):
        return np.array(self.value, dtype=dtype, copy=copy)

    def __repr__(self):
        return f"<Variable {self.path}, shape={self.shape}, dtype={self.dtype}>"
