"""Array helpers shared by losses and metrics: equal ranks, masks, divisions that tolerate zero."""

from __future__ import annotations

import warnings
from numbers import Real

import numpy as np

from rnn_ref import checks, shares
from rnn_ref.device import xp
from rnn_ref.guard import explained
from rnn_ref.reading import require

EPSILON = 1e-7  # keras.config.epsilon(): keeps logarithms and divisions away from zero


def as_numbers(x) -> np.ndarray:
    """`x` as an array of numbers; strings, None and other objects are refused."""
    if isinstance(x, np.ma.MaskedArray):
        checks.numbers(x, "targets or predictions", "losses and metrics")
    x = xp.asarray(x)
    if x.dtype.kind == "O" and all(isinstance(item, Real) for item in x.flat):
        return x.astype(np.float64)
    if x.dtype.kind not in "fiub":
        example = f", such as {x.flat[0]!r}" if x.size else ""
        raise ValueError(f"Targets and predictions must be numbers. Received: an array of type {x.dtype}{example}.")
    return x


def dtype_of(dtype, owner: str, kinds: str = "fiub") -> np.dtype:
    """A type of numbers, of a loss or metric."""
    try:
        found = np.dtype(dtype)
    except (TypeError, ValueError):
        found = None
    if found is None or found.kind not in kinds:
        raise ValueError(f"{owner}: `dtype` must be a type of numbers, such as 'float32'. Received: dtype={dtype!r}")
    return found


def as_weights(sample_weight):
    """Sample weights, if they are real numbers."""
    return checks.numbers(sample_weight, "sample_weight", "losses and metrics")


def as_float(x) -> np.ndarray:
    """`x` as an array of floats; other types become float32, the default precision."""
    x = as_numbers(x)
    return x if x.dtype.kind == "f" else x.astype(np.float32)


def whole(labels) -> np.ndarray:
    """Class labels as integers; fractions such as 0.7 are refused."""
    labels = as_numbers(labels)
    if labels.dtype.kind != "f":
        return labels.astype(np.intp, copy=False)

    def explain() -> ValueError:
        wrong = labels[labels != xp.floor(labels)].reshape(-1)
        return ValueError(f"Class labels must be whole numbers. Received: {float(wrong[0])}")

    require((labels == xp.floor(labels)).all(), explain)
    return xp.nan_to_num(labels).astype(np.intp)  # NaN has been refused; on a GPU the check is read later


def weight_like(sample_weight, values) -> np.ndarray:
    """Weights with the trailing axes that they need to broadcast to values ``(B, ...)``; 1 if there are none.

    Raises
    ------
    ValueError
        If their shape is not that of the values, or a leading part of it.

    Examples
    --------
    >>> weight_like([1, 2], np.zeros((2, 3))).shape
    (2, 1)
    """
    if sample_weight is None:
        return xp.ones((1,) * values.ndim, dtype=np.float64)
    weight = xp.asarray(as_weights(sample_weight), dtype=np.float64)
    shape = weight.shape + (1,) * (values.ndim - weight.ndim)
    if len(shape) != values.ndim or any(w not in (1, v) for w, v in zip(shape, values.shape)):
        raise ValueError(
            f"`sample_weight` must have the shape of the values, {values.shape}, or its beginning. "
            f"Received: sample_weight.shape={weight.shape}"
        )
    return weight.reshape(shape)


def same_rank(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add or remove a last dimension of size 1, as Keras does.

    ``(B,)`` against ``(B, 1)`` becomes ``(B, 1)`` twice; ``(B, T)`` against ``(B, T, 1)`` becomes ``(B, T)``
    twice. Anything else is returned unchanged.

    >>> [x.shape for x in same_rank(np.zeros(3), np.zeros((3, 1)))]
    [(3, 1), (3, 1)]
    """
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, b[:, None]) if b.ndim == 1 else (a[..., 0], b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        return (a[:, None], b) if a.ndim == 1 else (a, b[..., 0])
    return a, b


def same_shape(y_true, y_pred, *, broadcast: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Targets and predictions in one shape and in the precision of the predictions.

    With `broadcast`, a dimension of `y_true` that is 1 is repeated, as in Keras, but with a warning. Predictions are
    never repeated: a model whose output is too small for its targets is almost always a mistake.

    Raises
    ------
    ValueError
        If the shapes cannot be reconciled.
    """
    y_pred = as_float(y_pred)
    y_true = as_numbers(y_true).astype(y_pred.dtype, copy=False)
    if y_true.shape == y_pred.shape:
        return y_true, y_pred
    given = f"y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
    y_true, y_pred = same_rank(y_true, y_pred)
    if y_true.shape == y_pred.shape:
        return y_true, y_pred
    if not broadcast or y_true.ndim != y_pred.ndim or any(t not in (1, p) for t, p in zip(y_true.shape, y_pred.shape)):
        classes = y_true.size * y_pred.shape[-1] == y_pred.size and not broadcast
        raise ValueError(
            f"Targets and predictions must have the same shape. Received: {given}. "
            + ("For integer classes use a sparse loss or metric, or to_categorical(y). " if classes else "")
            + "Reshape the targets, or change the model's last layer."
        )
    warnings.warn(
        f"Targets are repeated to meet the predictions: {given}. Each target then counts for several predictions. If "
        "that is not meant, give targets of the shape of the predictions; for integer classes use a sparse loss.",
        stacklevel=2,
    )
    return xp.broadcast_to(y_true, y_pred.shape), y_pred


def inside_classes(labels, classes: int):
    """Labels as integers, if they are classes: whole numbers from 0 to ``classes - 1``."""
    labels = whole(labels)
    if not labels.size:
        return labels

    def explain() -> ValueError:
        return ValueError(
            f"Targets must be classes from 0 to {classes - 1}, as y_pred has {classes} of them. Received targets "
            f"from {int(labels.min())} to {int(labels.max())}. If one of them marks padding, pass it as `ignore_class`."
        )

    require(((labels >= 0) & (labels < classes)).all(), explain)
    # On a GPU the check is read later, and an index out of range would read arbitrary memory.
    return labels if xp.module is np else xp.clip(labels, 0, classes - 1)


def divide_no_nan(a, b):
    """``a / b``, and 0 where `b` is 0, for numbers already on the CPU."""
    a, b = np.asarray(a), np.asarray(b)
    nonzero = b != 0
    return np.where(nonzero, a / np.where(nonzero, b, 1), 0)


@explained
def fold_mask(sample_weight, mask, reduction: str | None = "sum", dtype=np.float32) -> np.ndarray | None:
    """Merge a mask into the sample weights.

    Parameters
    ----------
    sample_weight : array or None
        Shape ``(B,)`` or ``(B, T)``.
    mask : array of bool, or None
        Shape ``(B,)`` or ``(B, T)``; entries that are False are left out.
    reduction : str or None
        For a mean (``"sum_over_batch_size"`` or ``"mean"``), whose divisor also counts masked entries, the
        remaining entries get the weight ``total / remaining``, so that masked ones neither add to the mean
        nor dilute it.

    Returns
    -------
    array or None
        The weights; None if there are neither weights nor mask.

    >>> fold_mask(None, [True, True, False, False], "mean")
    array([2., 2., 0., 0.], dtype=float32)
    """
    weight = None if sample_weight is None else xp.asarray(as_weights(sample_weight), dtype=dtype)
    if mask is None:
        return weight
    mask = xp.asarray(mask, dtype=bool)
    float_mask = mask.astype(dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        remaining = shares.counted(xp.asarray(xp.count_nonzero(mask)))
        float_mask *= shares.whole(mask.size) / xp.maximum(remaining, 1)
    if weight is None:
        return float_mask
    float_mask, weight = same_rank(float_mask, weight)
    return float_mask * align_weight(weight, float_mask.shape)


def align_weight(weight: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Give one weight per sample, shape ``(B,)``, the trailing dimensions it needs to meet ``(B, T, ...)``."""
    if 0 < weight.ndim < len(shape) and weight.shape == shape[: weight.ndim]:
        return weight.reshape(weight.shape + (1,) * (len(shape) - weight.ndim))
    return weight
