"""Regularizers: penalties on a weight or on a layer's output, added to the loss.

Each computes its value in `__call__` and, right below, its gradient. Names and formulas are those of
https://keras.io/api/layers/regularizers/.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from rnn_ref import checks
from rnn_ref.device import to_numpy, xp
from rnn_ref.guard import Guarded, explained
from rnn_ref.layers.matmul import matmul
from rnn_ref.names import missing
from rnn_ref.reading import number
from rnn_ref.registry import Config, Registry
from rnn_ref.spelling import Spelled

# Keras's guard against dividing by a vanishing norm.
EPSILON = 1e-7


class Regularizer(Guarded, Spelled):
    """Base class: a subclass has a `__call__` and a `get_config`, and may have a `gradient`.

    If it has no `gradient`, `__call__` must compute with `autograd.numpy`, and HIPS autograd differentiates it.

    Examples
    --------
    >>> class TowardsOne(Regularizer):
    ...     def __call__(self, x):
    ...         return float(np.sum((x - 1) ** 2))
    ...
    ...     def gradient(self, x):
    ...         return 2 * (x - 1)
    >>> TowardsOne().gradient(np.array([1.0, 3.0]))
    array([0., 4.])
    """

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "__call__" in vars(cls) and "gradient" not in vars(cls):  # a base class's is for its own __call__
            cls.gradient = Regularizer.gradient

    def __call__(self, x: ArrayLike) -> float:
        """Return the penalty on an array `x` of any shape; on a GPU as an array without axes, so as not to wait."""
        return 0.0

    def gradient(self, x: ArrayLike) -> np.ndarray:
        """Return the derivative of the penalty by each entry, in the shape and precision of `x`."""
        if type(self).__call__ is Regularizer.__call__:
            raise NotImplementedError(f"{type(self).__name__} should define __call__(self, x), and may a gradient.")
        try:
            from autograd import grad

            return xp.asarray(grad(self.__call__)(to_numpy(x)))
        except Exception as error:
            raise NotImplementedError(
                f"{type(self).__name__} has no gradient(self, x), and autograd cannot differentiate its __call__ "
                f"({type(error).__name__}: {error}). Write gradient(self, x), the derivative of __call__(x) in the "
                "shape of x, or compute with `import autograd.numpy as np`, without float() and super().__call__()."
            ) from error

    def get_config(self) -> Config:
        """Return the constructor's arguments, as values that JSON can hold."""
        raise NotImplementedError(f"{type(self).__name__} should define get_config(self) to be saved")

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a regularizer from what `get_config` returned."""
        return cls(**config)


class _FunctionRegularizer(Regularizer):
    """A penalty computed by a Python function, which HIPS autograd differentiates.

    Parameters
    ----------
    function : callable
        ``function(x)`` returns one number, and computes with operators and `autograd.numpy`.

    Examples
    --------
    >>> cubed = _FunctionRegularizer(lambda x: (x**3).sum())
    >>> float(cubed(np.array([1.0, 2.0]))), cubed.gradient(np.array([1.0, 2.0])).tolist()
    (9.0, [3.0, 12.0])
    """

    def __init__(self, function: Callable):
        self.function = function

    def __call__(self, x):
        return self.function(x)


class L1(Regularizer):
    """`l1 * sum(|x|)`: pulls every entry towards zero with the same force, so that many become zero.

    At zero, where `|x|` has a corner, the gradient is 0.

    Parameters
    ----------
    l1 : float
        Factor, not negative. `None` is the default.

    Raises
    ------
    ValueError
        If the factor is negative, infinite or not a number.

    Examples
    --------
    >>> L1(0.5)(np.array([1.0, -3.0])), L1(0.5).gradient(np.array([1.0, -3.0]))
    (2.0, array([ 0.5, -0.5]))
    """

    def __init__(self, l1: float | None = 0.01):
        self.l1 = _checked_factor(0.01 if l1 is None else l1, "l1")

    def __call__(self, x: ArrayLike) -> float:
        return self.l1 * _sum(xp.abs(_floats(x)))

    def gradient(self, x: ArrayLike) -> np.ndarray:
        return self.l1 * xp.sign(_floats(x))

    def get_config(self) -> Config:
        return {"l1": self.l1}


class L2(Regularizer):
    """`l2 * sum(x**2)`: pulls every entry towards zero with a force proportional to it.

    Parameters
    ----------
    l2 : float
        Factor, not negative. `None` is the default.

    Raises
    ------
    ValueError
        If the factor is negative, infinite or not a number.

    Examples
    --------
    >>> L2(0.5)(np.array([1.0, -3.0])), L2(0.5).gradient(np.array([1.0, -3.0]))
    (5.0, array([ 1., -3.]))
    """

    def __init__(self, l2: float | None = 0.01):
        self.l2 = _checked_factor(0.01 if l2 is None else l2, "l2")

    def __call__(self, x: ArrayLike) -> float:
        return self.l2 * _sum(xp.square(_floats(x)))

    def gradient(self, x: ArrayLike) -> np.ndarray:
        return 2 * self.l2 * _floats(x)

    def get_config(self) -> Config:
        return {"l2": self.l2}


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x**2)`, also called the elastic net.

    Parameters
    ----------
    l1, l2 : float
        Factors, not negative. Both default to 0; only the string "l1_l2" means 0.01 and 0.01.

    Raises
    ------
    ValueError
        If a factor is negative, infinite or not a number.

    Examples
    --------
    >>> L1L2(l1=0.5, l2=0.5)(np.array([1.0, -3.0]))
    7.0
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0):
        self.l1 = _checked_factor(0.0 if l1 is None else l1, "l1")
        self.l2 = _checked_factor(0.0 if l2 is None else l2, "l2")

    def __call__(self, x: ArrayLike) -> float:
        x = _floats(x)
        return self.l1 * _sum(xp.abs(x)) + self.l2 * _sum(xp.square(x))

    def gradient(self, x: ArrayLike) -> np.ndarray:
        x = _floats(x)
        return self.l1 * xp.sign(x) + 2 * self.l2 * x

    def get_config(self) -> Config:
        return {"l1": self.l1, "l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean of `|cos|` of the angles between the rows, or between the columns, of a matrix.

    It is zero if they are orthogonal to each other. A single row or column makes no pair and has no penalty
    (where Keras returns NaN).

    Parameters
    ----------
    factor : float
        Factor, not negative.
    mode : {"rows", "columns"}
        What should become orthogonal.

    Raises
    ------
    ValueError
        If `factor` or `mode` is invalid, or an array that is not a matrix is given.

    Examples
    --------
    >>> regularizer = OrthogonalRegularizer(factor=1.0)
    >>> regularizer(np.eye(3)), regularizer(np.ones((2, 2), "float32"))
    (0.0, 0.99...)
    """

    MODES = ("rows", "columns")

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        self.factor = _checked_factor(factor, "factor")
        if mode not in self.MODES:
            raise ValueError(f"mode should be one of {', '.join(self.MODES)}; got {mode!r}")
        self.mode = mode

    def __call__(self, x: ArrayLike) -> float:
        vectors, _ = self._unit_vectors(x)
        return self._factor_per_pair(len(vectors)) * _sum(xp.abs(_cosines(vectors)))

    def gradient(self, x: ArrayLike) -> np.ndarray:
        u, norms = self._unit_vectors(x)
        # Each cosine u_i . u_j occurs twice in the symmetric matrix.
        du = 2 * self._factor_per_pair(len(u)) * matmul(xp.sign(_cosines(u)), u)
        # u = v / |v|: a change along u changes only the length. Below EPSILON, u = v / EPSILON is linear.
        along = xp.sum(u * du, axis=1, keepdims=True)
        dv = xp.where(norms > EPSILON, du - along * u, du) / xp.maximum(norms, EPSILON)
        return dv if self.mode == "rows" else dv.T

    def get_config(self) -> Config:
        return {"factor": self.factor, "mode": self.mode}

    def _unit_vectors(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows or columns as unit vectors (N, D), and their lengths (N, 1)."""
        x = _floats(x)
        if x.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer needs a matrix, got an array of shape {x.shape}")
        vectors = x if self.mode == "rows" else x.T
        norms = xp.sqrt(xp.sum(vectors * vectors, axis=1, keepdims=True))
        return vectors / xp.maximum(norms, EPSILON), norms

    def _factor_per_pair(self, n: int) -> float:
        # Half of `factor` over the number of pairs, since every pair occurs twice in the matrix of cosines.
        return self.factor / (n * (n - 1)) if n > 1 else 0.0


def _cosines(u: np.ndarray) -> np.ndarray:
    """Return u_i . u_j for i != j, and 0 on the diagonal: (N, D) to (N, N)."""
    cosines = matmul(u, u.T)
    xp.fill_diagonal(cosines, 0)
    return cosines


def _sum(x: np.ndarray):
    # In float64: a float32 sum over a large kernel would lose digits that cost nothing to keep.
    return number(xp.sum(x, dtype=np.float64))


def _floats(x: ArrayLike) -> np.ndarray:
    x = xp.asarray(checks.numbers(x, "x", "regularizers"))
    return x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float64)


def _checked_factor(value: float, name: str) -> float:
    if isinstance(value, numbers.Real) and math.isfinite(value) and value >= 0:
        return float(value)
    raise ValueError(f"{name} should be a finite number that is not negative, got {value!r}")


# Keras spells each class in snake_case as well: `regularizers.l2(0.01)`.
l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

_registry = Registry("regularizer", [L1, L2, L1L2, OrthogonalRegularizer], {"l1_l2": L1L2})


@explained
def get(identifier: Any) -> Any:
    """Turn whatever a layer accepts as a regularizer into one.

    Parameters
    ----------
    identifier : str, dict, type, Regularizer or None
        A name ("l1", "l2", "l1_l2", "orthogonal_regularizer", or a class name), a config dict, a class, or
        any callable `value(x)`; if it has no `gradient(x)`, HIPS autograd differentiates it.

    Returns
    -------
    Regularizer or None
        `None` for `None`.

    Raises
    ------
    ValueError
        If the name is unknown (the message lists the known ones).

    Examples
    --------
    >>> get("l2").get_config()
    {'l2': 0.01}
    """
    if identifier == "l1_l2":
        # What Keras documents for the string; the class by default penalizes nothing.
        return L1L2(l1=0.01, l2=0.01)
    regularizer = _registry.get(identifier)
    if regularizer is not None and not callable(getattr(regularizer, "gradient", None)):
        return _FunctionRegularizer(regularizer)
    return regularizer


def penalty(regularizer: Callable, x: ArrayLike, whose: str) -> Any:
    """Return the penalty on the array `x` as a number; on a GPU as it is, so as not to wait for it.

    Raises
    ------
    TypeError
        If the regularizer does not return a single number; the message starts with `whose` regularizer it is.
    """
    value = regularizer(x)
    if getattr(value, "size", None) != 1 and not isinstance(value, numbers.Real):
        got = f"an array of shape {value.shape}" if hasattr(value, "shape") else repr(value)
        of = getattr(regularizer, "function", regularizer)
        raise TypeError(f"{whose}: {of!r} must return one number for an array of shape {x.shape}, it returned {got}.")
    return number(value)


@explained
def serialize(regularizer: Regularizer | None) -> Config | None:
    """Describe a regularizer by a dict in Keras's form.

    Examples
    --------
    >>> serialize(L2(0.1))["config"]
    {'l2': 0.1}
    """
    return _registry.serialize(regularizer.function if isinstance(regularizer, _FunctionRegularizer) else regularizer)


@explained
def deserialize(config: Config | str | None, custom_objects: Mapping[str, Callable] | None = None) -> Any:
    """Make the regularizer that `serialize`, or Keras, described.

    Parameters
    ----------
    config : dict, str or None
        What `serialize` returned, or a name.
    custom_objects : mapping of str to class, optional
        Names that are not the package's own.

    Examples
    --------
    >>> deserialize(serialize(L1(0.1))).l1
    0.1
    """
    return _registry.deserialize(config, custom_objects)


__getattr__ = missing("regularizers")
