"""Checks of what constructors are given: a number in an interval, an integer, True or False."""

from __future__ import annotations

from typing import Any

import numpy as np


def number(value: Any, name: str, owner: str, interval: str = "(-inf, inf)", optional: bool = False) -> float | None:
    """`value` as a float, if it is one number in the interval; NaN is in none.

    Parameters
    ----------
    value
        A number, or an array of no axes.
    name : str
        Name of the argument.
    owner : str
        What the argument belongs to: a class, or the name of a layer.
    interval : str
        Written as in mathematics: ``"[0, 1)"`` has 0 and lacks 1.
    optional : bool
        Let None pass.

    Raises
    ------
    ValueError
        Says what belongs there, and what came.

    Examples
    --------
    >>> number(0.9, "beta_1", "Adam", "[0, 1)")
    0.9
    >>> number(2, "beta_1", "Adam", "[0, 1)")
    Traceback (most recent call last):
    ValueError: Adam: `beta_1` must be a number in [0, 1). Received: beta_1=2
    """
    if value is None and optional:
        return None
    array = _scalar(value, "fiu")
    if array is None or not _inside(float(array), interval):
        kind = "a finite number" if interval == "(-inf, inf)" else f"a number in {interval}"
        raise ValueError(_message(value, name, owner, kind + " or None" * optional))
    return float(array)


def integer(value: Any, name: str, owner: str, least: int | None = None, optional: bool = False) -> int | None:
    """`value` as an int, if it is one whole number of at least `least`; parameters as for `number`.

    >>> integer(3, "patience", "EarlyStopping", least=0)
    3
    >>> integer(2.5, "patience", "EarlyStopping", least=0)
    Traceback (most recent call last):
    ValueError: EarlyStopping: `patience` must be an integer of at least 0. Received: patience=2.5
    """
    if value is None and optional:
        return None
    array = _scalar(value, "iu")
    if array is None or (least is not None and int(array) < least):
        kind = "an integer" if least is None else f"an integer of at least {least}"
        raise ValueError(_message(value, name, owner, kind + " or None" * optional))
    return int(array)


def positive_integer(value: Any, name: str, owner: str) -> int:
    """`value` as an int, if it is one whole number above 0: a size.

    >>> positive_integer(0, "units", "lstm")
    Traceback (most recent call last):
    ValueError: lstm: units must be a positive integer, got 0.
    """
    array = _scalar(value, "iu")
    if array is None or array <= 0:
        raise ValueError(f"{owner}: {name} must be a positive integer, got {value!r}.")
    return int(array)


def fraction(value: Any, name: str, owner: str) -> float:
    """`value` as a float, if it is one number from 0 to 1: a rate.

    >>> fraction(20, "dropout", "lstm")
    Traceback (most recent call last):
    ValueError: lstm: dropout must be a number between 0 and 1, got 20.
    """
    array = _scalar(value, "fiu")
    if array is None or not 0 <= array <= 1:
        raise ValueError(f"{owner}: {name} must be a number between 0 and 1, got {value!r}.")
    return float(array)


def flag(value: Any, name: str, owner: str) -> bool:
    """`value`, if it is True or False (0 and 1 are taken for them); parameters as for `number`.

    >>> flag("False", "nesterov", "SGD")
    Traceback (most recent call last):
    ValueError: SGD: `nesterov` must be True or False. Received: nesterov='False'
    """
    array = _scalar(value, "biu")
    if array is None or array not in (0, 1):
        raise ValueError(_message(value, name, owner, "True or False"))
    return bool(array)


def _scalar(value: Any, kinds: str) -> np.ndarray | None:
    """`value` as an array of no axes; None if it has axes or another kind of type."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return array if array.ndim == 0 and array.dtype.kind in kinds else None


def _inside(x: float, interval: str) -> bool:
    low, high = map(float, interval[1:-1].split(","))
    return (low < x or (interval[0] == "[" and x == low)) and (x < high or (interval[-1] == "]" and x == high))


def _message(value: Any, name: str, owner: str, expected: str) -> str:
    return f"{owner}: `{name}` must be {expected}. Received: {name}={value!r}"
