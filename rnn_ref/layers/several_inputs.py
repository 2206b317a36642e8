"""What layers with several inputs share: checks of a list of arrays."""

from __future__ import annotations

import numpy as np

from rnn_ref.device import xp


def as_arrays(layer, inputs, expected: str = "a list of arrays") -> list[np.ndarray]:
    """Check a list of input arrays, build the layer if they are the first, and cast them to its precision.

    Parameters
    ----------
    layer : Layer
    inputs : list of array_like
        Each with the batch in front.
    expected : str
        What the layer expects, for error messages.

    Returns
    -------
    list of ndarray
    """
    if not isinstance(inputs, (list, tuple)) or any(np.ndim(x) == 0 for x in inputs):
        raise ValueError(f"{layer.name}: expected {expected}, got {_describe(inputs)}.")
    arrays = [xp.asarray(x) for x in inputs]
    for k, x in enumerate(arrays):
        if x.dtype.kind not in "fiub":
            raise TypeError(f"{layer.name}: expected arrays of numbers, got dtype {x.dtype} for input {k}.")
        if x.shape[0] == 0:
            raise ValueError(f"{layer.name}: got an empty batch, shape {x.shape}; at least one sample is needed.")
    shapes = [x.shape for x in arrays]
    if layer.built:
        layer.check_shapes(shapes)
    layer.ensure_built(shapes)
    return [x.astype(layer.dtype, copy=False) for x in arrays]


def check_masks(layer, inputs, mask) -> list | None:
    """Check the masks of several inputs: None, or a list with as many entries, each an array or None."""
    if not isinstance(inputs, (list, tuple)):
        raise ValueError(f"{layer.name}: the inputs must be a list, got {_describe(inputs)}.")
    if mask is None:
        return None
    if not isinstance(mask, (list, tuple)) or len(mask) != len(inputs):
        raise ValueError(
            f"{layer.name}: expected a list of {len(inputs)} masks (None for an input without one), "
            f"got {_describe(mask)}."
        )
    return [None if m is None else xp.asarray(m, bool) for m in mask]


def _describe(value) -> str:
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)} entries with shapes {[np.shape(x) for x in value]}"
    return f"an array of shape {value.shape}" if hasattr(value, "shape") else f"{value!r}"
