"""Losses for real-valued targets. In every formula, n is the size of the last axis: t is y_true, p is y_pred.

Targets and predictions have the same shape ``(..., n)``, losses per sample the shape ``(...,)``.
"""

from __future__ import annotations

import math

from rnn_ref.checks import number
from rnn_ref.device import xp

from .._arrays import EPSILON, same_shape
from .base import Loss


class MeanSquaredError(Loss):
    """``mean((t - p)^2)`` (https://keras.io/api/losses/regression_losses/#meansquarederror-class).

    >>> float(MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.5
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        return xp.square(y_pred - y_true).sum(axis=-1) / y_pred.shape[-1]

    def gradient(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        return (y_pred - y_true) * (2 / y_pred.shape[-1])


class MeanAbsoluteError(Loss):
    """``mean(|t - p|)`` (https://keras.io/api/losses/regression_losses/#meanabsoluteerror-class).

    Where targets and predictions are equal, the slope is taken to be 0.

    >>> float(MeanAbsoluteError()([[0.0, 1.0]], [[3.0, 1.0]]))
    1.5
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        return xp.mean(xp.abs(y_pred - y_true), axis=-1)

    def gradient(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        return xp.sign(y_pred - y_true) / y_pred.shape[-1]


class MeanAbsolutePercentageError(Loss):
    """``100 * mean(|t - p| / max(|t|, 1e-7))``.

    (https://keras.io/api/losses/regression_losses/#meanabsolutepercentageerror-class)

    >>> float(MeanAbsolutePercentageError()([[2.0, 1.0]], [[3.0, 1.0]]))
    25.0
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_percentage_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        return 100 * xp.mean(xp.abs((y_true - y_pred) / xp.maximum(xp.abs(y_true), EPSILON)), axis=-1)

    def gradient(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        return xp.sign(y_pred - y_true) / xp.maximum(xp.abs(y_true), EPSILON) * (100 / y_pred.shape[-1])


class MeanSquaredLogarithmicError(Loss):
    """``mean((log(1 + t) - log(1 + p))^2)``, with t and p at least 1e-7.

    (https://keras.io/api/losses/regression_losses/#meansquaredlogarithmicerror-class)

    >>> float(MeanSquaredLogarithmicError()([[3.0]], [[3.0]]))
    0.0
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        return xp.mean(xp.square(self._log_ratio(y_true, y_pred)), axis=-1)

    def gradient(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        above = xp.heaviside(y_pred - EPSILON, 0.5)  # no gradient below the lower bound
        dratio = self._log_ratio(y_true, y_pred) * (2 / y_pred.shape[-1])
        return dratio * above / (xp.maximum(y_pred, EPSILON) + 1)

    @staticmethod
    def _log_ratio(y_true, y_pred):
        return xp.log(xp.maximum(y_pred, EPSILON) + 1) - xp.log(xp.maximum(y_true, EPSILON) + 1)


class Huber(Loss):
    """Quadratic for errors up to `delta`, linear beyond: ``mean(e^2 / 2)`` or ``mean(delta * |e| - delta^2 /
    2)``.

    Huber, "Robust estimation of a location parameter", 1964
    (https://keras.io/api/losses/regression_losses/#huber-class).

    >>> Huber(delta=1.0).call([[0.0], [0.0]], [[1.0], [3.0]]).tolist()
    [0.5, 2.5]
    """

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(name, reduction, dtype)
        self.delta = number(delta, "delta", type(self).__name__, "(0, inf)")

    def call(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        error, delta = xp.abs(y_pred - y_true), self.delta
        return xp.mean(xp.where(error <= delta, 0.5 * error * error, delta * error - 0.5 * delta**2), axis=-1)

    def gradient(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        return xp.clip(y_pred - y_true, -self.delta, self.delta) / y_pred.shape[-1]

    def get_config(self):
        return {**super().get_config(), "delta": self.delta}


class LogCosh(Loss):
    """``mean(log(cosh(p - t)))`` (https://keras.io/api/losses/regression_losses/#logcosh-class).

    >>> round(float(LogCosh()([[0.0]], [[1.0]])), 4)
    0.4338
    """

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        error = xp.abs(y_pred - y_true)
        # log(cosh(x)) without overflow, as cosh(x) = exp(|x|) * (1 + exp(-2|x|)) / 2
        return xp.mean(error + xp.log1p(xp.exp(-2 * error)) - math.log(2), axis=-1)

    def gradient(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        return xp.tanh(y_pred - y_true) / y_pred.shape[-1]


class CosineSimilarity(Loss):
    """``-t . p / (|t| |p|)``: -1 where targets and predictions point the same way.

    (https://keras.io/api/losses/regression_losses/#cosinesimilarity-class)

    >>> float(CosineSimilarity()([[1.0, 0.0]], [[3.0, 0.0]]))
    -1.0
    """

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None):
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred, broadcast=False)
        (t, _), (p, _) = self._normalize(y_true), self._normalize(y_pred)
        return -xp.sum(t * p, axis=self.axis)

    def gradient(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred, broadcast=False)
        (t, _), (p, length) = self._normalize(y_true), self._normalize(y_pred)
        along = xp.sum(t * p, axis=self.axis, keepdims=True)
        # A vector at the lower bound of the length is only scaled, not normalized.
        return (xp.where(length > EPSILON, along * p, 0) - t) / length

    def _normalize(self, x):
        length = xp.maximum(xp.sqrt(xp.sum(x * x, axis=self.axis, keepdims=True)), EPSILON)
        return x / length, length

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
