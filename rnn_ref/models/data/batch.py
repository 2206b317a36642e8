"""One batch: inputs, targets and sample weights as lists of arrays that belong together."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_ref.device import array_module
from rnn_ref.layers.call_checks import warn_nan
from rnn_ref.models.data.class_weights import weigh_classes
from rnn_ref.models.data.kinds import is_frame, to_arrays
from rnn_ref.models.structure import along_or_flat, flatten, is_deep

Batch = tuple[list, list, list]


def one_batch(x, y, sample_weight, *, model, class_weight=None) -> Batch:
    """Inputs, targets and weights of the same samples, each as a list of arrays (or Nones).

    Raises
    ------
    ValueError, TypeError
        If these are not arrays of numbers, one for each input and output, with the same number of samples.
    """
    name = model.name
    if is_frame(x) and len(model.input_names) > 1 and set(x.columns) == set(model.input_names):
        x = {column: x[column] for column in x.columns}
    x = model.flatten_inputs(to_arrays(x, f"{name}: x"), f"{name}: x")
    names = model.output_names  # some models know them only now
    y = to_arrays(y, f"{name}: y")
    y = model.flatten_targets(y, f"{name}: y") if model.compiled else flatten(y, names, f"{name}: y")
    what = f"{name}: sample_weight"
    sample_weight = _spread(to_arrays(sample_weight, what), names, model._output_structure, what)
    batch = x, y, sample_weight
    _check_lengths(batch, model)
    return weighted(batch, class_weight, model) if class_weight is not None else batch


def _check_lengths(batch: Batch, model) -> None:
    name = model.name
    optional = [getattr(place.node.layer, "optional", False) for place in getattr(model, "inputs", None) or []]
    for what, arrays in zip(("x", "y", "sample_weight"), batch):
        for k, array in enumerate(arrays):
            left_out = array is None and what == "x" and not (k < len(optional) and optional[k])
            if isinstance(array, list) or left_out:
                got = "None" if array is None else f"a list of {len(array)} arrays"
                raise ValueError(f"{name}: {what}: expected one array for each of the model's, got {got} for one.")
    given = [array for array in batch[0] if array is not None]
    if not given:
        raise ValueError(f"{name}: x: got None for every input; one must have samples.")
    size = len(given[0])
    for what, arrays in zip(("x", "y", "sample_weight"), batch):
        for array in arrays:
            if array is not None and len(array) != size:
                raise ValueError(f"{name}: {what} has {len(array)} samples, x has {size}; each sample needs its own.")
    if size == 0:
        raise ValueError(f"{name}: x is empty (shape {given[0].shape}); at least one sample is needed.")


def _spread(sample_weight: Any, names: list[str], structure: Any, what: str) -> list:
    """A single sample weight is used for every output, unless there is one for each."""
    if is_deep(structure) and isinstance(sample_weight, (list, tuple, dict)):
        return along_or_flat(structure, sample_weight, what)
    if sample_weight is None or len(names) == 1 or isinstance(sample_weight, (list, dict)):
        return flatten(sample_weight, names, what)
    if sample_weight.size != len(sample_weight):
        raise ValueError(
            f"{what}: shape {sample_weight.shape} for {len(names)} outputs; one array for all of them has one weight a "
            "sample. Give a list with one array for each output."
        )
    return [sample_weight] * len(names)


def weighted(batch: Batch, class_weight: dict, model) -> Batch:
    """The batch with sample weights determined by its classes."""
    x, y, sample_weight = batch
    if len(y) > 1:
        raise ValueError(f"{model.name}: class_weight is for a model with a single output; use sample_weight.")
    if sample_weight[0] is not None:
        raise ValueError(
            f"{model.name}: class_weight and sample_weight exclude each other. Multiply the sample weights by those of "
            "the classes, and give only these."
        )
    if y[0] is None:
        raise ValueError(f"{model.name}: class_weight needs targets y.")
    if not model.built:
        model.build_on(x)
    return x, y, [weigh_classes(class_weight, y[0], _shape(model.output_shape), model.name)]


def _shape(structure) -> tuple:
    """The single shape in a list or dict of shapes."""
    while isinstance(structure, (list, dict)):
        (structure,) = structure.values() if isinstance(structure, dict) else structure
    return structure


def look_for_nan(x, y, sample_weight, *, model, only_here: bool = False) -> bool:
    """Warn about NaN or infinity in the arrays of :func:`one_batch`; returns whether there was none.

    ``only_here`` skips arrays on a GPU, because reading them would have to wait for it.
    """
    fine = True
    for what, arrays in (("x", x), ("y", y), ("sample_weight", sample_weight)):
        for array in arrays:
            if array is not None and not (only_here and array_module(array) is not np):
                fine = not warn_nan(array, f"{model.name}: {what}") and fine
    return fine
