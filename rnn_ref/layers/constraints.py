"""Constraints: projections applied to a weight after each update.

Names, defaults and formulas are those of https://keras.io/api/layers/constraints/. Norms are taken along `axis`,
which may be several axes: in a kernel `(F, H)`, `axis=0` constrains the weights that enter each unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.guard import Guarded, explained
from rnn_ref.names import missing
from rnn_ref.registry import Config, Registry
from rnn_ref.spelling import Spelled

Axis = int | Sequence[int] | None

# Keras's guard against dividing by a vanishing norm.
EPSILON = 1e-7


class Constraint(Guarded, Spelled):
    """Base class: a subclass has a `__call__` and, if it takes arguments, a `get_config`.

    Examples
    --------
    >>> class AtMostOne(Constraint):
    ...     def __call__(self, w):
    ...         return np.minimum(w, 1)
    >>> AtMostOne()(np.array([0.5, 2.0]))
    array([0.5, 1. ])
    """

    def __call__(self, w: ArrayLike) -> np.ndarray:
        """Return the projection of the weight `w`, of the same shape. `w` itself is not changed."""
        return w

    def get_config(self) -> Config:
        """Return the constructor's arguments, as values that JSON can hold."""
        return {}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a constraint from what `get_config` returned."""
        return cls(**config)


class MaxNorm(Constraint):
    """Shortens vectors that are longer than `max_value`.

    Parameters
    ----------
    max_value : float
        The largest norm.
    axis : int, sequence of int or None
        The axes of a vector; `None` takes the whole array as one.

    Examples
    --------
    >>> MaxNorm(max_value=1.0)(np.array([[3.0], [4.0]])).round(3)
    array([[0.6],
           [0.8]])
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0):
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: ArrayLike) -> np.ndarray:
        w = xp.asarray(checks.numbers(w, "w", type(self).__name__))
        norms = _norms(w, self.axis)
        return w * (xp.clip(norms, 0, self.max_value) / (EPSILON + norms))

    def get_config(self) -> Config:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Sets negative weights to zero.

    Examples
    --------
    >>> NonNeg()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __call__(self, w: ArrayLike) -> np.ndarray:
        return xp.maximum(xp.asarray(checks.numbers(w, "w", type(self).__name__)), 0)


class UnitNorm(Constraint):
    """Gives every vector the norm one.

    Parameters
    ----------
    axis : int, sequence of int or None
        The axes of a vector; `None` takes the whole array as one.

    Examples
    --------
    >>> UnitNorm()(np.array([[3.0], [4.0]])).round(3)
    array([[0.6],
           [0.8]])
    """

    def __init__(self, axis: Axis = 0):
        self.axis = axis

    def __call__(self, w: ArrayLike) -> np.ndarray:
        w = xp.asarray(checks.numbers(w, "w", type(self).__name__))
        return w / (EPSILON + _norms(w, self.axis))

    def get_config(self) -> Config:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Moves the norm of every vector into the range from `min_value` to `max_value`, or closer to it.

    Parameters
    ----------
    min_value, max_value : float
        The bounds on the norm.
    rate : float
        Fraction of the distance to move: 1 ends within the bounds, less approaches them gradually.
    axis : int, sequence of int or None
        The axes of a vector; `None` takes the whole array as one.

    Raises
    ------
    ValueError
        If `min_value` exceeds `max_value`.

    Examples
    --------
    >>> MinMaxNorm(min_value=0.0, max_value=1.0, rate=0.5)(np.array([[3.0], [4.0]])).round(3)
    array([[1.8],
           [2.4]])
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0):
        if min_value > max_value:
            raise ValueError(f"min_value should not exceed max_value, got {min_value} > {max_value}")
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: ArrayLike) -> np.ndarray:
        w = xp.asarray(checks.numbers(w, "w", type(self).__name__))
        norms = _norms(w, self.axis)
        desired = self.rate * xp.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (EPSILON + norms))

    def get_config(self) -> Config:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


def _norms(w: np.ndarray, axis: Axis) -> np.ndarray:
    axes = tuple(axis) if isinstance(axis, Sequence) else axis  # In a config read from JSON it is a list.
    return xp.sqrt(xp.sum(xp.square(w), axis=axes, keepdims=True))


# Keras spells each class in snake_case as well: `constraints.max_norm(2)`.
max_norm = MaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
min_max_norm = MinMaxNorm

_registry = Registry("constraint", [Constraint, MaxNorm, NonNeg, UnitNorm, MinMaxNorm])


@explained
def get(identifier: Any) -> Callable | None:
    """Turn whatever a layer accepts as a constraint into one.

    Parameters
    ----------
    identifier : str, dict, type, callable or None
        A name ("max_norm" or "MaxNorm"), a config dict, a class, a constraint, or any `function(w)`.

    Returns
    -------
    callable or None
        `None` for `None`.

    Raises
    ------
    ValueError
        If the name is unknown (the message lists the known ones) or the object cannot be called.

    Examples
    --------
    >>> get("non_neg")(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    return _registry.get(identifier)


@explained
def serialize(constraint: Callable | None) -> Config | None:
    """Describe a constraint by a dict in Keras's form.

    Examples
    --------
    >>> serialize(UnitNorm(axis=1))["config"]
    {'axis': 1}
    """
    return _registry.serialize(constraint)


@explained
def deserialize(config: Config | str | None, custom_objects: Mapping[str, Callable] | None = None) -> Any:
    """Make the constraint that `serialize`, or Keras, described.

    Parameters
    ----------
    config : dict, str or None
        What `serialize` returned, or a name.
    custom_objects : mapping of str to class or function, optional
        Names that are not the package's own.

    Examples
    --------
    >>> deserialize(serialize(MaxNorm(3))).max_value
    3
    """
    return _registry.deserialize(config, custom_objects)


__getattr__ = missing("constraints")
