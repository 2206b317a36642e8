"""Checks of what constructors and calls are given: a number in an interval, an integer, a shape, True or False."""

from __future__ import annotations

from typing import Any

import numpy as np


class UnknownObject(ValueError):
    """A description names a class or function that is neither here nor among the custom objects."""


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


def text(value: Any, name: str, owner: str, optional: bool = False) -> str | None:
    """`value`, if it is a string; parameters as for `number`.

    >>> text(3, "title", "plot.gates")
    Traceback (most recent call last):
    ValueError: plot.gates: `title` must be a string. Received: title=3
    """
    if isinstance(value, str) or (value is None and optional):
        return value
    raise ValueError(_message(value, name, owner, "a string" + " or None" * optional))


def one_of(value: Any, name: str, owner: str, choices: tuple) -> Any:
    """`value`, if it is among the choices and of their type; parameters as for `number`.

    >>> one_of("abc", "use_cudnn", "GRU", ("auto", False))
    Traceback (most recent call last):
    ValueError: GRU: `use_cudnn` must be 'auto' or False. Received: use_cudnn='abc'
    """
    for choice in choices:
        if type(value) is type(choice) and value == choice:
            return value
    raise ValueError(_message(value, name, owner, " or ".join(map(repr, choices))))


def axes(value: Any, name: str, owner: str) -> Any:
    """`value`, if it is an axis, a list of them, or None; parameters as for `number`.

    >>> axes("last", "axis", "MaxNorm")
    Traceback (most recent call last):
    ValueError: MaxNorm: `axis` must be an integer, a list of integers or None. Received: axis='last'
    """
    each = value if isinstance(value, list | tuple) else [0 if value is None else value]
    if not each or any(_scalar(axis, "iu") is None for axis in each):
        raise ValueError(_message(value, name, owner, "an integer, a list of integers or None"))
    return value


def shape(value: Any, name: str, owner: str) -> Any:
    """`value`, if it is a shape, whose unknown sizes are None, or None; parameters as for `number`.

    >>> shape("abc", "input_shape", "lstm")
    Traceback (most recent call last):
    ValueError: lstm: `input_shape` must be a tuple of sizes, such as (None, 8). Received: input_shape='abc'
    """
    if value is None or (
        isinstance(value, list | tuple) and all(size is None or _scalar(size, "iu") is not None for size in value)
    ):
        return value
    raise ValueError(_message(value, name, owner, "a tuple of sizes, such as (None, 8)"))


def unmasked(value: Any, name: str, owner: str) -> Any:
    """`value`, if it is no masked array; parameters as for `number`.

    >>> unmasked(np.ma.masked_array([1.0], [True]), "x", "relu")
    Traceback (most recent call last):
    ValueError: relu: `x` is a masked array, whose mask would be lost. Fill it: x.filled(0).
    """
    if isinstance(value, np.ma.MaskedArray):
        raise ValueError(f"{owner}: `{name}` is a masked array, whose mask would be lost. Fill it: {name}.filled(0).")
    return value


def numbers(value: Any, name: str, owner: str) -> Any:
    """`value`, if it is an array of real numbers; one on a GPU, and one that autograd records, too.

    >>> numbers(["a"], "x", "relu")
    Traceback (most recent call last):
    TypeError: relu: `x` must be an array of real numbers. Received: x=['a']
    """
    unmasked(value, name, owner)
    if hasattr(value, "dtype"):
        kind = np.dtype(value.dtype).kind
    else:
        try:
            kind = np.asarray(value).dtype.kind
        except (TypeError, ValueError, RuntimeError):
            kind = "O"
    if kind not in "biuf":
        raise TypeError(_message(value, name, owner, "an array of real numbers"))
    return value


def mask(value: Any, owner: str, name: str = "mask") -> Any:
    """A mask as an array of True and False, from one of these or of numbers; what is no answer is refused.

    >>> mask(np.array(["False"]), "lstm")
    Traceback (most recent call last):
    TypeError: lstm: `mask` must be an array of True and False (or 1 and 0), got dtype <U5.
    """
    array = unmasked(value, name, owner) if hasattr(value, "dtype") else np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{owner}: `{name}` must be an array of True and False (or 1 and 0), got dtype {array.dtype}.")
    if array.dtype.kind == "f" and bool((array != array).any()):
        raise ValueError(f"{owner}: `{name}` holds NaN, which says neither True nor False.")
    return array.astype(bool)


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
