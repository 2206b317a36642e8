"""Metrics that count true and false positives and negatives at thresholds.

(https://keras.io/api/metrics/classification_metrics/)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rnn_ref.checks import integer, number
from rnn_ref.device import xp

from .._arrays import as_float, as_numbers, divide_no_nan, same_rank, weight_like
from .base import Metric

LOWEST = -1e10  # below every prediction; with `top_k`, all but the k best get this score


def count(y_true, y_pred, thresholds, sample_weight=None, label_weights=None, top_k=None, class_id=None, keep=0):
    """Weighted counts of the four outcomes at each threshold.

    A prediction is positive if it is larger than the threshold.

    Parameters
    ----------
    y_true, y_pred : array, shape (B,) or (B, ..., C)
    thresholds : array, shape (K,)
    sample_weight : array, optional
        With the shape of `y_pred`, or without its last axis.
    label_weights : array, shape (C,), optional
    top_k : int, optional
        Only the k largest predictions along the last axis can be positive.
    class_id : int, optional
        Count this class only.
        keep : int
        How many trailing axes to count separately: 1 counts each label for itself.

    Returns
    -------
    tp, fp, tn, fn : array, shape (K,) or (K, C)
    """
    y_pred, y_true = same_rank(as_float(y_pred), as_numbers(y_true))
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "Targets and predictions must have the same shape. "
            f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
        )
    weight = weight_like(sample_weight, y_pred).astype(y_pred.dtype)
    if top_k is not None:
        y_pred = _only_top_k(y_pred, top_k)
    if class_id is not None:
        if y_pred.ndim == 1:
            raise ValueError(f"`class_id` needs y_pred of shape (B, C). Received: y_pred.shape={y_pred.shape}")
        if not 0 <= class_id < y_pred.shape[-1]:
            raise ValueError(
                f"`class_id` must be one of the {y_pred.shape[-1]} classes of y_pred, from 0 on. "
                f"Received: class_id={class_id}"
            )
        y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
        weight = weight if weight.shape[-1] == 1 else weight[..., class_id, None]
    if label_weights is not None:
        weight = weight * _kept(label_weights, y_pred.dtype)
    y_true, weight = xp.broadcast_to(y_true, y_pred.shape), xp.broadcast_to(weight, y_pred.shape)

    columns = (-1, y_pred.shape[-1]) if keep else (-1, 1)
    is_true = y_true.astype(bool).reshape(columns)
    score, weight = y_pred.reshape(columns), weight.reshape(columns).astype(np.float64)
    # With predictions in ascending order, what is above a threshold is a tail of the list, and the weight of a
    # tail is the difference of two cumulative sums.
    order = xp.argsort(score, axis=0)
    score = xp.take_along_axis(score, order, 0)
    positive = _cumulative(xp.take_along_axis(xp.where(is_true, weight, 0), order, 0))
    negative = _cumulative(xp.take_along_axis(xp.where(is_true, 0, weight), order, 0))
    thresholds = _kept(thresholds, y_pred.dtype)
    first = xp.stack([xp.searchsorted(s, thresholds, side="right") for s in score.T], axis=1)
    fn, tn = xp.take_along_axis(positive, first, 0), xp.take_along_axis(negative, first, 0)
    counts = positive[-1] - fn, negative[-1] - tn, tn, fn
    return counts if keep else tuple(c[:, 0] for c in counts)


def _kept(numbers, dtype: np.dtype) -> np.ndarray:
    """Numbers that are the same for every batch, on the current device, so as to be sent to a GPU only once."""
    numbers = np.asarray(numbers, dtype)
    return numbers if xp.module is np else _sent(numbers.tobytes(), numbers.dtype)


@lru_cache
def _sent(numbers: bytes, dtype: np.dtype):
    return xp.asarray(np.frombuffer(numbers, dtype))


def _cumulative(x: np.ndarray) -> np.ndarray:
    """Sums of the first 0, 1, 2, ... rows."""
    return xp.concatenate([xp.zeros((1, x.shape[1])), xp.cumsum(x, axis=0)])


def _only_top_k(y_pred: np.ndarray, k: int) -> np.ndarray:
    # A stable sort: of equal predictions the first ones are taken.
    best = xp.argsort(-y_pred, axis=-1, kind="stable")[..., :k]
    kept = xp.full_like(y_pred, LOWEST)
    xp.put_along_axis(kept, best, xp.take_along_axis(y_pred, best, -1), -1)
    return kept


def _as_thresholds(thresholds, default: float, owner: str) -> list[float]:
    if thresholds is None:
        return [default]
    one = isinstance(thresholds, str) or not np.iterable(thresholds)
    return [number(t, "thresholds", owner, "[0, 1]") for t in ([thresholds] if one else thresholds)]


def _one_or_all(values: np.ndarray):
    return float(values[0]) if len(values) == 1 else np.array(values)


class _Counter(Metric):
    """One of the four counts."""

    _which: int

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(dtype, name)
        self.init_thresholds = thresholds
        self.thresholds = _as_thresholds(thresholds, 0.5, type(self).__name__)
        self.accumulator = self.add_variable((len(self.thresholds),), name="accumulator")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.accumulator.assign_add(count(y_true, y_pred, self.thresholds, sample_weight)[self._which])

    def result(self):
        return _one_or_all(self.accumulator)

    def get_config(self):
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Counter):
    """Number of true positives.

    >>> TruePositives()([0, 1, 1], [0.9, 0.8, 0.1])
    1.0
    """

    _which = 0


class FalsePositives(_Counter):
    """Number of false positives.

    >>> FalsePositives()([0, 1, 1], [0.9, 0.8, 0.1])
    1.0
    """

    _which = 1


class TrueNegatives(_Counter):
    """Number of true negatives.

    >>> TrueNegatives()([0, 1, 1], [0.9, 0.8, 0.1])
    0.0
    """

    _which = 2


class FalseNegatives(_Counter):
    """Number of false negatives.

    >>> FalseNegatives()([0, 1, 1], [0.9, 0.8, 0.1])
    1.0
    """

    _which = 3


class _Ratio(Metric):
    """Hits divided by hits and misses; the subclass says which kind of error is a miss."""

    _direction = "up"
    _misses: tuple[str, int]

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(dtype, name)
        owner = type(self).__name__
        self.init_thresholds = thresholds
        self.top_k = integer(top_k, "top_k", owner, least=1, optional=True)
        self.class_id = integer(class_id, "class_id", owner, least=0, optional=True)
        self.thresholds = _as_thresholds(thresholds, 0.5 if top_k is None else LOWEST, owner)
        self.true_positives = self.add_variable((len(self.thresholds),), name="true_positives")
        self.misses = self.add_variable((len(self.thresholds),), name=self._misses[0])

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch; arguments as for `count`."""
        counts = count(y_true, y_pred, self.thresholds, sample_weight, top_k=self.top_k, class_id=self.class_id)
        self.true_positives.assign_add(counts[0])
        self.misses.assign_add(counts[self._misses[1]])

    def result(self):
        return _one_or_all(divide_no_nan(self.true_positives, self.true_positives + self.misses))

    def get_config(self):
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_Ratio):
    """The fraction of positive predictions that are right: ``tp / (tp + fp)``.

    Parameters
    ----------
    thresholds : float or list of float, optional
        Predictions above are positive; 0.5 by default. A list gives one result for each.
    top_k : int, optional
        Only the k largest predictions of each sample can be positive.
    class_id : int, optional
        Look at this class only.

    Examples
    --------
    >>> Precision()([0, 1, 1, 1], [1, 0, 1, 1])
    0.666...
    """

    _misses = ("false_positives", 1)

    @property
    def false_positives(self):
        """False positives at each threshold."""
        return self.misses


class Recall(_Ratio):
    """The fraction of positive targets that were found: ``tp / (tp + fn)``. Parameters as for `Precision`.

    >>> Recall()([0, 1, 1], [1, 0, 1])
    0.5
    """

    _misses = ("false_negatives", 3)

    @property
    def false_negatives(self):
        """False negatives at each threshold."""
        return self.misses
