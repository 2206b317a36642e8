"""Penalties on the outputs of layers (``activity_regularizer``, ``add_loss``), which count wherever a layer is called.

The caller of a layer counts its own penalty and those in its tape from layers inside it. Such a tape has

- ``penalties``: a list of ``(layer, value)``;
- ``scale``: dL/d(penalty) of each, to be set before backward; None if the loss contains simply their sum.
"""

from __future__ import annotations

from typing import Any

from rnn_ref import shares
from rnn_ref.device import xp
from rnn_ref.layers.regularizers import penalty


def activity_penalty(layer, y):
    """The penalty of ``activity_regularizer`` on one output, divided by the batch size as in Keras."""
    return penalty(layer.activity_regularizer, y, f"{layer.name}: activity_regularizer") / shares.whole(len(y))


def activity_gradient(layer, y, scale=1):
    """Its gradient, times ``scale``."""
    return xp.asarray(layer.activity_regularizer.gradient(y), y.dtype) * (scale / y.dtype.type(shares.whole(len(y))))


def on_weights(weights: list) -> list:
    """The penalties of the weights that have a regularizer."""
    if not shares.is_first():
        return []
    return [penalty(w.regularizer, w.value, w.path) for w in weights if w.regularizer is not None]


def penalties_of(layer, outputs: list, tape) -> list[tuple[Any, Any]]:
    """The penalties of a layer's run: its own, summed over all outputs, and those of layers inside it."""
    inside = list(getattr(tape, "penalties", ()))
    if layer.activity_regularizer is None:
        return inside
    return [(layer, sum(activity_penalty(layer, y) for y in outputs)), *inside]


def count(layer, tape) -> int:
    """The number of penalties that :func:`penalties_of` finds."""
    return (layer.activity_regularizer is not None) + len(getattr(tape, "penalties", ()))


def with_penalties(layer, outputs: list, tape, dys: list, scale: list | None = None) -> list:
    """Gradients of the outputs (None for zero) plus those of the layer's own penalty; sets the tape's ``scale``.

    ``scale`` belongs to the list of :func:`penalties_of`.
    """
    own = layer.activity_regularizer is not None
    if getattr(tape, "penalties", ()):
        tape.scale = None if scale is None else scale[own : own + len(tape.penalties)]
    if not own:
        return dys
    found = [activity_gradient(layer, y, 1 if scale is None else scale[0]) for y in outputs]
    return [dx if dy is None else dy + dx for dy, dx in zip(dys, found)]


def remember(layer, penalties: list[tuple]) -> None:
    """Keep the values in ``losses`` until the next call: in each layer its own, and all in the one that was called."""
    if not penalties and not layer._penalties:
        return
    for inner in dict.fromkeys(inner for inner, _ in penalties):
        inner._penalties = [value for other, value in penalties if other is inner]
    layer._penalties = [value for _, value in penalties]
