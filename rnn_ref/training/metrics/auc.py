"""`AUC`: the area under a curve over all thresholds."""

from __future__ import annotations

import numpy as np

from rnn_ref.checks import integer, number, numbers
from rnn_ref.device import xp

from .._arrays import EPSILON, as_float, divide_no_nan
from .._identifiers import one_of
from .base import Metric
from .confusion import count


class AUC(Metric):
    """The area under the ROC, the precision-recall or the precision-recall-gain curve, as a Riemann sum.

    (https://keras.io/api/metrics/classification_metrics/#auc-class; precision-recall interpolation after
    Davis & Goadrich, "The relationship between precision-recall and ROC curves", 2006)

    Parameters
    ----------
    num_thresholds : int
        Number of thresholds, evenly spaced from 0 to 1.
    curve : {"ROC", "PR", "PRGAIN"}
    summation_method : {"interpolation", "minoring", "majoring"}
        Between thresholds take the middle, the lower or the higher end. ``"interpolation"`` of ``"PR"``
        interpolates the true positives instead.
    name, dtype : str, optional
    thresholds : list of float, optional
        Thresholds between 0 and 1, instead of evenly spaced ones.
    multi_label : bool
        Average the areas of the labels, instead of taking all labels together.
    num_labels : int, optional
        Number of labels, only with `multi_label`. By default that of the first batch.
    label_weights : array, shape (C,), optional
        Weights of the labels in the average, or of their samples without `multi_label`.
    from_logits : bool
        Predictions are logits.

    Examples
    --------
    >>> AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name=None,
        dtype=None,
        thresholds=None,
        multi_label=False,
        num_labels=None,
        label_weights=None,
        from_logits=False,
    ):
        super().__init__(dtype, name)
        self.curve = one_of("curve", str(curve).upper(), ("ROC", "PR", "PRGAIN"))
        self.summation_method = one_of(
            "summation_method", str(summation_method).lower(), ("interpolation", "minoring", "majoring")
        )
        owner = type(self).__name__
        self._init_thresholds = None
        if thresholds is not None:
            self._init_thresholds = sorted(number(t, "thresholds", owner, "[0, 1]") for t in thresholds)
        if thresholds is None:
            num_thresholds = integer(num_thresholds, "num_thresholds", owner, least=2)
            between = np.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        else:
            between = np.asarray(self._init_thresholds)
        # Just outside [0, 1], so that the curve starts with everything positive and ends with nothing positive.
        self._thresholds = np.concatenate([[-EPSILON], between, [1 + EPSILON]])
        self.num_thresholds = len(self._thresholds)
        num_labels = integer(num_labels, "num_labels", owner, least=1, optional=True)
        if label_weights is not None:
            label_weights = np.array(numbers(label_weights, "label_weights", owner), float, ndmin=1)
            for weight in label_weights.flat:
                number(weight, "label_weights", owner)
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is used with `multi_label=True` only.")
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = label_weights
        self.from_logits = from_logits
        if num_labels or not multi_label:
            self._build(num_labels)

    def _build(self, num_labels: int | None) -> None:
        shape = (self.num_thresholds, num_labels) if num_labels else (self.num_thresholds,)
        self.true_positives = self.add_variable(shape, name="true_positives")
        self.false_positives = self.add_variable(shape, name="false_positives")
        self.true_negatives = self.add_variable(shape, name="true_negatives")
        self.false_negatives = self.add_variable(shape, name="false_negatives")

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, with the two ends."""
        return self._thresholds.tolist()

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Take in a batch.

        Parameters
        ----------
        y_true, y_pred : array, shape (B,) or (B, ..., C)
            With `multi_label`, shape ``(B, C)``.
        sample_weight : array, optional
            The shape of `y_pred`, or without its last axis.
        """
        y_pred = as_float(y_pred)
        if self.multi_label and y_pred.ndim != 2:
            raise ValueError(f"`multi_label` needs y_pred of shape (B, C). Received: y_pred.shape={y_pred.shape}")
        if not self.variables:
            self._build(y_pred.shape[1])
        if self.from_logits:
            y_pred = 0.5 * (1 + xp.tanh(0.5 * y_pred))  # the sigmoid, without overflow
        counts = count(
            y_true,
            xp.clip(y_pred, 0, 1),
            self._thresholds,
            sample_weight,
            label_weights=None if self.multi_label else self.label_weights,
            keep=int(self.multi_label),
        )
        for variable, batch in zip(self.variables, counts):
            variable.assign_add(batch)

    def result(self):
        if not self.variables:  # multi-label, and no batch yet
            return 0.0
        areas = self._areas(*map(np.asarray, self.variables))
        if not self.multi_label:
            return float(areas)
        weights = np.ones(areas.shape) if self.label_weights is None else self.label_weights
        return float(divide_no_nan(np.sum(areas * weights), np.sum(weights)))

    def _areas(self, tp, fp, tn, fn) -> np.ndarray:
        """Area under the curve; one for each label if the counts, shape ``(K,)`` or ``(K, C)``, have labels."""
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._interpolated_pr(tp, fp, fn)
        recall = divide_no_nan(tp, tp + fn)
        if self.curve == "ROC":
            x, y = divide_no_nan(fp, fp + tn), recall
        elif self.curve == "PR":
            x, y = recall, divide_no_nan(tp, tp + fp)
        else:
            odds = divide_no_nan(tp + fn, tn + fp)
            x = np.maximum(np.where(tp == 0, 0, 1 - odds * divide_no_nan(fn, tp)), 0)
            y = np.where(tp == 0, 1, 1 - odds * divide_no_nan(fp, tp))
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2
        elif self.summation_method == "minoring":
            heights = np.minimum(y[:-1], y[1:])
        else:
            heights = np.maximum(y[:-1], y[1:])
        return np.sum((x[:-1] - x[1:]) * heights, axis=0)

    @staticmethod
    def _interpolated_pr(tp, fp, fn) -> np.ndarray:
        """Between two thresholds, true positives are taken as linear in positives p, and tp / p is integrated."""
        p = tp + fp
        dtp = tp[:-1] - tp[1:]
        slope = divide_no_nan(dtp, np.maximum(p[:-1] - p[1:], 0))
        intercept = tp[1:] - slope * p[1:]
        both = (p[:-1] > 0) & (p[1:] > 0)
        ratio = np.where(both, divide_no_nan(p[:-1], p[1:]), 1)
        return np.sum(divide_no_nan(slope * (dtp + intercept * np.log(ratio)), tp[1:] + fn[1:]), axis=0)

    def get_config(self):
        own = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self.from_logits,
        }
        if self._init_thresholds is not None:
            own["thresholds"] = self._init_thresholds
        return {**super().get_config(), **own}
