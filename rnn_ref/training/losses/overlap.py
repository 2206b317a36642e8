"""Losses of overlap, for binary masks: how much targets t and predictions p have in common."""

from __future__ import annotations

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp

from .._arrays import EPSILON, same_shape
from .base import Loss


class Tversky(Loss):
    """``1 - common / (common + α sum((1 - p) t) + β sum(p (1 - t)))`` with ``common = sum(t p)``.

    Salehi et al. 2017, "Tversky loss function for image segmentation using 3D fully convolutional deep networks"
    (https://keras.io/api/losses/regression_losses/#tversky-class); α and β are assigned as in Keras's code.

    Parameters
    ----------
    alpha, beta : float
        Weights of misses, and of false alarms.
    axis : int or tuple of int, optional
        The axes to sum over; all of them when absent: one loss for the whole batch. ``(1, 2, ...)`` gives one for each
        sample.

    Examples
    --------
    >>> round(float(Tversky()([[1.0, 0.0]], [[0.5, 0.5]])), 4)
    0.5
    """

    def __init__(self, alpha=0.5, beta=0.5, reduction="sum_over_batch_size", name="tversky", axis=None, dtype=None):
        super().__init__(name, reduction, dtype)
        self.alpha = checks.number(alpha, "alpha", self.name)
        self.beta = checks.number(beta, "beta", self.name)
        self.axis = _axes(axis, self.name)

    def call(self, y_true, y_pred):
        _, common, whole = self._sums(y_true, y_pred)
        return xp.squeeze(1 - common / whole, axis=self.axis)

    def gradient(self, y_true, y_pred):
        t, common, whole = self._sums(y_true, y_pred)
        dwhole = t - self.alpha * t + self.beta * (1 - t)
        return (common * dwhole / whole - t) / whole

    def _sums(self, y_true, y_pred):
        """The targets, ``common``, and what it is divided by; the summed axes have size 1."""
        t, p = same_shape(y_true, y_pred)
        common, missed, wrong = (
            xp.sum(array, axis=self.axis, keepdims=True) for array in (t * p, (1 - p) * t, p * (1 - t))
        )
        return t, common, common + self.alpha * missed + self.beta * wrong + EPSILON

    def _spread(self, dlosses, dy_pred):
        return dlosses if self.axis is None or dlosses.ndim == 0 else xp.expand_dims(dlosses, self.axis)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "beta": self.beta, "axis": self.axis}


class Dice(Loss):
    """``1 - 2 sum(t p) / (sum(t) + sum(p))``.

    Sørensen 1948 and Dice 1945 (https://keras.io/api/losses/regression_losses/#dice-class).

    Parameters
    ----------
    axis : int or tuple of int, optional
        The axes to sum over; all of them when absent: one loss for the whole batch. ``(1, 2, ...)`` gives one for each
        sample.

    Examples
    --------
    >>> round(float(Dice()([[1.0, 0.0]], [[0.5, 0.5]])), 4)
    0.5
    """

    def __init__(self, reduction="sum_over_batch_size", name="dice", axis=None, dtype=None):
        super().__init__(name, reduction, dtype)
        self.axis = _axes(axis, self.name)

    def call(self, y_true, y_pred):
        _, common, whole = self._sums(y_true, y_pred)
        return xp.squeeze(1 - 2 * common / whole, axis=self.axis)

    def gradient(self, y_true, y_pred):
        t, common, whole = self._sums(y_true, y_pred)
        return 2 * (common / whole - t) / whole

    def _sums(self, y_true, y_pred):
        t, p = same_shape(y_true, y_pred)
        common, whole = (xp.sum(array, axis=self.axis, keepdims=True) for array in (t * p, t + p))
        return t, common, whole + EPSILON

    _spread = Tversky._spread

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


def _axes(axis, name: str) -> int | tuple[int, ...] | None:
    if isinstance(axis, (list, tuple)):
        return tuple(checks.integer(each, "axis", name) for each in axis)
    if isinstance(axis, (bool, np.bool_)):
        raise ValueError(f"{name}: `axis` must be an integer or several. Received: axis={axis!r}")
    return checks.integer(axis, "axis", name, optional=True)
