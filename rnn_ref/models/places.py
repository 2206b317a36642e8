"""Checks that an array fits an input."""

from __future__ import annotations

from rnn_ref.layers.symbolic import SymbolicTensor
from rnn_ref.models.walk import RecordedTensor


def check_one(tensor, place: SymbolicTensor, model: str) -> None:
    """Check that one input gets one tensor, or None if it is optional.

    Raises
    ------
    ValueError
    """
    name = place.node.layer.name
    if isinstance(tensor, (list, tuple, dict)):
        raise ValueError(
            f"{model}: the input {name!r} takes one array, got {len(tensor)} in a {type(tensor).__name__}. If they are "
            "one array, put them together (np.stack, np.concatenate)."
        )
    if tensor is None and not getattr(place.node.layer, "optional", False):
        raise ValueError(f"{model}: got None for the input {name!r}, which is not optional: Input(..., optional=True).")


def fit_to_place(tensor: RecordedTensor, place: SymbolicTensor, model: str, *, sizes: bool = True) -> None:
    """Check rank and (with ``sizes``) the known sizes; as in Keras, a last axis of size 1 may be missing or extra.

    Raises
    ------
    ValueError
        If the array does not have the declared shape.
    """
    if tensor.ndim == place.ndim - 1 and place.shape[-1] == 1:
        tensor.value = tensor.value[..., None]
    elif tensor.ndim == place.ndim + 1 and tensor.shape[-1] == 1:
        tensor.value = tensor.value[..., 0]
    both = zip(tensor.shape[1:], place.shape[1:])
    if tensor.ndim != place.ndim or (sizes and any(known is not None and size != known for size, known in both)):
        raise ValueError(
            f"{model}: the input {place.node.layer.name!r} expects shape {place.shape}, got {tensor.shape}."
        )
