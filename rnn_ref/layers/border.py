"""What happens to arrays between a layer and its caller: masks travel with them, and no memory is shared.

In Keras arrays cannot be written to, so nobody can tell whether an output is the input itself. NumPy arrays can, so
what a layer returns belongs to the caller alone.

A mask belongs to the array that a layer returned, for as long as the array lives, and reaches the next layer called on
it. Arithmetic, slices and copies give new arrays, which have no mask, as in Keras.
"""

from __future__ import annotations

import weakref

import numpy as np

from rnn_ref.device import converted, is_array, like_given
from rnn_ref.layers.symbolic import entries, replace_entries

_masks: dict[int, tuple] = {}  # id of an array -> weak reference whose callback removes the entry, mask


def set_mask(array, mask) -> None:
    """Let a mask travel with an array."""
    key = id(array)
    _masks[key] = (weakref.ref(array, lambda _: _masks.pop(key, None)), mask)


def mask_of(array):
    """The mask that travels with an array, or None."""
    return _masks.get(id(array), (None, None))[1] if is_array(array) else None


def with_masks(x, arguments: dict) -> dict:
    """The arguments of a call on ``x``, with the masks of ``x`` unless the caller passed masks."""
    if not _masks or arguments.get("mask") is not None:
        return arguments
    if is_array(x):
        mask = mask_of(x)
    elif isinstance(x, (list, tuple, dict)) and all(is_array(e) for e in (x.values() if isinstance(x, dict) else x)):
        mask = replace_entries(x, mask_of)
    else:  # numbers in nested lists
        mask = None
    return arguments if all(m is None for m in entries(mask)) else arguments | {"mask": mask}


def handed_out(layer, y, mask, x, arguments: dict):
    """Outputs as the caller gets them: NumPy arrays if the inputs were, with their masks, in memory of their own."""
    y, mask = like_given((y, mask), x)
    held = [array for array in entries([x, *arguments.values()]) if isinstance(array, np.ndarray)]
    if _may_hand_out_weights(layer):
        held += [weight.value for weight in layer.weights if isinstance(weight.value, np.ndarray)]

    def own(array):
        if isinstance(array, np.ndarray):
            if any(_share_memory(array, other) for other in held):
                array = array.copy()
            held.append(array)
        return array

    y = own(y) if isinstance(y, np.ndarray) else converted(y, own)
    if mask is None:
        return y
    outputs, masks = entries(y), entries(mask)
    if len(outputs) == len(masks):
        for array, its_mask in zip(outputs, masks):
            if its_mask is not None and is_array(array):
                set_mask(array, its_mask.copy())  # it may be the caller's
    return y


def _may_hand_out_weights(layer) -> bool:
    """Whether an output might be a weight itself: not of a layer of this package, unless it runs those of others."""
    if hasattr(type(layer), "walk_layers"):
        return False  # a model hands out what its layers made
    return layer.by_call or not layer.written.__module__.startswith("rnn_ref.") or bool(layer.sublayers())


def _share_memory(a, b) -> bool:
    """As :func:`numpy.may_share_memory`; arrays that own their memory, as most do, need not be looked at for long."""
    if a.base is None and b.base is None:
        return a is b
    return np.may_share_memory(a, b)
