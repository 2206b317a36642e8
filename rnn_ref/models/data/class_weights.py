"""Sample weights from class weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnn_ref import checks
from rnn_ref.device import to_numpy


def check_class_weight(class_weight: Any, name: str) -> dict[int, float]:
    """``{class: weight}`` with classes as ints and weights as floats."""
    if not isinstance(class_weight, Mapping):
        raise TypeError(f"{name}: class_weight is a dict such as {{0: 1.0, 1: 5.0}}, got {class_weight!r}.")
    return {
        checks.integer(key, "a key of class_weight", name): checks.number(weight, f"class_weight[{key}]", name)
        for key, weight in class_weight.items()
    }


def weigh_classes(class_weight: dict[int, float], y: np.ndarray, output_shape: tuple, name: str) -> np.ndarray:
    """One weight for each class in the targets: for each sample, or for each of its time steps.

    Parameters
    ----------
    class_weight : dict of int to float
        Classes that are not in it have weight 1.
    y : ndarray, (B, ...) or (B, ..., 1) of labels, or (B, ..., C) of one-hot rows
    output_shape : tuple
        Of the model; its number of axes tells labels of time steps ``(B, T)`` from one-hot rows ``(B, C)``.
    name : str
        Of the model, for error messages.

    Returns
    -------
    ndarray, (B, ...)

    Examples
    --------
    >>> weigh_classes({1: 5.0}, np.array([0, 1, 1]), (None, 3), "model")
    array([1., 5., 5.], dtype=float32)
    >>> weigh_classes({1: 5.0}, np.array([[0, 1], [2, 1]]), (None, 2, 3), "model")
    array([[1., 5.],
           [1., 5.]], dtype=float32)
    """
    y = to_numpy(y)
    if y.ndim == len(output_shape) and y.shape[-1] > 1:
        labels = _of_one_hot(y, name)
    else:
        labels = y[..., 0] if y.ndim == len(output_shape) else y
        if (labels != np.round(labels)).any():
            raise ValueError(f"{name}: class_weight needs targets that are classes, got {labels.ravel()[:3]}, ...")
    classes, places = np.unique(labels.astype("int64"), return_inverse=True)
    weights = np.array([class_weight.get(int(k), 1.0) for k in classes], dtype="float32")
    return weights[places.reshape(labels.shape)]


def _of_one_hot(y: np.ndarray, name: str) -> np.ndarray:
    if (y < 0).any() or not np.allclose(y.sum(axis=-1), 1, atol=1e-3):
        raise ValueError(
            f"{name}: class_weight needs one class for each target, but rows of y (shape {y.shape}) do not sum to 1 as "
            "one-hot rows do; use sample_weight."
        )
    return y.argmax(axis=-1)
