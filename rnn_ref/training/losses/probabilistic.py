"""Losses for probabilities and counts. In every formula t is y_true, p is y_pred.

Probabilities are clipped to ``[1e-7, 1 - 1e-7]``, as in Keras, so that logarithms stay finite. Beyond these
bounds a loss is constant and the derivative of the clipping zero; at a bound it is one half, halfway between
its neighbours (as in JAX).
"""

from __future__ import annotations

import numpy as np

from rnn_ref.checks import number
from rnn_ref.device import xp

from .._arrays import EPSILON, as_float, as_numbers, inside_classes, same_shape
from .base import Loss


def _clip(p: np.ndarray, high: float = 1 - EPSILON) -> np.ndarray:
    return xp.clip(p, EPSILON, high)


def _dclip(p: np.ndarray, high: float = 1 - EPSILON) -> np.ndarray:
    """Derivative of `_clip`."""
    return xp.heaviside(p - p.dtype.type(EPSILON), p.dtype.type(0.5)) * xp.heaviside(
        p.dtype.type(high) - p, p.dtype.type(0.5)
    )


def _log_softmax(x: np.ndarray, axis: int) -> np.ndarray:
    x = x - xp.max(x, axis=axis, keepdims=True)
    return x - xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=True))


def _check_axis(axis) -> int:
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise ValueError(f"`axis` must be an int. Received: axis={axis!r} of type {type(axis).__name__}")
    return axis


class BinaryCrossentropy(Loss):
    """``-mean(t log(p) + (1 - t) log(1 - p))``, for independent yes/no targets.

    (https://keras.io/api/losses/probabilistic_losses/#binarycrossentropy-class)

    Parameters
    ----------
    from_logits : bool
        Predictions are logits x with ``p = sigmoid(x)``.
    label_smoothing : float
        Move the targets towards 1/2: ``t (1 - s) + s / 2``.
    axis : int
        The axis over which to take the mean.

    Examples
    --------
    >>> round(float(BinaryCrossentropy()([[0.0], [1.0]], [[0.5], [0.5]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_crossentropy",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = number(label_smoothing, "label_smoothing", type(self).__name__, "[0, 1]")
        self.axis = _check_axis(axis)

    def call(self, y_true, y_pred):
        t, p = self._smoothed(y_true, y_pred)
        if self.from_logits:
            # -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)), with log(1 - sigmoid(x)) = -softplus(x)
            losses = xp.logaddexp(0, p) - t * p
        else:
            p = _clip(p)
            losses = -(t * xp.log(p) + (1 - t) * xp.log(1 - p))
        return xp.mean(losses, axis=self.axis)

    def gradient(self, y_true, y_pred):
        t, p = self._smoothed(y_true, y_pred)
        if self.from_logits:
            dy_pred = 0.5 * (1 + xp.tanh(0.5 * p)) - t  # sigmoid(x) - t
        else:
            q = _clip(p)
            dy_pred = (q - t) / (q * (1 - q)) * _dclip(p)
        return dy_pred / p.shape[self.axis]

    def _smoothed(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred, broadcast=False)
        if self.label_smoothing:
            y_true = y_true * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        return y_true, y_pred

    def get_config(self):
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


class CategoricalCrossentropy(Loss):
    """``-sum(t log(p))`` over the classes, for one-hot or soft targets of the same shape as the predictions.

    (https://keras.io/api/losses/probabilistic_losses/#categoricalcrossentropy-class)

    Parameters
    ----------
    from_logits : bool
        Predictions are logits x with ``p = softmax(x)``. Otherwise they are probabilities, which are divided
        by their sum first.
    label_smoothing : float
        Move the targets towards the uniform distribution over the C classes: ``t (1 - s) + s / C``.
    axis : int
        The axis of the classes.

    Examples
    --------
    >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = number(label_smoothing, "label_smoothing", type(self).__name__, "[0, 1]")
        self.axis = _check_axis(axis)

    def call(self, y_true, y_pred):
        t, p = self._smoothed(y_true, y_pred)
        if self.from_logits:
            return -xp.sum(t * _log_softmax(p, self.axis), axis=self.axis)
        p = p / xp.sum(p, axis=self.axis, keepdims=True)
        return -xp.sum(t * xp.log(_clip(p)), axis=self.axis)

    def gradient(self, y_true, y_pred):
        t, p = self._smoothed(y_true, y_pred)
        if self.from_logits:
            return xp.exp(_log_softmax(p, self.axis)) * xp.sum(t, axis=self.axis, keepdims=True) - t
        total = xp.sum(p, axis=self.axis, keepdims=True)
        p = p / total
        dp = -t / _clip(p) * _dclip(p)
        return (dp - xp.sum(dp * p, axis=self.axis, keepdims=True)) / total

    def _smoothed(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred, broadcast=False)
        if self.label_smoothing:
            y_true = y_true * (1 - self.label_smoothing) + self.label_smoothing / y_true.shape[-1]
        return y_true, y_pred

    def get_config(self):
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


class SparseCategoricalCrossentropy(Loss):
    """``-log(p[t])`` for integer targets t: the same loss as with one-hot targets, without making them.

    (https://keras.io/api/losses/probabilistic_losses/#sparsecategoricalcrossentropy-class)

    Parameters
    ----------
    from_logits : bool
        Predictions are logits x with ``p = softmax(x)``. Otherwise they are probabilities, which are divided
        by their sum first.
    ignore_class : int, optional
        Targets with this value are left out of the loss, for example -1 for padding.
    axis : int
        The axis of the classes in `y_pred`.

    Raises
    ------
    ValueError
        If a target is not a class, that is not in ``[0, C)``.

    Examples
    --------
    >>> round(float(SparseCategoricalCrossentropy()([1, 0], [[0.5, 0.5], [0.5, 0.5]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name="sparse_categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = _check_axis(axis)

    def call(self, y_true, y_pred):
        labels, valid, y_pred = self._labels(y_true, y_pred)
        if self.from_logits:
            losses = -xp.take_along_axis(_log_softmax(y_pred, self.axis), labels, self.axis)
        else:
            p = xp.take_along_axis(y_pred, labels, self.axis) / xp.sum(y_pred, axis=self.axis, keepdims=True)
            losses = -xp.log(_clip(p))
        losses = xp.squeeze(losses, axis=self.axis)
        return losses if valid is None else xp.where(valid, losses, 0)

    def gradient(self, y_true, y_pred):
        labels, valid, y_pred = self._labels(y_true, y_pred)
        if self.from_logits:
            dy_pred = xp.exp(_log_softmax(y_pred, self.axis))
            dlabel = y_pred.dtype.type(-1)
        else:
            total = xp.sum(y_pred, axis=self.axis, keepdims=True)
            p = xp.take_along_axis(y_pred, labels, self.axis) / total
            dlabel = -_dclip(p) / _clip(p) / total  # through the numerator of p
            dy_pred = xp.broadcast_to(-dlabel * p, y_pred.shape).copy()  # through its denominator, for every class
        at_label = xp.take_along_axis(dy_pred, labels, self.axis)
        xp.put_along_axis(dy_pred, labels, at_label + dlabel, self.axis)
        return dy_pred if valid is None else xp.where(xp.expand_dims(valid, self.axis), dy_pred, 0)

    def valid_mask(self, y_true, y_pred):
        return None if self.ignore_class is None else self._labels(y_true, y_pred)[1]

    def _arrays(self, y_true, y_pred):
        return xp.asarray(y_true), self._predictions(y_pred)  # labels stay integers

    def _labels(self, y_true, y_pred):
        """Integer labels with a class axis of size 1, which of them count (None: all), and the predictions."""
        y_true, y_pred = as_numbers(y_true), as_float(y_pred)
        if y_true.ndim == y_pred.ndim and y_true.shape[self.axis] == 1:
            y_true = xp.squeeze(y_true, axis=self.axis)
        axis = self.axis % y_pred.ndim
        if y_true.shape != y_pred.shape[:axis] + y_pred.shape[axis + 1 :]:
            hint = " For one-hot targets use CategoricalCrossentropy." if y_true.shape == y_pred.shape else ""
            raise ValueError(
                "Targets must be integers, with the shape of the predictions without the class axis. "
                f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}.{hint}"
            )
        valid = None
        if self.ignore_class is not None:
            valid = y_true != self.ignore_class
            y_true = xp.where(valid, y_true, 0)
        labels = inside_classes(y_true, y_pred.shape[axis])
        return xp.expand_dims(labels, axis), valid, y_pred

    def get_config(self):
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "ignore_class": self.ignore_class,
            "axis": self.axis,
        }


class KLDivergence(Loss):
    """``sum(t log(t / p))``, with t and p clipped to ``[1e-7, 1]``.

    Kullback & Leibler, "On information and sufficiency", 1951
    (https://keras.io/api/losses/probabilistic_losses/#kldivergence-class).

    >>> float(KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
    0.0
    """

    def __init__(self, reduction="sum_over_batch_size", name="kl_divergence", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        t = _clip(y_true, 1)
        return xp.sum(t * xp.log(t / _clip(y_pred, 1)), axis=-1)

    def gradient(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        return -_clip(y_true, 1) / _clip(y_pred, 1) * _dclip(y_pred, 1)


class Poisson(Loss):
    """``mean(p - t log(p + 1e-7))``: for counts t, with the predicted rates p.

    (https://keras.io/api/losses/probabilistic_losses/#poisson-class)

    >>> round(float(Poisson()([[2.0]], [[1.0]])), 4)
    1.0
    """

    def __init__(self, reduction="sum_over_batch_size", name="poisson", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        return xp.mean(y_pred - y_true * xp.log(y_pred + EPSILON), axis=-1)

    def gradient(self, y_true, y_pred):
        y_true, y_pred = same_shape(y_true, y_pred)
        return (1 - y_true / (y_pred + EPSILON)) / y_pred.shape[-1]
