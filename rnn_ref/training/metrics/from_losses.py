"""Losses as metrics: their weighted mean over all samples seen. The formulas are in `losses`."""

from __future__ import annotations

import math

from rnn_ref.checks import number
from rnn_ref.device import xp

from .. import losses
from .._arrays import same_shape
from .base import Mean, MeanMetricWrapper


class _LossMetric(MeanMetricWrapper):
    _direction = "down"


class MeanSquaredError(_LossMetric):
    """The mean of `losses.mean_squared_error` (https://keras.io/api/metrics/regression_metrics/).

    >>> MeanSquaredError()([[0.0], [0.0]], [[1.0], [2.0]])
    2.5
    """

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(_LossMetric):
    """The mean of `losses.mean_absolute_error` (https://keras.io/api/metrics/regression_metrics/)."""

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(_LossMetric):
    """The mean of `losses.mean_absolute_percentage_error`.

    (https://keras.io/api/metrics/regression_metrics/)
    """

    def __init__(self, name="mean_absolute_percentage_error", dtype=None):
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(_LossMetric):
    """The mean of `losses.mean_squared_logarithmic_error`.

    (https://keras.io/api/metrics/regression_metrics/)
    """

    def __init__(self, name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The root of the mean squared error over everything seen.

    (https://keras.io/api/metrics/regression_metrics/)

    >>> RootMeanSquaredError()([[0.0], [0.0]], [[2.0], [2.0]])
    2.0
    """

    _direction = "down"

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = same_shape(y_true, y_pred)
        super().update_state(xp.square(y_pred - y_true), sample_weight)

    def result(self):
        return math.sqrt(super().result())


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and predictions: 1 is best, unlike the loss's -1.

    (https://keras.io/api/metrics/regression_metrics/)

    >>> CosineSimilarity()([[1.0, 0.0]], [[2.0, 0.0]])
    1.0
    """

    _direction = "up"

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(_cosine, name, dtype, axis=axis)


def _cosine(y_true, y_pred, axis):
    return -losses.cosine_similarity(y_true, y_pred, axis)


class LogCoshError(_LossMetric):
    """The mean of `losses.log_cosh` (https://keras.io/api/metrics/regression_metrics/)."""

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(losses.log_cosh, name, dtype)


class BinaryCrossentropy(_LossMetric):
    """The mean of `losses.binary_crossentropy` (https://keras.io/api/metrics/probabilistic_metrics/)."""

    def __init__(self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        number(label_smoothing, "label_smoothing", type(self).__name__, "[0, 1]")
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


class CategoricalCrossentropy(_LossMetric):
    """The mean of `losses.categorical_crossentropy` (https://keras.io/api/metrics/probabilistic_metrics/)."""

    def __init__(self, name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0, axis=-1):
        number(label_smoothing, "label_smoothing", type(self).__name__, "[0, 1]")
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(_LossMetric):
    """The mean of `losses.sparse_categorical_crossentropy`.

    As in Keras, samples of `ignore_class` have a loss of 0, and are left out of the mean only if there are
    sample weights (https://keras.io/api/metrics/probabilistic_metrics/).
    """

    def __init__(
        self,
        name="sparse_categorical_crossentropy",
        dtype=None,
        from_logits=False,
        ignore_class=None,
        axis=-1,
    ):
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self._loss = losses.SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis)

    def update_state(self, y_true, y_pred, sample_weight=None, mask=None):
        if sample_weight is not None or mask is not None:
            valid = self._loss.valid_mask(y_true, y_pred)
            if valid is not None:
                mask = valid if mask is None else valid & xp.asarray(mask, dtype=bool)
        super().update_state(y_true, y_pred, sample_weight, mask)


class KLDivergence(_LossMetric):
    """The mean of `losses.kl_divergence` (https://keras.io/api/metrics/probabilistic_metrics/)."""

    def __init__(self, name="kl_divergence", dtype=None):
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(_LossMetric):
    """The mean of `losses.poisson` (https://keras.io/api/metrics/probabilistic_metrics/)."""

    def __init__(self, name="poisson", dtype=None):
        super().__init__(losses.poisson, name, dtype)


class Hinge(_LossMetric):
    """The mean of `losses.hinge` (https://keras.io/api/metrics/hinge_metrics/)."""

    def __init__(self, name="hinge", dtype=None):
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(_LossMetric):
    """The mean of `losses.squared_hinge` (https://keras.io/api/metrics/hinge_metrics/)."""

    def __init__(self, name="squared_hinge", dtype=None):
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(_LossMetric):
    """The mean of `losses.categorical_hinge` (https://keras.io/api/metrics/hinge_metrics/)."""

    def __init__(self, name="categorical_hinge", dtype=None):
        super().__init__(losses.categorical_hinge, name, dtype)
