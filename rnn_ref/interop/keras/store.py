"""Transfers weights between a model's layers and a file, place by place."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import numpy as np

from rnn_ref.interop.errors import WrongWeights
from rnn_ref.interop.hdf5 import Stored
from rnn_ref.interop.keras.places import Place, places

# What Keras keeps besides the weights of layers.
BESIDE = ("optimizer", "seed_generator", "_compile_metrics", "_metrics", "metrics", "loss", "loss_tracker")


def write(model, file) -> None:
    """Write the weights of a model into an open HDF5 file, in Keras's layout."""
    for place in places(model):
        group = file.create_group(f"{place.path}/vars".lstrip("/"))
        group.attrs["name"] = place.name
        for k, weight in enumerate(place.weights):
            group[str(k)] = weight.numpy()


def read(model, stored: Stored, *, skip_mismatch: bool = False, skip_more: bool = False) -> None:
    """Load the weights of a file: all that the model has, or none.

    Parameters
    ----------
    skip_mismatch : bool
        Load what fits, and warn about the rest.
    skip_more : bool
        Ignore weights of layers that the model does not have.

    Raises
    ------
    WrongWeights
        If weights are missing, have another shape, or are too many.
    """
    taken: dict[str, str] = {}

    def found(place: Place) -> list[str]:
        for path in _spellings(place.path):
            names = [name for name in stored.inside(f"{path}/vars".lstrip("/")) if name.isdigit()]
            if names:
                here = [f"{path}/vars/{name}".lstrip("/") for name in sorted(names, key=int)]
                taken.update(dict.fromkeys(here, place.name))
                return here
        return []

    assign(
        model,
        ((place, found(place)) for place in places(model)),
        lambda key: stored.datasets[key].shape,
        stored.array,
        lambda: [] if skip_more else _more(stored, taken),
        where=stored.where,
        skip_mismatch=skip_mismatch,
    )


def assign(
    model,
    found: Iterator[tuple[Place, list[str]]],
    shape_of: Callable,
    array_of: Callable,
    more: Callable,
    *,
    where: str,
    skip_mismatch: bool,
) -> None:
    """Put arrays into weights, after all have been checked."""
    fitting: list = []
    problems: list[str] = []
    for place, keys in found:
        shapes, expected = [tuple(shape_of(key)) for key in keys], [weight.shape for weight in place.weights]
        if shapes == expected:
            fitting += zip(place.weights, keys)
        else:
            told = "nothing" if not shapes else f"weights of the shapes {shapes}"
            problems.append(f"{place.name!r} has weights of the shapes {expected}, the file has {told} for it")
    problems += more()
    if problems:
        several = f", and {len(problems) - 3} more" if len(problems) > 3 else ""
        told = f"{where}: its weights are not those of {model.name}: {'; '.join(problems[:3])}{several}."
        if not skip_mismatch:
            raise WrongWeights(f"{told} Nothing was changed; skip_mismatch=True of load_weights takes what fits.")
        warnings.warn(f"{told} The others are taken.", stacklevel=6)
    for weight, key in fitting:
        weight.assign(np.asarray(array_of(key)))


def _spellings(path: str) -> list[str]:
    """A place by its current name, and by those of earlier versions."""
    parents, _, last = path.rpartition("/")
    hidden = f"{parents}/{last[1:] if last.startswith('_') else '_' + last}".lstrip("/")
    return [path, hidden, path.replace("layers", "_layer_checkpoint_dependencies")]


def _more(stored: Stored, taken: dict) -> list[str]:
    """What the file has and the model does not."""
    left = {
        path.rpartition("/vars/")[0]
        for path in stored.datasets
        if path not in taken and not set(path.split("/")) & set(BESIDE)
    }
    return [f"the file has weights for {path!r}, the model has none there" for path in sorted(left)]
