"""Whether ranks may train together: the same model on each, and one whose steps can be put together from shares."""

from __future__ import annotations

import platform
import zlib
from typing import Any

import numba
import numpy as np

from rnn_ref.device import get_device
from rnn_ref.distribution.ranks import Ranks
from rnn_ref.layers import BatchNormalization
from rnn_ref.layers.regularizers import L1, L1L2, L2
from rnn_ref.training.losses import Loss
from rnn_ref.version import __version__

OVERRIDES = ("train_step", "test_step", "compute_loss", "compute_metrics")


def check_model(model) -> None:
    """Refuse what cannot be put together from shares of a batch, or is not known to.

    Raises
    ------
    NotImplementedError, ValueError
    """
    name = f"{model.name}: DataParallel"
    if get_device() != "cpu":
        raise NotImplementedError(f"{name} trains on CPUs; call rnn_ref.set_device('cpu') on every rank.")
    if not model.built:
        raise ValueError(f"{name} needs a model that is built before; call it on data, or begin it with an Input.")
    for method in OVERRIDES:
        if model._overrides(method):
            raise NotImplementedError(
                f"{name} does not know what {method} of {type(model).__name__} does with a whole batch; train on one "
                "process, or give compile a loss and metrics instead."
            )
    if model.objective.joint:
        raise NotImplementedError(f"{name} has no losses of several outputs at once; give each output its own.")
    for loss in model.objective.losses:
        if isinstance(loss, Loss) and type(loss).__call__ is not Loss.__call__:
            raise NotImplementedError(
                f"{name} does not know how {type(loss).__name__} reduces the losses of a batch, as its __call__ is its "
                "own; define call(y_true, y_pred), the losses of samples."
            )
    for layer in model.with_all_inside():
        if isinstance(layer, BatchNormalization) and layer.trainable:
            raise NotImplementedError(
                f"{name}: {layer.name} normalizes over the samples of a batch, of which every rank has but a share. "
                "Use LayerNormalization, or freeze it: layer.trainable = False."
            )
        penalty = getattr(layer, "activity_regularizer", None)
        if penalty is not None and type(penalty) not in (L1, L2, L1L2):
            raise NotImplementedError(
                f"{name}: whether the penalty {type(penalty).__name__} of {layer.name} may be added up over samples is "
                "not known; use L1, L2 or L1L2 as activity_regularizer."
            )


def check_metrics(metrics: list) -> None:
    """Refuse metrics whose variables nobody said may be added up."""
    for metric in metrics:
        known = type(metric).__module__.startswith("rnn_ref.")
        if not getattr(metric, "adds_up", known):
            raise NotImplementedError(
                f"DataParallel: whether the variables of the metric {metric.name!r} over shares of the data may be "
                f"added up is not known; if so, say it in the class: {type(metric).__name__}.adds_up = True."
            )
        check_metrics(metric._inner)


def check_alike(ranks: Ranks, model, told: dict[str, Any]) -> None:
    """Raise, on all ranks, if one has something else than the first: versions, layers, weights, settings, data."""
    optimizer = model.optimizer
    mine = {
        "the versions of Python, rnn_ref, NumPy and Numba": [
            platform.python_version(),
            __version__,
            np.__version__,
            numba.__version__,
        ],
        "the layers": [type(layer).__name__ for layer in model.with_all_inside()],
        "the shapes and types of the weights": [(weight.shape, str(weight.dtype)) for weight in model.weights],
        "which weights are trained": [weight.trainable for weight in model.weights],
        "the losses": [_described(loss) for loss in model.objective.losses],
        "the optimizer": None if optimizer is None else _described(optimizer),
        "the layers that have states from before": [
            None if getattr(layer, "states", None) is None else len(layer.states) for layer in model.with_all_inside()
        ],
    } | told
    everyone = ranks.to_all(mine)
    for what in mine:
        for rank, other in enumerate(everyone):
            if other[what] != everyone[0][what]:
                raise ValueError(
                    f"{model.name}: ranks cannot train together: {what} are not the same: on rank 0 "
                    f"{everyone[0][what]!r:.300}, on rank {rank} {other[what]!r:.300}. Start the same program, with "
                    "the same packages, model and data, on every rank."
                )


def _described(thing: Any) -> str:
    config = getattr(thing, "get_config", dict)()
    config.pop("name", None)  # numbered by how many there were before
    return f"{type(thing).__name__}{config}"


def fingerprint(model) -> int:
    """A number that the values of all weights decide."""
    found = 0
    for weight in model.weights:
        found = zlib.crc32(np.ascontiguousarray(weight.value), found)
    return found


def check_weights(ranks: Ranks, model) -> None:
    """Raise if the weights are no longer the same bits on all ranks."""
    found = ranks.to_all(fingerprint(model))
    for rank, other in enumerate(found):
        if other != found[0]:
            raise RuntimeError(
                f"{model.name}: the weights of rank {rank} are not those of rank 0. What changes weights besides the "
                "optimizer must do the same on every rank; before evaluate, load the same weights everywhere."
            )
