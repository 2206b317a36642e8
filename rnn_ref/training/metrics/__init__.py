"""Metrics: what is reported during training and evaluation (https://keras.io/api/metrics/)."""

from __future__ import annotations

import inspect

from rnn_ref.guard import explained
from rnn_ref.names import missing

from .. import _identifiers, losses
from .._arrays import fold_mask
from .._identifiers import serialize, snake_case
from ..losses import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from .accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .auc import AUC
from .base import Mean, MeanMetricWrapper, Metric, Sum
from .confusion import FalseNegatives, FalsePositives, Precision, Recall, TrueNegatives, TruePositives
from .correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    R2Score,
    concordance_correlation,
    pearson_correlation,
)
from .f_scores import F1Score, FBetaScore
from .from_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from .iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from .operating_points import PrecisionAtRecall, RecallAtPrecision, SensitivityAtSpecificity, SpecificityAtSensitivity
from .perplexity import Perplexity

_CLASSES = [
    *(Mean, Sum, MeanMetricWrapper),
    *(Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy),
    *(TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy),
    *(AUC, Precision, Recall, TruePositives, FalsePositives, TrueNegatives, FalseNegatives),
    *(PrecisionAtRecall, RecallAtPrecision, SensitivityAtSpecificity, SpecificityAtSensitivity),
    *(F1Score, FBetaScore, IoU, BinaryIoU, MeanIoU, OneHotIoU, OneHotMeanIoU),
    *(PearsonCorrelation, ConcordanceCorrelation, R2Score, Perplexity),
    *(MeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredLogarithmicError),
    *(RootMeanSquaredError, CosineSimilarity, LogCoshError),
    *(BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy, KLDivergence, Poisson),
    *(Hinge, SquaredHinge, CategoricalHinge),
]
_FUNCTIONS = [
    *(binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy, kl_divergence, poisson),
    *(mean_squared_error, mean_absolute_error, mean_absolute_percentage_error),
    *(mean_squared_logarithmic_error, huber, log_cosh, hinge, squared_hinge, categorical_hinge),
    *(binary_accuracy, categorical_accuracy, sparse_categorical_accuracy),
    *(top_k_categorical_accuracy, sparse_top_k_categorical_accuracy),
    *(pearson_correlation, concordance_correlation),
]

ALIASES = {
    "bce": BinaryCrossentropy,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
}

KNOWN = {
    **{function.__name__: function for function in _FUNCTIONS},
    **{cls.__name__: cls for cls in _CLASSES},
    **{snake_case(cls.__name__): cls for cls in _CLASSES},
    **ALIASES,
    **{alias.upper(): cls for alias, cls in ALIASES.items()},
}


@explained
def get(identifier):
    """A metric from its name, its config, its class or itself (https://keras.io/api/metrics/).

    >>> get("mse").name, get("RootMeanSquaredError").name
    ('mean_squared_error', 'root_mean_squared_error')
    """
    if isinstance(identifier, str):
        identifier = _identifiers.lookup(identifier, KNOWN, "metric")
    elif isinstance(identifier, dict):
        identifier = deserialize(identifier)
    if inspect.isclass(identifier):
        parameters = inspect.signature(identifier).parameters.values()
        needed = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        if needed:
            name = identifier.__name__
            raise ValueError(
                f"{name} needs {' and '.join(needed)}: pass {name}({', '.join(f'{n}=...' for n in needed)})."
            )
        identifier = identifier()
    if identifier is None or callable(identifier):
        return identifier
    raise ValueError(f"A metric must be a name, a config, a function or a Metric. Received: {identifier!r}")


@explained
def deserialize(config, custom_objects=None):
    """A metric from what `serialize` returned.

    >>> deserialize(serialize(Precision(thresholds=0.3))).thresholds
    [0.3]
    """
    return _identifiers.deserialize(config, KNOWN, "metric", custom_objects)


@explained
def resolve(identifier, y_true=None, y_pred=None) -> Metric:
    """The `Metric` that a compiled model reports.

    Parameters
    ----------
    identifier : str, dict, Metric, type or function
        What `get` takes, or ``"accuracy"`` (``"acc"``) or ``"crossentropy"`` (``"ce"``), which the shapes
        make binary, sparse or categorical. A function becomes the mean of what it returns, under its own
        name.
    y_true, y_pred : array, optional
        Targets and predictions, or anything with their shapes. Only needed for those names.

    Returns
    -------
    Metric
        Named as asked for: ``"acc"`` is reported as ``"acc"``.

    Examples
    --------
    >>> import numpy as np
    >>> resolve("acc", np.zeros((4, 1)), np.zeros((4, 10)))
    <SparseCategoricalAccuracy name=acc>
    """
    if identifier is None:
        raise ValueError("Expected a metric. Received: None")
    name = identifier if isinstance(identifier, str) else None
    by_shape = _BY_SHAPE.get(name.lower()) if is_by_shape(identifier) else None
    if by_shape:
        if y_true is None or y_pred is None:
            raise ValueError(f"The metric {name!r} depends on the shapes of y_true and y_pred: pass both.")
        return by_shape[losses.kind_of_targets(y_true.shape, y_pred.shape)](name=name)
    metric = get(identifier)
    if not isinstance(metric, Metric):
        own_name = getattr(metric, "name", None) or getattr(metric, "__name__", type(metric).__name__)
        metric = MeanMetricWrapper(metric, name=own_name)
    if name is not None:
        metric.name = name
    return metric


def is_by_shape(identifier) -> bool:
    """Whether the shapes of targets and predictions say which metric is meant.

    >>> is_by_shape("acc"), is_by_shape("mae")
    (True, False)
    """
    return isinstance(identifier, str) and identifier.lower() in _BY_SHAPE


_ACCURACY = {
    "binary": BinaryAccuracy,
    "sparse": SparseCategoricalAccuracy,
    "categorical": CategoricalAccuracy,
}
_CROSSENTROPY = {
    "binary": BinaryCrossentropy,
    "sparse": SparseCategoricalCrossentropy,
    "categorical": CategoricalCrossentropy,
}
_BY_SHAPE = {"accuracy": _ACCURACY, "acc": _ACCURACY, "crossentropy": _CROSSENTROPY, "ce": _CROSSENTROPY}

__getattr__ = missing("metrics")

__all__ = [
    *(cls.__name__ for cls in _CLASSES),
    *(function.__name__ for function in _FUNCTIONS),
    "Metric",
    "deserialize",
    "fold_mask",
    "get",
    "resolve",
    "serialize",
]
