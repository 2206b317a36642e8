"""How often predictions are right. Each function returns one match, 0 or 1, per sample or time step."""

from __future__ import annotations

import numpy as np

from rnn_ref.checks import flag, integer, number
from rnn_ref.device import xp
from rnn_ref.guard import guarded

from .._arrays import as_numbers, inside_classes, same_shape, whole
from .base import MeanMetricWrapper


def _matches(is_match: np.ndarray) -> np.ndarray:
    return is_match.astype(np.float32)


def accuracy(y_true, y_pred):
    """Where targets and predictions are equal.

    >>> accuracy(np.array([1, 2]), np.array([1, 3])).tolist()
    [1.0, 0.0]
    """
    return _matches(xp.equal(*same_shape(y_true, y_pred)))


@guarded
def binary_accuracy(y_true, y_pred, threshold=0.5):
    """Where a prediction is on the target's side of the threshold.

    >>> binary_accuracy(np.array([1, 0]), np.array([0.6, 0.7])).tolist()
    [1.0, 0.0]
    """
    threshold = number(threshold, "threshold", "binary_accuracy")
    y_true, y_pred = same_shape(y_true, y_pred)
    return _matches(y_true == (y_pred > threshold))


@guarded
def categorical_accuracy(y_true, y_pred):
    """Where the largest prediction is the class of a one-hot target.

    >>> categorical_accuracy(np.array([[0, 1]]), np.array([[0.2, 0.8]])).tolist()
    [1.0]
    """
    y_true, y_pred = _one_hot(y_true, y_pred)
    return _matches(xp.argmax(y_true, axis=-1) == xp.argmax(y_pred, axis=-1))


@guarded
def sparse_categorical_accuracy(y_true, y_pred):
    """Where the largest prediction is the class of an integer target.

    >>> sparse_categorical_accuracy(np.array([1]), np.array([[0.2, 0.8]])).tolist()
    [1.0]
    """
    y_true, y_pred = _sparse(y_true, y_pred)
    return _matches(y_true == xp.argmax(y_pred, axis=-1))


@guarded
def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """Where the class of a one-hot target is among the k largest predictions.

    >>> top_k_categorical_accuracy(np.array([[0, 1, 0]]), np.array([[0.5, 0.3, 0.2]]), k=2).tolist()
    [1.0]
    """
    y_true, y_pred = _one_hot(y_true, y_pred)
    return sparse_top_k_categorical_accuracy(xp.argmax(y_true, axis=-1), y_pred, k)


def _one_hot(y_true, y_pred) -> tuple[np.ndarray, np.ndarray]:
    y_true, y_pred = as_numbers(y_true), as_numbers(y_pred)
    if y_true.shape != y_pred.shape or not y_pred.ndim:
        raise ValueError(
            "One-hot targets must have the shape of the predictions. "
            f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
        )
    return y_true, y_pred


@guarded
def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """Where the class of an integer target is among the k largest predictions.

    Parameters
    ----------
    y_true : array of int, shape (...,)
    y_pred : array, shape (..., C)
    k : int
    from_sorted_ids : bool
        `y_pred` holds classes, best first, instead of scores.

    Examples
    --------
    >>> sparse_top_k_categorical_accuracy(np.array([2]), np.array([[0.5, 0.3, 0.2]]), k=2).tolist()
    [0.0]
    """
    y_true, y_pred = _sparse(y_true, y_pred)
    if from_sorted_ids:
        return _matches(xp.any(y_pred[..., :k] == y_true[..., None], axis=-1))
    labels = inside_classes(y_true, y_pred.shape[-1])
    score = xp.take_along_axis(y_pred, labels[..., None], axis=-1)
    return _matches(xp.count_nonzero(y_pred > score, axis=-1) < k)


def _sparse(y_true, y_pred) -> tuple[np.ndarray, np.ndarray]:
    """Integer targets without a last dimension of 1 that stands for the class axis."""
    y_true, y_pred = whole(y_true), as_numbers(y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true[..., 0]
    if y_true.shape != y_pred.shape[:-1]:
        raise ValueError(
            "Integer targets must have the shape of the predictions without the class axis. "
            f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
        )
    return y_true, y_pred


class Accuracy(MeanMetricWrapper):
    """How often predictions equal targets (https://keras.io/api/metrics/accuracy_metrics/).

    >>> Accuracy()([1, 2], [1, 3])
    0.5
    """

    _direction = "up"

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions are on the targets' side of the threshold.

    (https://keras.io/api/metrics/accuracy_metrics/)

    >>> BinaryAccuracy()([1, 0], [0.6, 0.7])
    0.5
    """

    _direction = "up"

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        self.threshold = number(threshold, "threshold", type(self).__name__)
        super().__init__(binary_accuracy, name, dtype, threshold=self.threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the class of a one-hot target.

    (https://keras.io/api/metrics/accuracy_metrics/)

    >>> CategoricalAccuracy()([[0, 1], [0, 1]], [[0.2, 0.8], [0.7, 0.3]])
    0.5
    """

    _direction = "up"

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the class of an integer target.

    (https://keras.io/api/metrics/accuracy_metrics/)

    >>> SparseCategoricalAccuracy()([1, 1], [[0.2, 0.8], [0.7, 0.3]])
    0.5
    """

    _direction = "up"

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of a one-hot target is among the k largest predictions.

    (https://keras.io/api/metrics/accuracy_metrics/)

    >>> TopKCategoricalAccuracy(k=2)([[0, 1, 0]], [[0.5, 0.3, 0.2]])
    1.0
    """

    _direction = "up"

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        self.k = integer(k, "k", type(self).__name__, least=1)
        super().__init__(top_k_categorical_accuracy, name, dtype, k=self.k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of an integer target is among the k largest predictions.

    (https://keras.io/api/metrics/accuracy_metrics/)

    >>> SparseTopKCategoricalAccuracy(k=2)([1], [[0.5, 0.3, 0.2]])
    1.0
    """

    _direction = "up"

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None, from_sorted_ids=False):
        self.k = integer(k, "k", type(self).__name__, least=1)
        self.from_sorted_ids = flag(from_sorted_ids, "from_sorted_ids", type(self).__name__)
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=self.k, from_sorted_ids=self.from_sorted_ids)
