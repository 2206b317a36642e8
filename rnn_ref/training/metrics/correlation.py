"""Correlations along an axis, and the coefficient of determination."""

from __future__ import annotations

import warnings

import numpy as np

from rnn_ref.checks import integer
from rnn_ref.device import xp
from rnn_ref.guard import guarded

from .._arrays import EPSILON, as_float, same_rank, same_shape, weight_like
from .._identifiers import one_of
from .base import MeanMetricWrapper, Metric


@guarded
def pearson_correlation(y_true, y_pred, axis=-1):
    """Covariance of targets and predictions over the product of their standard deviations.

    NaN where either of them is constant (https://keras.io/api/metrics/regression_metrics/).

    >>> pearson_correlation([[0, 1, 2.0]], [[1, 3, 5.0]]).round(6).tolist()
    [1.0]
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    dtrue, dpred = _centred(y_true, axis), _centred(y_pred, axis)
    return xp.mean(dtrue * dpred, axis=axis) / (xp.std(dtrue, axis=axis) * xp.std(dpred, axis=axis))


@guarded
def concordance_correlation(y_true, y_pred, axis=-1):
    """``2 cov(t, p) / (var(t) + var(p) + (mean(t) - mean(p))^2)``: 1 only where predictions equal targets.

    (Lin, "A concordance correlation coefficient to evaluate reproducibility", 1989;
    https://keras.io/api/metrics/regression_metrics/)

    >>> concordance_correlation([[0, 1, 2.0]], [[1, 3, 5.0]]).round(4).tolist()
    [0.3636]
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    covariance = xp.mean(_centred(y_true, axis) * _centred(y_pred, axis), axis=axis)
    apart = xp.square(xp.mean(y_true, axis=axis) - xp.mean(y_pred, axis=axis))
    return 2 * covariance / (xp.var(y_true, axis=axis) + xp.var(y_pred, axis=axis) + apart + EPSILON)


def _centred(x, axis):
    return x - xp.mean(x, axis=axis, keepdims=True)


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation` (https://keras.io/api/metrics/regression_metrics/).

    >>> round(PearsonCorrelation()([[0, 1, 2.0]], [[1, 3, 5.0]]), 6)
    1.0
    """

    _direction = "up"

    def __init__(self, name="pearson_correlation", dtype=None, axis=-1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation` (https://keras.io/api/metrics/regression_metrics/).

    >>> round(ConcordanceCorrelation()([[0, 1, 2.0]], [[1, 3, 5.0]]), 4)
    0.3636
    """

    _direction = "up"

    def __init__(self, name="concordance_correlation", dtype=None, axis=-1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis


class R2Score(Metric):
    """The fraction of the targets' variance that is explained: ``1 - sum (t - p)^2 / sum (t - mean t)^2``.

    (https://keras.io/api/metrics/regression_metrics/#r2score-class)

    Parameters
    ----------
    class_aggregation : {"uniform_average", "variance_weighted_average", None}
        How to combine the scores of the outputs; None keeps them separate.
    num_regressors : int
        Adjust the score for this number of regressors.
    name, dtype : str, optional

    Examples
    --------
    >>> round(R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]), 4)
    0.5714
    """

    _direction = "up"

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        super().__init__(dtype, name)
        allowed = ("uniform_average", "variance_weighted_average", None)
        self.class_aggregation = one_of("class_aggregation", class_aggregation, allowed)
        self.num_regressors = integer(num_regressors, "num_regressors", type(self).__name__, least=0)
        self.num_samples = self.add_variable((), name="num_samples")
        self._built = False

    def _build(self, outputs: int) -> None:
        self._built = True
        self.squared_sum = self.add_variable((outputs,), name="squared_sum")
        self.sum = self.add_variable((outputs,), name="sum")
        self.total_mse = self.add_variable((outputs,), name="residual")
        self.count = self.add_variable((outputs,), name="count")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Take in a batch.

        Parameters
        ----------
        y_true, y_pred : array, shape (B, C)
        sample_weight : array, shape (B,) or (B, C), optional
        """
        y_true, y_pred = same_rank(as_float(y_true), as_float(y_pred))
        if y_pred.ndim != 2 or y_true.shape != y_pred.shape:
            raise ValueError(
                "R2Score needs targets and predictions of shape (B, C). "
                f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
            )
        if not self._built:
            self._build(y_pred.shape[1])
        y_true, y_pred = y_true.astype(np.float64), y_pred.astype(np.float64)
        weight = xp.broadcast_to(weight_like(sample_weight, y_pred), y_pred.shape)
        self.sum.assign_add(xp.sum(weight * y_true, axis=0))
        self.squared_sum.assign_add(xp.sum(weight * xp.square(y_true), axis=0))
        self.total_mse.assign_add(xp.sum(weight * xp.square(y_true - y_pred), axis=0))
        self.count.assign_add(xp.sum(weight, axis=0))
        self.num_samples.assign_add(y_true.size)

    def result(self):
        if not self._built:  # no batch yet
            return 0.0
        with np.errstate(divide="ignore", invalid="ignore"):  # for constant targets: 0 as in Keras, or NaN
            total = np.asarray(self.squared_sum - self.sum * (self.sum / self.count))
            scores = np.asarray(1 - self.total_mse / total)
            scores = np.where(np.isinf(scores), 0.0, scores)
            if self.class_aggregation == "uniform_average":
                scores = np.mean(scores)
            elif self.class_aggregation == "variance_weighted_average":
                scores = np.sum(total * scores) / np.sum(total)
        scores = self._adjusted(scores) if self.num_regressors else scores
        return float(scores) if scores.ndim == 0 else scores

    def _adjusted(self, scores):
        n, p = float(self.num_samples), self.num_regressors
        if p >= n - 1:
            warnings.warn(
                f"R2Score cannot be adjusted for num_regressors={p} with {n:.0f} samples: that takes more samples "
                "than regressors and one. The score is not adjusted.",
                stacklevel=3,
            )
            return scores
        return 1 - (1 - scores) * (n - 1) / (n - p - 1)

    def get_config(self):
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}
