"""A weight's initial values: from any kind of initializer to an array of the weight's own."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from rnn_ref.layers import initializers

_allowance: ContextVar[list[int] | None] = ContextVar("numbers left, while a model of a file is made", default=None)


@contextmanager
def drawn_by_nobody(most: int) -> Iterator[None]:
    """Within it, weights start as zeros, to be filled from a file, and may hold ``most`` numbers in all."""
    token = _allowance.set([most])
    try:
        yield
    finally:
        _allowance.reset(token)


def first_values(initializer, shape: tuple, dtype: str, path: str) -> np.ndarray:
    """Ask an initializer for values, and check and copy them.

    Parameters
    ----------
    initializer : callable
        ``initializer(shape, dtype=...)``, or a function of the shape alone.
    shape : tuple of int
    dtype : str
    path : str
        Name of the weight with its layer, for error messages.

    Returns
    -------
    ndarray
        Of that shape and dtype, in C order, and not shared: an initializer may keep an array that it returned.
    """
    shape = initializers.checked_shape(shape)
    left = _allowance.get()
    if left is not None:
        left[0] -= math.prod(shape)
        if left[0] < 0:
            raise ValueError(f"{path}: a weight of shape {shape} is more than the file has numbers for.")
        return np.zeros(shape, dtype)
    values = initializer(shape, dtype=dtype) if _takes_dtype(initializer) else initializer(shape)
    try:
        given = np.asarray(values)
    except (TypeError, ValueError, RuntimeError):
        given = np.asarray(None)
    if given.dtype.kind not in "fiub" or given.shape != shape:
        came = f"shape {given.shape}" if given.dtype.kind in "fiub" else f"{type(values).__name__}"
        raise ValueError(f"{path}: the initializer {initializer!r} returned {came}, expected numbers of shape {shape}.")
    return np.array(given, dtype, order="C")


def _takes_dtype(initializer) -> bool:
    try:
        parameters = inspect.signature(initializer).parameters.values()
    except (TypeError, ValueError):  # some functions written in C have no signature
        return True
    return any(p.name == "dtype" or p.kind is p.VAR_KEYWORD for p in parameters)
