"""The best value of one ratio, over all thresholds, where another reaches a given value.

(https://keras.io/api/metrics/classification_metrics/)
"""

from __future__ import annotations

import numpy as np

from rnn_ref.checks import integer, number

from .._arrays import divide_no_nan
from .base import Metric
from .confusion import count


class _AtValue(Metric):
    """The largest ``_best`` among the thresholds at which ``_held`` is at least `value`; 0 if there is none."""

    _direction = "up"
    _argument: str  # the constructor's name for `value`
    _held: str
    _best: str

    def __init__(self, value, num_thresholds, class_id, name, dtype):
        super().__init__(dtype, name)
        owner = type(self).__name__
        self.value = number(value, self._argument, owner, "[0, 1]")
        self.num_thresholds = integer(num_thresholds, "num_thresholds", owner, least=1)
        self.class_id = integer(class_id, "class_id", owner, least=0, optional=True)
        self.thresholds = np.linspace(0, 1, self.num_thresholds).tolist() if self.num_thresholds > 1 else [0.5]
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape, name="true_positives")
        self.false_positives = self.add_variable(shape, name="false_positives")
        self.true_negatives = self.add_variable(shape, name="true_negatives")
        self.false_negatives = self.add_variable(shape, name="false_negatives")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Take in a batch; arguments as for `Precision`."""
        counts = count(y_true, y_pred, self.thresholds, sample_weight, class_id=self.class_id)
        for variable, batch in zip(self.variables, counts):
            variable.assign_add(batch)

    def result(self):
        tp, fp, tn, fn = map(np.asarray, self.variables)
        ratios = {
            "precision": divide_no_nan(tp, tp + fp),
            "recall": divide_no_nan(tp, tp + fn),  # also called sensitivity
            "specificity": divide_no_nan(tn, tn + fp),
        }
        return float(np.max(np.where(ratios[self._held] >= self.value, ratios[self._best], 0)))

    def get_config(self):
        own = {"num_thresholds": self.num_thresholds, "class_id": self.class_id, self._argument: self.value}
        return {**super().get_config(), **own}


class SensitivityAtSpecificity(_AtValue):
    """The best ``tp / (tp + fn)`` where ``tn / (tn + fp)`` is at least `specificity`.

    Parameters
    ----------
    specificity : float
        In ``[0, 1]``.
    num_thresholds : int
        Number of thresholds, evenly spaced from 0 to 1.
    class_id : int, optional
        Look at this class only.
    name, dtype : str, optional

    Examples
    --------
    >>> SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    0.5
    """

    _argument, _held, _best = "specificity", "specificity", "recall"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = self.value


class SpecificityAtSensitivity(_AtValue):
    """The best ``tn / (tn + fp)`` where ``tp / (tp + fn)`` is at least `sensitivity`.

    Parameters as for `SensitivityAtSpecificity`.

    >>> round(SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]), 4)
    0.6667
    """

    _argument, _held, _best = "sensitivity", "recall", "specificity"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = self.value


class PrecisionAtRecall(_AtValue):
    """The best precision where the recall is at least `recall`. Parameters as for `SensitivityAtSpecificity`.

    >>> PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])
    0.5
    """

    _argument, _held, _best = "recall", "recall", "precision"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = self.value


class RecallAtPrecision(_AtValue):
    """The best recall where the precision is at least `precision`. Parameters as for `SensitivityAtSpecificity`.

    >>> RecallAtPrecision(0.8)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    0.5
    """

    _argument, _held, _best = "precision", "precision", "recall"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = self.value
