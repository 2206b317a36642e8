"""`FBetaScore` and `F1Score`: precision and recall of each class in one number."""

from __future__ import annotations

import numpy as np

from rnn_ref.checks import number
from rnn_ref.device import xp

from .._arrays import EPSILON, as_float, weight_like
from .._identifiers import one_of
from .base import Metric


class FBetaScore(Metric):
    """``(1 + beta^2) * precision * recall / (beta^2 * precision + recall)`` for each class.

    (https://keras.io/api/metrics/classification_metrics/#fbetascore-class; van Rijsbergen, "Information
    retrieval", 1979)

    Parameters
    ----------
    average : {None, "micro", "macro", "weighted"}
        None gives one score for each class, ``"macro"`` their mean, ``"weighted"`` their mean weighted by how
        often each class is the target; ``"micro"`` counts the outcomes of all classes together.
    beta : float
        How many times more recall matters than precision.
    threshold : float, optional
        Predictions above it are positive. By default the largest of each sample is, unless it is 0.
    name, dtype : str, optional

    Examples
    --------
    >>> FBetaScore(beta=2.0, threshold=0.5)([[1, 1], [1, 0]], [[0.2, 0.6], [0.6, 0.6]]).round(3)
    array([0.556, 0.833])
    """

    _direction = "up"

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(dtype, name)
        owner = type(self).__name__
        self.average = one_of("average", average, (None, "micro", "macro", "weighted"))
        self.beta = number(beta, "beta", owner, "(0, inf)")
        self.threshold = number(threshold, "threshold", owner, "(0, 1]", optional=True)

    def _build(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)
        self.true_positives = self.add_variable(shape, name="true_positives")
        self.false_positives = self.add_variable(shape, name="false_positives")
        self.false_negatives = self.add_variable(shape, name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, name="intermediate_weights")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Take in a batch.

        Parameters
        ----------
        y_true, y_pred : array, shape (B, C)
            Targets are 0 or 1.
        sample_weight : array, shape (B,), optional
        """
        y_true, y_pred = as_float(y_true), as_float(y_pred)
        if y_pred.ndim != 2 or y_true.shape != y_pred.shape:
            raise ValueError(
                f"{type(self).__name__} needs targets and predictions of shape (B, C). "
                f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
            )
        if not self.variables:
            self._build(y_pred.shape[1])
        if self.threshold is None:
            best = xp.max(y_pred, axis=-1, keepdims=True)
            positive = (y_pred >= best) & (xp.abs(y_pred) > 1e-9)
        else:
            positive = y_pred > self.threshold
        weight = weight_like(sample_weight, y_pred)
        axis = None if self.average == "micro" else 0
        for variable, outcome in (
            (self.true_positives, positive * y_true),
            (self.false_positives, positive * (1 - y_true)),
            (self.false_negatives, ~positive * y_true),
            (self.intermediate_weights, y_true),
        ):
            variable.assign_add(xp.sum(outcome * weight, axis=axis, dtype=np.float64))

    def result(self):
        if not self.variables:  # no batch yet
            return 0.0
        tp, fp, fn, weights = map(np.asarray, self.variables)
        precision, recall = tp / (tp + fp + EPSILON), tp / (tp + fn + EPSILON)
        score = (1 + self.beta**2) * precision * recall / (self.beta**2 * precision + recall + EPSILON)
        if self.average == "weighted":
            return float(np.sum(score * weights) / (np.sum(weights) + EPSILON))
        return score if self.average is None else float(np.mean(score))

    def get_config(self):
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **own}


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall for each class; parameters as for `FBetaScore`.

    (https://keras.io/api/metrics/classification_metrics/#f1score-class)

    >>> F1Score(threshold=0.5)([[1, 1], [1, 0]], [[0.2, 0.6], [0.6, 0.6]]).round(3)
    array([0.667, 0.667])
    """

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self):
        config = super().get_config()
        del config["beta"]
        return config
