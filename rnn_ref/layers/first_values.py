"""A weight's first values: from an initializer of whatever kind to an array of the weight's own."""

from __future__ import annotations

import inspect

import numpy as np

from rnn_ref.layers import initializers


def first_values(initializer, shape: tuple, dtype: str, path: str) -> np.ndarray:
    """Ask an initializer for values, and check and copy them.

    Parameters
    ----------
    initializer : callable
        ``initializer(shape, dtype=...)``, or a function of the shape alone.
    shape : tuple of int
    dtype : str
    path : str
        Name of the weight and its layer, for the error message.

    Returns
    -------
    ndarray
        Of that shape and dtype, in C order, shared with nobody: whoever made it may keep an array it gave.
    """
    shape = initializers.checked_shape(shape)
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
    except (TypeError, ValueError):  # some functions written in C do not say
        return True
    return any(p.name == "dtype" or p.kind is p.VAR_KEYWORD for p in parameters)
