"""Losses, with their derivatives next to them (https://keras.io/api/losses/)."""

from __future__ import annotations

import inspect

from rnn_ref.guard import explained
from rnn_ref.names import missing

from .. import _identifiers
from .._identifiers import serialize
from .base import Loss
from .ctc import CTC
from .focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy
from .from_function import FunctionLoss
from .functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    categorical_hinge,
    cosine_similarity,
    ctc,
    dice,
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
    tversky,
)
from .hinge import CategoricalHinge, Hinge, SquaredHinge
from .overlap import Dice, Tversky
from .probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
)
from .regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)

CLASS_OF = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    huber: Huber,
    log_cosh: LogCosh,
    cosine_similarity: CosineSimilarity,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    kl_divergence: KLDivergence,
    poisson: Poisson,
    hinge: Hinge,
    squared_hinge: SquaredHinge,
    categorical_hinge: CategoricalHinge,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_generalized_cross_entropy: CategoricalGeneralizedCrossEntropy,
    ctc: CTC,
    dice: Dice,
    tversky: Tversky,
}
"""The class behind each loss function."""

ALIASES = {
    "bce": binary_crossentropy,
    "kld": kl_divergence,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}

KNOWN = {
    **{cls.__name__: cls for cls in CLASS_OF.values()},
    **{function.__name__: function for function in CLASS_OF},
    **ALIASES,
    **{alias.upper(): function for alias, function in ALIASES.items()},
    "logcosh": log_cosh,
}


@explained
def get(identifier):
    """A loss from its name, its config, its class or itself (https://keras.io/api/losses/).

    As in Keras, the name of a function gives that function and the name of a class an instance.

    >>> get("mse").__name__, get("MeanSquaredError").name
    ('mean_squared_error', 'mean_squared_error')
    """
    if isinstance(identifier, str):
        identifier = _identifiers.lookup(identifier, KNOWN, "loss")
    elif isinstance(identifier, dict):
        identifier = deserialize(identifier)
    if inspect.isclass(identifier):
        identifier = identifier()
    if identifier is None or callable(identifier):
        return identifier
    raise ValueError(f"A loss must be a name, a config, a function or a Loss. Received: {identifier!r}")


@explained
def deserialize(name, custom_objects=None):
    """A loss from what `serialize` returned.

    >>> deserialize(serialize(Huber(delta=2.0))).delta
    2.0
    """
    return _identifiers.deserialize(name, KNOWN, "loss", custom_objects)


@explained
def resolve(identifier, y_true=None, y_pred=None) -> Loss | None:
    """The `Loss` that a model trains on.

    Parameters
    ----------
    identifier : str, dict, Loss, type, function or None
        What `get` takes, or ``"crossentropy"`` (``"ce"``), which the shapes make binary, sparse or
        categorical. A Python function ``f(y_true, y_pred)`` becomes a :class:`FunctionLoss`.
    y_true, y_pred : array, optional
        Targets and predictions, or anything with their shapes. Only needed for ``"crossentropy"``.

    Examples
    --------
    >>> import numpy as np
    >>> type(resolve("crossentropy", np.zeros((4,)), np.zeros((4, 10)))).__name__
    'SparseCategoricalCrossentropy'
    """
    name = identifier if isinstance(identifier, str) else None
    if name is not None and name.lower() in ("crossentropy", "ce"):
        if y_true is None or y_pred is None:
            raise ValueError(f"The loss {name!r} depends on the shapes of y_true and y_pred: pass both.")
        kind = kind_of_targets(y_true.shape, y_pred.shape)
        identifier = {
            "binary": binary_crossentropy,
            "sparse": sparse_categorical_crossentropy,
            "categorical": categorical_crossentropy,
        }[kind]
    loss = get(identifier)
    if loss is None or isinstance(loss, Loss):
        return loss
    if loss in CLASS_OF:
        return CLASS_OF[loss](name=name or loss.__name__)
    return FunctionLoss(loss, name=name)


def kind_of_targets(y_true_shape: tuple, y_pred_shape: tuple) -> str:
    """``"binary"``, ``"sparse"`` or ``"categorical"``, as Keras reads it off the shapes.

    >>> kind_of_targets((4, 1), (4, 1)), kind_of_targets((4, 1), (4, 3)), kind_of_targets((4, 3), (4, 3))
    ('binary', 'sparse', 'categorical')
    """
    if y_pred_shape[-1] == 1:
        return "binary"
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return "sparse"
    return "categorical"


__getattr__ = missing("losses")

__all__ = [
    *(cls.__name__ for cls in CLASS_OF.values()),
    *(function.__name__ for function in CLASS_OF),
    "Loss",
    "deserialize",
    "get",
    "resolve",
    "serialize",
]
