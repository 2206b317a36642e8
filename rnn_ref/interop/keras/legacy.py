"""``.h5`` files of tf.keras 2 and Keras 2, models and weights: read only.

Weights are in one group for each layer, in the order given by ``layer_names`` and ``weight_names``.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from rnn_ref.interop.errors import BrokenFile, WrongWeights, reading
from rnn_ref.interop.hdf5 import Stored, opened
from rnn_ref.interop.keras import archive
from rnn_ref.interop.keras.legacy_config import modern, modern_training, with_old_hard_sigmoid
from rnn_ref.interop.keras.old_weights import as_today

LONGEST = 1 << 23  # bytes of a description
ROOT = "model_weights"


def is_legacy(stored: Stored) -> bool:
    """Whether an HDF5 file has the layout of tf.keras 2."""
    return ROOT in stored.groups or bool(_names(stored, "", "layer_names"))


def load(path, *, compile: bool, skip_unknown: bool):
    """The model in a file, compiled if that is still possible; the optimizer starts afresh."""
    with opened(path, path) as stored:
        text = stored.groups[""].attrs.get("model_config")
        if not isinstance(text, (str, bytes)) or ROOT not in stored.groups:
            raise BrokenFile(f"{path}: is no model of tf.keras 2; if it holds weights only, use model.load_weights.")
        if len(text) > LONGEST:
            raise BrokenFile(f"{path}: its description has {len(text)} bytes; at most {LONGEST} are read.")
        described = archive.parsed(text, f"{path}: model_config")
        with reading(path):
            try:
                version = stored.groups[""].attrs.get("keras_version", b"2")
                described = modern(described)
                if not (version.decode() if isinstance(version, bytes) else str(version)).startswith("3"):
                    described = with_old_hard_sigmoid(described)
            except NotImplementedError as error:
                raise BrokenFile(f"{path}: {error}") from error
        model = archive.made(described, stored, str(path), compile=False, skip_unknown=skip_unknown)
        read_weights(model, stored, skip_mismatch=False, by_name=skip_unknown)
        training = stored.groups[""].attrs.get("training_config")
        if compile and isinstance(training, (str, bytes)) and len(training) <= LONGEST:
            _compile(model, archive.parsed(training, f"{path}: training_config"), path)
    return model


def _compile(model, described: dict, path) -> None:
    from rnn_ref.models import compile_config

    try:
        model.compile(**compile_config.read(modern_training(described)))
    except Exception as error:
        warnings.warn(f"{path}: the model is not compiled ({error}); call compile.", stacklevel=5)


def read_weights(model, stored: Stored, *, skip_mismatch: bool, by_name: bool) -> None:
    """Load weights layer by layer in order, or for the layers whose names are in the file.

    Raises
    ------
    WrongWeights
        If they are not those of the model. Nothing is changed then.
    """
    root = ROOT if ROOT in stored.groups else ""
    named = {name: _arrays(stored, f"{root}/{name}".lstrip("/")) for name in _names(stored, root, "layer_names")}
    layers = [layer for layer in model.layers if layer.weights]
    if by_name:
        pairs = [(layer, named[layer.name]) for layer in layers if layer.name in named]
    else:
        filled = [arrays for arrays in named.values() if arrays]
        if len(filled) != len(layers):
            raise WrongWeights(
                f"{stored.where}: has weights of {len(filled)} layers, {model.name} has {len(layers)} layers with "
                "weights; by_name=True of load_weights takes those whose names are the same."
            )
        pairs = list(zip(layers, filled))
    fitting, problems = [], []
    for layer, arrays in pairs:
        weights = [*layer.trainable_weights, *layer.non_trainable_weights]
        arrays = as_today(layer, weights, arrays)
        if [array.shape for array in arrays] == [weight.shape for weight in weights]:
            fitting += zip(weights, arrays)
        else:
            problems.append(
                f"{layer.name!r} has weights of the shapes {[w.shape for w in weights]}, the file has "
                f"{[a.shape for a in arrays]} for it{_hint(layer)}"
            )
    if problems:
        told = f"{stored.where}: its weights are not those of {model.name}: {'; '.join(problems[:3])}."
        if not skip_mismatch:
            raise WrongWeights(f"{told} Nothing was changed.")
        warnings.warn(f"{told} The others are taken.", stacklevel=6)
    for weight, array in fitting:
        weight.assign(array)


def _hint(layer) -> str:
    cell = getattr(layer, "cell", None)
    if getattr(cell, "reset_after", None) is None:
        return ""
    return f" (a GRU with reset_after=True has a bias (2, 3H), one without (3H,); here it is {cell.reset_after})"


def _arrays(stored: Stored, group: str) -> list[np.ndarray]:
    names = [f"{group}/{name}" for name in _names(stored, group, "weight_names")]
    for name in names:
        if name not in stored:
            raise BrokenFile(f"{stored.where}: lists {name!r}, which is not there.")
    return [stored.array(name) for name in names]


def _names(stored: Stored, group: str, attribute: str) -> list[str]:
    """A list of names, which is split into ``layer_names0``, ``layer_names1``, ... if it is long."""
    if group not in stored.groups:
        raise BrokenFile(f"{stored.where}: lists {group!r}, which is not there.")
    attributes = stored.groups[group].attrs
    parts: list[Any] = []
    if attribute in attributes:
        parts = list(np.ravel(attributes[attribute]))
    else:
        k = 0
        while f"{attribute}{k}" in attributes:
            parts += list(np.ravel(attributes[f"{attribute}{k}"]))
            k += 1
    return [part.decode("utf-8") if isinstance(part, bytes) else str(part) for part in parts]
