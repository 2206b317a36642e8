"""Class numbers to one-hot vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnn_ref import checks
from rnn_ref.guard import guarded


@guarded
def to_categorical(x: ArrayLike, num_classes: int | None = None) -> np.ndarray:
    """Write class numbers as one-hot vectors, as `keras.utils.to_categorical` does.

    Parameters
    ----------
    x : array_like of int, shape (...) or (..., 1)
        Class numbers from 0 to `num_classes - 1`. A last dimension of size 1 is dropped.
    num_classes : int, optional
        Length of the vectors. By default the largest number plus one.

    Returns
    -------
    numpy.ndarray of float64, shape (..., num_classes)

    Raises
    ------
    ValueError
        If a number is not whole, is negative, or is too large for `num_classes`; or if `x` is empty and
        `num_classes` is not given.

    Examples
    --------
    >>> to_categorical([0, 2], num_classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    given = np.asarray(checks.numbers(x, "x", "to_categorical"))
    classes = given.astype(np.int64)
    if not np.array_equal(classes, given):
        raise ValueError(f"class numbers should be whole numbers, got {given!r}")
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    if num_classes is None:
        if classes.size == 0:
            raise ValueError("num_classes cannot be inferred from an empty array: give it")
        num_classes = int(classes.max()) + 1
    if classes.size and not 0 <= classes.min() <= classes.max() < num_classes:
        raise ValueError(
            f"class numbers should be from 0 to num_classes - 1 = {num_classes - 1}; got numbers from "
            f"{classes.min()} to {classes.max()}"
        )
    one_hot = np.zeros((*classes.shape, num_classes))
    np.put_along_axis(one_hot, classes[..., np.newaxis], 1.0, axis=-1)
    return one_hot
