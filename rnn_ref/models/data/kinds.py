"""Arrays of many libraries as NumPy arrays. They are recognized by the name of their module, without importing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnn_ref.device import array_module
from rnn_ref.models.structure import as_array


def comes_from(x: Any, module: str, *names: str) -> bool:
    """Whether the class of ``x``, or one of its bases, is from this module and has one of these names (if given).

    Examples
    --------
    >>> comes_from(np.zeros(2), "numpy", "ndarray")
    True
    """
    for kind in type(x).__mro__:
        if f"{kind.__module__}.".startswith(f"{module}.") and (not names or kind.__name__ in names):
            return True
    return False


def is_frame(x: Any) -> bool:
    return comes_from(x, "pandas", "DataFrame")


def is_array(x: Any) -> bool:
    """Whether this is a single array: something that NumPy, or :func:`to_array`, can read."""
    return hasattr(x, "__array__") or array_module(x) is not np or comes_from(x, "scipy.sparse")


def is_structure(x: Any) -> bool:
    """Whether this is a list, tuple or dict of arrays."""
    return isinstance(x, (list, tuple, Mapping))


def to_arrays(given: Any, what: str) -> Any:
    """Lists and dicts of arrays with every entry converted to an array; None stays.

    Raises
    ------
    ValueError, TypeError
        If an entry is not an array of numbers.
    """
    if given is None:
        return None
    if type(given) is np.ndarray:  # mostly
        return to_array(given, what)
    if isinstance(given, Mapping):
        return {key: to_arrays(entry, f"{what}[{key!r}]") for key, entry in given.items()}
    if isinstance(given, (list, tuple)):
        if any(isinstance(entry, (int, float, complex, np.number)) for entry in given):
            raise ValueError(f"{what}: got a {type(given).__name__} of numbers; make it an array: numpy.asarray(...).")
        return [to_arrays(entry, what) for entry in given]
    return to_array(given, what)


def to_array(given: Any, what: str) -> np.ndarray:
    """One array of numbers with a batch axis; one on a GPU stays there."""
    array = given if type(given) is np.ndarray else _as_numpy_s(given, what)
    if array.dtype.kind not in "biuf":
        if array.dtype.name == "bfloat16":
            return to_array(array.astype("float32"), what)
        raise ValueError(f"{what}: expected an array of numbers, got dtype {array.dtype}.")
    if array.ndim == 0:
        raise ValueError(f"{what}: expected an array with a batch axis, got the single value {array}.")
    return array


def _as_numpy_s(given: Any, what: str) -> Any:
    if not is_array(given):
        raise TypeError(f"{what}: expected an array, or a list or dict of arrays, got {_short(given)}.")
    if isinstance(given, np.ma.MaskedArray):
        raise ValueError(
            f"{what}: a masked array would lose its mask here. Fill it (x.filled(0)) and weigh the masked places with "
            "a sample_weight of 0, or mark padded steps with layers.Masking."
        )
    return as_array(_unwrapped(given, what))


def _unwrapped(given: Any, what: str) -> Any:
    """Convert what NumPy cannot read by itself, or would read differently."""
    if comes_from(given, "torch", "Tensor"):
        given = given.detach().cpu()
        return (given.float() if str(given.dtype) == "torch.bfloat16" else given).numpy()
    if comes_from(given, "scipy.sparse"):
        return given.toarray()
    if is_frame(given):
        return _numbers(given, {column: given[column] for column in given.columns}, what)
    if comes_from(given, "pandas", "Series"):
        return _numbers(given, {given.name: given}, what)[:, None]
    return given


def _numbers(given: Any, columns: dict, what: str) -> np.ndarray:
    array = given.to_numpy()
    if array.dtype.kind in "biuf":
        return array
    try:  # columns of different types, or of types that only pandas has
        return given.to_numpy(dtype="float64")
    except (TypeError, ValueError):
        kinds = ", ".join(f"{name!r}: {column.dtype}" for name, column in columns.items())
        raise ValueError(f"{what}: expected columns of numbers without gaps, got {kinds}.") from None


def _short(x: Any) -> str:
    text = repr(x)
    return f"{text if len(text) < 60 else text[:57] + '...'} ({type(x).__name__})"
