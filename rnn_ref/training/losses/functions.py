"""Losses as functions: ``mean_squared_error(y_true, y_pred)`` returns the losses per sample, not reduced.

Each is the ``call`` of the class with the same name, which has the formula and its derivative.
"""

from __future__ import annotations

from rnn_ref.guard import guarded

from . import ctc as _ctc
from . import focal, overlap, probabilistic, regression
from . import hinge as _hinge


@guarded
def mean_squared_error(y_true, y_pred):
    """Losses per sample of `MeanSquaredError`.

    >>> mean_squared_error([[0.0, 1.0]], [[1.0, 1.0]]).tolist()
    [0.5]
    """
    return regression.MeanSquaredError().call(y_true, y_pred)


@guarded
def mean_absolute_error(y_true, y_pred):
    """Losses per sample of `MeanAbsoluteError`."""
    return regression.MeanAbsoluteError().call(y_true, y_pred)


@guarded
def mean_absolute_percentage_error(y_true, y_pred):
    """Losses per sample of `MeanAbsolutePercentageError`."""
    return regression.MeanAbsolutePercentageError().call(y_true, y_pred)


@guarded
def mean_squared_logarithmic_error(y_true, y_pred):
    """Losses per sample of `MeanSquaredLogarithmicError`."""
    return regression.MeanSquaredLogarithmicError().call(y_true, y_pred)


@guarded
def huber(y_true, y_pred, delta=1.0):
    """Losses per sample of `Huber`."""
    return regression.Huber(delta).call(y_true, y_pred)


@guarded
def log_cosh(y_true, y_pred):
    """Losses per sample of `LogCosh`."""
    return regression.LogCosh().call(y_true, y_pred)


@guarded
def cosine_similarity(y_true, y_pred, axis=-1):
    """Losses per sample of `CosineSimilarity`."""
    return regression.CosineSimilarity(axis).call(y_true, y_pred)


@guarded
def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """Losses per sample of `BinaryCrossentropy`."""
    return probabilistic.BinaryCrossentropy(from_logits, label_smoothing, axis).call(y_true, y_pred)


@guarded
def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """Losses per sample of `CategoricalCrossentropy`."""
    return probabilistic.CategoricalCrossentropy(from_logits, label_smoothing, axis).call(y_true, y_pred)


@guarded
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """Losses per sample of `SparseCategoricalCrossentropy`."""
    return probabilistic.SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis).call(y_true, y_pred)


@guarded
def kl_divergence(y_true, y_pred):
    """Losses per sample of `KLDivergence`."""
    return probabilistic.KLDivergence().call(y_true, y_pred)


@guarded
def poisson(y_true, y_pred):
    """Losses per sample of `Poisson`."""
    return probabilistic.Poisson().call(y_true, y_pred)


@guarded
def hinge(y_true, y_pred):
    """Losses per sample of `Hinge`."""
    return _hinge.Hinge().call(y_true, y_pred)


@guarded
def squared_hinge(y_true, y_pred):
    """Losses per sample of `SquaredHinge`."""
    return _hinge.SquaredHinge().call(y_true, y_pred)


@guarded
def categorical_hinge(y_true, y_pred):
    """Losses per sample of `CategoricalHinge`."""
    return _hinge.CategoricalHinge().call(y_true, y_pred)


@guarded
def binary_focal_crossentropy(
    y_true,
    y_pred,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
):
    """Losses per sample of `BinaryFocalCrossentropy`."""
    loss = focal.BinaryFocalCrossentropy(apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis)
    return loss.call(y_true, y_pred)


@guarded
def categorical_focal_crossentropy(
    y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """Losses per sample of `CategoricalFocalCrossentropy`."""
    loss = focal.CategoricalFocalCrossentropy(alpha, gamma, from_logits, label_smoothing, axis)
    return loss.call(y_true, y_pred)


@guarded
def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """Losses per sample of `CategoricalGeneralizedCrossEntropy`."""
    return focal.CategoricalGeneralizedCrossEntropy(q).call(y_true, y_pred)


@guarded
def ctc(y_true, y_pred):
    """Losses per sample of `CTC`."""
    return _ctc.CTC().call(y_true, y_pred)


@guarded
def dice(y_true, y_pred, axis=None):
    """Losses of `Dice`: one, or one for each entry of the axes that are not summed over."""
    return overlap.Dice(axis=axis).call(y_true, y_pred)


@guarded
def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """Losses of `Tversky`: one, or one for each entry of the axes that are not summed over."""
    return overlap.Tversky(alpha, beta, axis=axis).call(y_true, y_pred)
