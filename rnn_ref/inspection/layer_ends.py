"""The inputs and outputs of a layer, and what else a layer that is not recurrent shows."""

from __future__ import annotations

import numpy as np

from rnn_ref.inspection.layer_trace import make
from rnn_ref.layers.attention_base import AttentionTape
from rnn_ref.layers.dropout import Dropout
from rnn_ref.layers.multi_head_tape import MultiHeadAttentionTape


def extras_of(layer, tape, x, mask, every: int) -> dict:
    """What else a layer that is not recurrent shows."""
    extras: dict = {"mask": None}
    if isinstance(mask, np.ndarray) and mask.ndim == 2 and isinstance(x, np.ndarray) and x.shape[:2] == mask.shape:
        extras["mask"] = mask[:, ::every]
    if isinstance(tape, AttentionTape) and len(tape.lead) == 1:
        extras["scores"] = copy_if(tape.scores[:, ::every], every)
        if tape.drop is not None:
            extras["dropout"] = {"scores": copy_if(tape.drop[:, ::every], every)}
    elif isinstance(tape, MultiHeadAttentionTape) and len(tape.shapes[0]) == 3:  # (B, heads, Tq, Tv)
        extras["scores"] = copy_if(tape.scores[:, :, ::every], every)
        if tape.drop is not None:
            extras["dropout"] = {"scores": copy_if(tape.drop[:, :, ::every], every)}
    elif isinstance(layer, Dropout) and tape is not None:
        seen = make(layer, layer.name, inputs=np.broadcast_to(tape, x.shape), outputs=None, every=every)
        extras |= {"dropout": {"inputs": seen.inputs}, "axes": {"dropout/inputs": seen.axes["inputs"]}}
    return extras


def copy_if(array: np.ndarray, every: int) -> np.ndarray:
    return array.copy() if every > 1 else array


def values_of(structure, attribute: str):
    """The arrays (or masks) of tensors, and anything else as it is; tuples become lists."""
    if isinstance(structure, (list, tuple)):
        return [values_of(entry, attribute) for entry in structure]
    if isinstance(structure, dict):
        return {key: values_of(entry, attribute) for key, entry in structure.items()}
    return getattr(structure, attribute, structure if attribute == "value" else None)


def each_of(structure, function):
    return [each_of(entry, function) for entry in structure] if isinstance(structure, list) else function(structure)


def folded(array, count: int):
    """``(B, T, ...)`` -> ``(B*T, ...)``."""
    return None if array is None else array.reshape(count, *array.shape[2:])


def batch_first(layer, x):
    return each_of(x, lambda array: array.swapaxes(0, 1) if array.ndim > 2 else array) if layer.time_major else x


def in_order(layer, y, backwards: bool):
    """Outputs with the batch axis first and time in the order of the data."""
    if not layer.return_sequences:
        return y

    def ordered(array, is_sequence):
        if not is_sequence:
            return array
        array = array.swapaxes(0, 1) if layer.time_major else array
        return array[:, ::-1] if backwards else array

    several = isinstance(y, list)
    sequences = 2 if getattr(layer, "merge_mode", "") is None else 1  # the states follow
    found = [ordered(array, k < sequences) for k, array in enumerate(y if several else [y])]
    return found if several else found[0]
