"""Whether an array fits the place of an input."""

from __future__ import annotations

from rnn_ref.layers.symbolic import SymbolicTensor
from rnn_ref.models.walk import RecordedTensor


def fit_to_place(tensor: RecordedTensor, place: SymbolicTensor, model: str, *, sizes: bool = True) -> None:
    """Check rank and (with ``sizes``) the known sizes; as in Keras a last axis of one may be missing, or too many.

    Raises
    ------
    ValueError
        If the array is not of the shape that was declared.
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
