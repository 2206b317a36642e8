"""Checks of a call's arguments: ``training`` and masks must be booleans, and NaN in the data gives a warning."""

from __future__ import annotations

import warnings

import numpy as np

from rnn_ref import checks
from rnn_ref.device import array_module, to_numpy
from rnn_ref.layers.symbolic import entries


def check_call(inputs, arguments: dict, owner: str) -> None:
    """``training`` and ``mask`` of a call must be booleans; the values of arrays on a GPU are not waited for."""
    for array in entries(inputs):
        if isinstance(array, np.ma.MaskedArray):
            checks.numbers(array, "the input", owner)
    if arguments.get("training") is not None:
        arguments["training"] = checks.flag(arguments["training"], "training", owner)
    for mask in entries(arguments.get("mask")):
        if isinstance(mask, np.ndarray):
            checks.mask(mask, owner)


def look_for_nan(inputs, what: str) -> None:
    """Warn about NaN or infinity in the arrays that a model or layer is called on; anything else is ignored."""
    for array in [inputs] if type(inputs) is np.ndarray else entries(inputs):
        if isinstance(array, np.ndarray) and warn_nan(array, what, stacklevel=5):
            return


def warn_nan(array: np.ndarray, what: str, stacklevel: int = 3) -> bool:
    """Warn about NaN or infinity in data, naming the first position; returns whether there was any."""
    if array.dtype.kind != "f" or _sum_is_finite(array):
        return False
    finite = array_module(array).isfinite(array)
    if finite.all():
        return False
    place = tuple(int(k) for k in np.argwhere(~to_numpy(finite))[0])
    warnings.warn(f"{what} holds {array[place]} at index {place}.", RuntimeWarning, stacklevel=stacklevel)
    return True


def _sum_is_finite(array: np.ndarray) -> bool:
    """Whether a large array has a finite sum, so that all its numbers are finite; small ones are tested singly."""
    if array.size < 100_000:
        return False
    with np.errstate(all="ignore"):
        return bool(np.isfinite(array.sum()))
