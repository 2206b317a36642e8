"""Vectors to unit length."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnn_ref import checks, linalg
from rnn_ref.guard import guarded


@guarded
def normalize(x: ArrayLike, axis: int = -1, order: float = 2) -> np.ndarray:
    """Divide vectors by their norm, as `keras.utils.normalize` does; vectors of norm zero stay zero.

    Any `axis` works and a vector stays a vector. (`keras.utils.normalize` treats `axis=0` as the last one when it
    expands the norms, and returns shape `(1, N)` for a vector of shape `(N,)`.)

    Parameters
    ----------
    x : array_like
        The array.
    axis : int
        The axis along which the vectors lie.
    order : float
        The order of the norm: 2 is the Euclidean length, 1 the sum of magnitudes, `numpy.inf` the largest.

    Returns
    -------
    numpy.ndarray
        Of the shape of `x`.

    Raises
    ------
    TypeError
        If `axis` is not an integer.

    Examples
    --------
    >>> normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    if not isinstance(axis, int | np.integer):
        raise TypeError(f"axis should be an integer, got {axis!r}; flatten the array to normalize it as a whole")
    x = np.asarray(checks.numbers(x, "x", "normalize"))
    norms = linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(norms == 0, 1, norms)
