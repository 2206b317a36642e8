"""Intersection over union of classes, from a confusion matrix.

(https://keras.io/api/metrics/segmentation_metrics/)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnn_ref.checks import integer, number
from rnn_ref.device import xp

from .._arrays import EPSILON, as_float, as_numbers, as_weights, whole
from .base import Metric


class IoU(Metric):
    """``tp / (tp + fp + fn)`` of the given classes, averaged over those that occur.

    Parameters
    ----------
    num_classes : int
        Anything outside 0 to ``num_classes - 1`` is ignored.
    target_class_ids : list of int
        The classes to average over.
    name, dtype : str, optional
    ignore_class : int, optional
        Targets of this class are ignored.
    sparse_y_true, sparse_y_pred : bool
        Classes are integers. Otherwise `axis` has a score for each class, and the largest one decides.
    axis : int

    Examples
    --------
    >>> round(IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1]), 4)
    0.3333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        super().__init__(dtype, name)
        owner = type(self).__name__
        self.num_classes = integer(num_classes, "num_classes", owner, least=1)
        self.target_class_ids = _classes(target_class_ids, self.num_classes, owner)
        self.ignore_class = integer(ignore_class, "ignore_class", owner, optional=True)
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable((self.num_classes, self.num_classes), name="total_confusion_matrix")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Take in a batch.

        Parameters
        ----------
        y_true, y_pred : array
            Classes, or scores of classes, of any shape.
        sample_weight : array, optional
            A number, or one for each target.
        """
        y_true = whole(xp.asarray(y_true)) if self.sparse_y_true else xp.argmax(as_numbers(y_true), axis=self.axis)
        y_pred = whole(xp.asarray(y_pred)) if self.sparse_y_pred else xp.argmax(as_numbers(y_pred), axis=self.axis)
        y_true, y_pred = y_true.reshape(-1), y_pred.reshape(-1)
        weight = xp.ones(1) if sample_weight is None else xp.asarray(as_weights(sample_weight), np.float64).reshape(-1)
        if y_true.shape != y_pred.shape or weight.size not in (1, y_true.size):
            raise ValueError(
                f"{type(self).__name__} needs as many predictions, and weights, as targets. Received: "
                f"{y_true.size} targets, {y_pred.size} predictions, {weight.size} weights."
            )
        n = self.num_classes
        counts = (y_true >= 0) & (y_true < n) & (y_pred >= 0) & (y_pred < n)
        if self.ignore_class is not None:
            counts &= y_true != self.ignore_class
        weight = xp.where(counts, weight, 0)
        pairs = xp.where(counts, y_true * n + y_pred, 0).astype(np.intp)
        self.total_cm.assign_add(xp.bincount(pairs, weights=weight, minlength=n * n).reshape(n, n))

    def result(self):
        matrix = np.asarray(self.total_cm)
        tp = np.diag(matrix)[self.target_class_ids]
        union = (matrix.sum(0) + matrix.sum(1))[self.target_class_ids] - tp
        occurs = union > 1e-9
        return float(np.sum(np.where(occurs, tp / (union + EPSILON), 0)) / (np.sum(occurs) + EPSILON))

    def get_config(self):
        names = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _classes(ids: Sequence[int], num_classes: int, owner: str) -> list[int]:
    ids = [integer(i, "target_class_ids", owner, least=0) for i in ids]
    if not ids or max(ids) >= num_classes:
        raise ValueError(
            f"{owner}: `target_class_ids` must be classes from 0 to {num_classes - 1}. "
            f"Received: target_class_ids={ids}, num_classes={num_classes}"
        )
    return ids


class BinaryIoU(IoU):
    """`IoU` of class 0, class 1 or both, where predictions of at least `threshold` are class 1.

    >>> round(BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]), 4)
    0.3333
    """

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = number(threshold, "threshold", type(self).__name__)

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, (as_float(y_pred) >= self.threshold).astype(np.intp), sample_weight)

    def get_config(self):
        own = {"target_class_ids": self.target_class_ids, "threshold": self.threshold}
        return {**Metric.get_config(self), **own}


class MeanIoU(IoU):
    """`IoU` of all classes. Parameters as for `IoU`.

    >>> round(MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1]), 4)
    0.3333
    """

    def __init__(
        self,
        num_classes,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        classes = range(integer(num_classes, "num_classes", type(self).__name__, least=1))
        super().__init__(num_classes, classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self):
        config = super().get_config()
        del config["target_class_ids"]
        return config


class OneHotIoU(IoU):
    """`IoU` of one-hot targets. Parameters as for `IoU`.

    >>> round(OneHotIoU(num_classes=2, target_class_ids=[0])([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]]), 4)
    0.5
    """

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_pred=False,
        axis=-1,
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self):
        config = super().get_config()
        del config["sparse_y_true"]
        return config


class OneHotMeanIoU(MeanIoU):
    """`IoU` of all classes of one-hot targets. Parameters as for `IoU`.

    >>> round(OneHotMeanIoU(num_classes=2)([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]]), 4)
    0.25
    """

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self):
        config = super().get_config()
        del config["sparse_y_true"]
        return config
