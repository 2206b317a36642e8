"""Focal losses: crossentropy that counts less where predictions are already right. t is y_true, p is y_pred."""

from __future__ import annotations

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp

from .._arrays import same_shape
from .base import Loss
from .probabilistic import SparseCategoricalCrossentropy, _check_axis, _clip, _dclip


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """``1 / (1 + exp(-x))`` with a small relative error everywhere."""
    e = xp.exp(-xp.abs(x))
    return xp.where(x < 0, e, x.dtype.type(1)) / (1 + e)


def _power(x: np.ndarray, exponent: float) -> tuple[np.ndarray, np.ndarray]:
    """``x^exponent`` and its derivative, which for exponent 0 is 0 even at ``x = 0``."""
    if exponent == 0:
        return xp.ones_like(x), xp.zeros_like(x)
    with np.errstate(divide="ignore"):
        return x**exponent, exponent * x ** (exponent - 1)


class BinaryFocalCrossentropy(Loss):
    """``mean(w (1 - p_t)^γ H)`` with the binary crossentropy H and ``p_t``, the probability of the true outcome.

        p_t = t p + (1 - t) (1 - p)
        w   = α t + (1 - α) (1 - t), with ``apply_class_balancing``; otherwise 1

    Lin et al. 2017, "Focal Loss for Dense Object Detection"
    (https://keras.io/api/losses/probabilistic_losses/#binaryfocalcrossentropy-class).

    Parameters
    ----------
    apply_class_balancing : bool
    alpha : float
        α, the weight of class 1.
    gamma : float
        γ; 0 gives the binary crossentropy.
    from_logits : bool
        Predictions are logits x with ``p = sigmoid(x)``.
    label_smoothing : float
        Move the targets towards 1/2: ``t (1 - s) + s / 2``.
    axis : int
        The axis over which to take the mean.

    Examples
    --------
    >>> round(float(BinaryFocalCrossentropy()([[0.0], [1.0]], [[0.5], [0.5]])), 4)
    0.1733
    """

    def __init__(
        self,
        apply_class_balancing=False,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing = checks.flag(apply_class_balancing, "apply_class_balancing", self.name)
        self.alpha = checks.number(alpha, "alpha", self.name)
        self.gamma = checks.number(gamma, "gamma", self.name, "[0, inf)")
        self.from_logits = checks.flag(from_logits, "from_logits", self.name)
        self.label_smoothing = checks.number(label_smoothing, "label_smoothing", self.name, "[0, 1]")
        self.axis = _check_axis(axis)

    def call(self, y_true, y_pred):
        t, p, weight = self._parts(y_true, y_pred)
        factor, _ = _power(t * (1 - p) + (1 - t) * p, self.gamma)
        return xp.mean(weight * factor * self._crossentropy(t, p), axis=self.axis)

    def gradient(self, y_true, y_pred):
        t, p, weight = self._parts(y_true, y_pred)
        factor, dfactor = _power(t * (1 - p) + (1 - t) * p, self.gamma)  # of 1 - p_t
        q = _clip(p)
        dcrossentropy = (q - t) / (q * (1 - q)) * _dclip(p)
        dp = weight * (dfactor * (1 - 2 * t) * self._crossentropy(t, p) + factor * dcrossentropy)
        return (dp * p * (1 - p) if self.from_logits else dp) / p.shape[self.axis]

    def _crossentropy(self, t, p):
        p = _clip(p)
        return -(t * xp.log(p) + (1 - t) * xp.log(1 - p))

    def _parts(self, y_true, y_pred):
        t, p = same_shape(y_true, y_pred, broadcast=False)
        if self.label_smoothing:
            t = t * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        if self.from_logits:
            p = _sigmoid(p)
        return t, p, t * self.alpha + (1 - t) * (1 - self.alpha) if self.apply_class_balancing else 1

    def get_config(self):
        return {
            **super().get_config(),
            "apply_class_balancing": self.apply_class_balancing,
            "alpha": self.alpha,
            "gamma": self.gamma,
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


class CategoricalFocalCrossentropy(Loss):
    """``-sum(α (1 - p)^γ t log(p))`` over the classes, for one-hot or soft targets.

    Lin et al. 2017, "Focal Loss for Dense Object Detection"
    (https://keras.io/api/losses/probabilistic_losses/#categoricalfocalcrossentropy-class).

    Parameters
    ----------
    alpha : float or list of float
        α: one weight, or one for each class.
    gamma : float
        γ; 0 gives the categorical crossentropy times α.
    from_logits : bool
        Predictions are logits x with ``p = softmax(x)``. Otherwise they are probabilities, which are divided by their
        sum first.
    label_smoothing : float
        Move the targets towards the uniform distribution over the C classes: ``t (1 - s) + s / C``.
    axis : int
        The axis of the classes.

    Examples
    --------
    >>> round(float(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.0433
    """

    def __init__(
        self,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        several = isinstance(alpha, (list, tuple, np.ndarray)) and np.ndim(alpha) == 1
        self.alpha = (
            [checks.number(each, "alpha", self.name) for each in alpha]
            if several
            else checks.number(alpha, "alpha", self.name)
        )
        self.gamma = checks.number(gamma, "gamma", self.name, "[0, inf)")
        self.from_logits = checks.flag(from_logits, "from_logits", self.name)
        self.label_smoothing = checks.number(label_smoothing, "label_smoothing", self.name, "[0, 1]")
        self.axis = _check_axis(axis)

    def call(self, y_true, y_pred):
        t, p, _, alpha = self._parts(y_true, y_pred)
        q = _clip(p)
        return xp.sum(alpha * _power(1 - q, self.gamma)[0] * -t * xp.log(q), axis=self.axis)

    def gradient(self, y_true, y_pred):
        t, p, total, alpha = self._parts(y_true, y_pred)
        q = _clip(p)
        factor, dfactor = _power(1 - q, self.gamma)
        dp = alpha * t * (dfactor * xp.log(q) - factor / q) * _dclip(p)
        dp = dp - xp.sum(dp * p, axis=self.axis, keepdims=True)  # through the sum by which p was divided
        return dp * p if self.from_logits else dp / total

    def _parts(self, y_true, y_pred):
        t, p = same_shape(y_true, y_pred)
        if self.label_smoothing:
            t = t * (1 - self.label_smoothing) + self.label_smoothing / t.shape[-1]
        if isinstance(self.alpha, list) and len(self.alpha) != p.shape[-1]:
            raise ValueError(f"{self.name}: alpha has {len(self.alpha)} weights, but y_pred {p.shape[-1]} classes.")
        if self.from_logits:
            p = xp.exp(p - xp.max(p, axis=self.axis, keepdims=True))
        total = xp.sum(p, axis=self.axis, keepdims=True)
        return t, p / total, total, xp.asarray(self.alpha, dtype=p.dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "gamma": self.gamma,
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


class CategoricalGeneralizedCrossEntropy(Loss):
    """``(1 - p^q) / q`` with the probability p of the right class, given as an integer.

    Lies between crossentropy (q near 0) and absolute error (q near 1), so that wrong labels do less harm. Zhang and
    Sabuncu 2018, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels".

    Parameters
    ----------
    q : float
        Above 0 and below 1.

    Examples
    --------
    >>> round(float(CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]])), 4)
    1.0
    """

    def __init__(
        self, q=0.5, reduction="sum_over_batch_size", name="categorical_generalized_cross_entropy", dtype=None
    ):
        super().__init__(name, reduction, dtype)
        self.q = checks.number(q, "q", self.name, "(0, 1)")

    def call(self, y_true, y_pred):
        labels, p = self._labels(y_true, y_pred)
        return (1 - xp.take_along_axis(p, labels, -1)[..., 0] ** self.q) / self.q

    def gradient(self, y_true, y_pred):
        labels, p = self._labels(y_true, y_pred)
        dp = xp.zeros_like(p)
        with np.errstate(divide="ignore"):
            xp.put_along_axis(dp, labels, -(xp.take_along_axis(p, labels, -1) ** (self.q - 1)), -1)
        return dp

    def _arrays(self, y_true, y_pred):
        return xp.asarray(y_true), self._predictions(y_pred)  # labels stay integers

    def _labels(self, y_true, y_pred):
        """Integer labels with a class axis of size 1, and the predictions."""
        return SparseCategoricalCrossentropy()._labels(y_true, y_pred)[::2]

    def get_config(self):
        return {**super().get_config(), "q": self.q}
