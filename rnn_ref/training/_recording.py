"""Losses and metrics inside code that autograd records: a user's loss, ``compute_loss`` or ``train_step``.

Losses of this package have derivatives written by hand, so that autograd takes each as a single operation. Metrics
have none and are given plain numbers.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

import numpy as np


def is_recorded(x) -> bool:
    """Whether autograd is recording what happens to this array."""
    tracer = sys.modules.get("autograd.tracer")
    return tracer is not None and isinstance(x, tracer.Box)


def plain(structure):
    """Arrays in nested lists, tuples and dicts, without autograd's boxes around them."""
    if isinstance(structure, (list, tuple)):
        entries = [plain(entry) for entry in structure]
        return entries if isinstance(structure, list) else tuple(entries)
    if isinstance(structure, dict):
        return {key: plain(entry) for key, entry in structure.items()}
    while is_recorded(structure):
        structure = structure._value
    return structure


@functools.cache
def _operation(function: Callable, vjp: Callable, place: int) -> Callable:
    """A function that autograd does not look into; ``vjp(g, result, *arguments)`` is the gradient of one argument."""
    from autograd.extend import defvjp, primitive

    operation = primitive(function)
    defvjp(operation, lambda result, *arguments: lambda g: vjp(g, result, *arguments), argnums=(place,))
    return operation


def operation(function: Callable, vjp: Callable, place: int, *arguments):
    """Call a function as one operation of autograd's record."""
    recorded = [k for k, argument in enumerate(arguments) if is_recorded(argument) and k != place]
    if recorded:
        raise TypeError(
            "The targets of this loss are computed from weights or predictions, and it has a gradient for y_pred only. "
            "Check the order of the arguments, (y_true, y_pred), or write the formula out with autograd.numpy."
        )
    return _operation(function, vjp, place)(*arguments)


def _losses(call, gradient, loss, y_true, y_pred):
    return np.asarray(call(loss, y_true, y_pred))


def _dlosses(g, losses, call, gradient, loss, y_true, y_pred):
    dy_pred = np.asarray(gradient(loss, y_true, y_pred))
    dy_pred = dy_pred * loss._spread(np.asarray(g), dy_pred)
    return dy_pred.reshape(np.shape(y_pred)).astype(np.asarray(y_pred).dtype, copy=False)


def with_gradient(call: Callable, gradient: Callable) -> Callable:
    """``call(self, y_true, y_pred)`` of a loss, which autograd uses with the gradient written beside it."""

    @functools.wraps(call)
    def recorded_or_not(self, y_true, y_pred):
        if is_recorded(y_pred) or is_recorded(y_true):
            return operation(_losses, _dlosses, 4, call, gradient, self, y_true, y_pred)
        return call(self, y_true, y_pred)

    return recorded_or_not


def _reduced(loss, losses, sample_weight, mask):
    return np.asarray(loss._reduce(losses, sample_weight, mask)[0])


def _dreduced(g, value, loss, losses, sample_weight, mask):
    factors = loss._reduce(losses, sample_weight, mask)[1]
    return np.broadcast_to(np.asarray(g * factors, losses.dtype), losses.shape)


def reduced(loss, losses, sample_weight, mask):
    """The reduction of losses per sample that autograd is recording."""
    return operation(_reduced, _dreduced, 1, loss, losses, sample_weight, mask)
