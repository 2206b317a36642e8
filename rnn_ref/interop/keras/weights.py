"""Weights without the model: ``.weights.h5`` of Keras 3, ``.safetensors``, and the weights in old files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rnn_ref.interop.archives import read_members
from rnn_ref.interop.errors import BrokenFile, UnsafeFile, reading
from rnn_ref.interop.hdf5 import opened
from rnn_ref.interop.keras import archive, legacy, store
from rnn_ref.interop.keras.places import Place, places
from rnn_ref.interop.optional import need
from rnn_ref.writing import replacing


def save(model, path: Path) -> None:
    """Write the weights of a model, in the format given by the extension."""
    _check_built(model, "save_weights")
    if path.name.endswith(".safetensors"):
        library = need("safetensors.numpy", "writing .safetensors")
        arrays = {name: w.numpy() for place in places(model) for name, w in named(place).items()}
        content = library.save(arrays, {"format": "np", "written_by": "rnn_ref"})
    else:
        content = archive.weights_to_bytes(model, include_optimizer=False)
    with replacing(path) as file:
        file.write(content)


def load(model, path: Path, *, skip_mismatch: bool, by_name: bool) -> None:
    """Load the weights of a file."""
    _check_built(model, "load_weights")
    old = path.name.endswith((".h5", ".hdf5")) and not path.name.endswith("weights.h5")
    if by_name and not old:
        raise ValueError(
            f"{model.name}.load_weights: by_name=True is for an .h5 of tf.keras 2; in other files weights are found by "
            f"the places of their layers. Got {path}."
        )
    if path.name.endswith(".safetensors"):
        _load_safetensors(model, path, skip_mismatch)
    elif path.name.endswith(".keras"):
        content = read_members(path, archive.LIMITS).get(archive.WEIGHTS)
        if content is None:
            raise BrokenFile(f"{path}: has no {archive.WEIGHTS}.")
        with opened(content, path) as stored:
            store.read(model, stored, skip_mismatch=skip_mismatch)
    elif path.name.endswith((".h5", ".hdf5")):
        with opened(path, path) as stored:
            if not old or not legacy.is_legacy(stored):
                store.read(model, stored, skip_mismatch=skip_mismatch)
            else:
                legacy.read_weights(model, stored, skip_mismatch=skip_mismatch, by_name=by_name)
    else:
        raise ValueError(
            f"{model.name}.load_weights: reads .weights.h5, .keras, .safetensors and .h5; got {str(path)!r}."
        )


def _check_built(model, what: str) -> None:
    if not model.built:
        raise ValueError(
            f"{model.name}.{what}: the model is not built, so that it has no weights yet. Call it on data, or build it."
        )


def named(place: Place) -> dict:
    """Weights by their names in ``.safetensors``: the place followed by the weight's own name."""
    names = [weight.name for weight in place.weights]
    if len(set(names)) < len(names):
        names = [f"{k}_{name}" for k, name in enumerate(names)]
    return {f"{place.path}/{name}".lstrip("/"): weight for name, weight in zip(names, place.weights)}


def _load_safetensors(model, path: Path, skip_mismatch: bool) -> None:
    library = need("safetensors", "reading .safetensors")
    with reading(path), library.safe_open(path, framework="numpy") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        for name, part in slices.items():
            if part.get_dtype() not in ("F64", "F32", "F16", "I64", "I32", "I16", "I8", "U8", "BOOL"):
                raise BrokenFile(f"{path}: {name!r} is of {part.get_dtype()}, which is not read.")
        if len(slices) > 200_000:
            raise UnsafeFile(f"{path}: has {len(slices)} arrays.")
        wanted = [(place, list(named(place))) for place in places(model)]
        known = {name for _, names in wanted for name in names}
        store.assign(
            model,
            ((place, [name for name in names if name in slices]) for place, names in wanted),
            lambda name: slices[name].get_shape(),
            lambda name: np.asarray(file.get_tensor(name)),
            lambda: [f"the file has {name!r}, the model has not" for name in sorted(set(slices) - known)],
            where=str(path),
            skip_mismatch=skip_mismatch,
        )
