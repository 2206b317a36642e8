"""Maximum-margin losses. t is y_true, -1 or 1 (0 and 1 are converted), p is y_pred; at kinks, half the slope."""

from __future__ import annotations

from rnn_ref.device import xp

from .._arrays import same_shape
from .base import Loss


def _signed(y_true, y_pred):
    """Targets as -1 and 1; targets that are all 0 or 1 are converted."""
    t, p = same_shape(y_true, y_pred)
    is_binary = xp.all((t == 0) | (t == 1))
    return xp.where(is_binary, 2 * t - 1, t), p


class Hinge(Loss):
    """``mean(max(0, 1 - t p))`` (https://keras.io/api/losses/hinge_losses/#hinge-class).

    >>> float(Hinge()([[1.0, -1.0]], [[0.5, 0.5]]))
    1.0
    """

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        t, p = _signed(y_true, y_pred)
        return xp.mean(xp.maximum(1 - t * p, 0), axis=-1)

    def gradient(self, y_true, y_pred):
        t, p = _signed(y_true, y_pred)
        return -t * xp.heaviside(1 - t * p, p.dtype.type(0.5)) / p.shape[-1]


class SquaredHinge(Loss):
    """``mean(max(0, 1 - t p)^2)`` (https://keras.io/api/losses/hinge_losses/#squaredhinge-class).

    >>> float(SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]]))
    1.25
    """

    def __init__(self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        t, p = _signed(y_true, y_pred)
        return xp.mean(xp.square(xp.maximum(1 - t * p, 0)), axis=-1)

    def gradient(self, y_true, y_pred):
        t, p = _signed(y_true, y_pred)
        return -t * xp.maximum(1 - t * p, 0) * (2 / p.shape[-1])


class CategoricalHinge(Loss):
    """``max(0, 1 + max((1 - t) p) - sum(t p))`` for one-hot t.

    (https://keras.io/api/losses/hinge_losses/#categoricalhinge-class)

    >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.5]]))
    1.0
    """

    def __init__(self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        t, p = same_shape(y_true, y_pred)
        return xp.maximum(self._margin(t, p)[..., 0], 0)

    def gradient(self, y_true, y_pred):
        t, p = same_shape(y_true, y_pred)
        others = (1 - t) * p
        largest = (others == xp.max(others, axis=-1, keepdims=True)).astype(p.dtype)
        largest /= xp.sum(largest, axis=-1, keepdims=True)  # equal ones share the slope
        return xp.heaviside(self._margin(t, p), p.dtype.type(0.5)) * (largest * (1 - t) - t)

    @staticmethod
    def _margin(t, p):
        return 1 + xp.max((1 - t) * p, axis=-1, keepdims=True) - xp.sum(t * p, axis=-1, keepdims=True)
