"""Gradients of Python code that users write: custom layers and cells, differentiated by HIPS autograd.

The layers of this package have their ``backward`` written out. A user's ``call`` need not: as long as it uses
``autograd.numpy``, autograd records what it does to its arguments and to the layer's weights, and runs the record back.

A weight takes part as itself: while ``call`` is recorded its ``value`` is one of autograd's boxes, and
``Variable`` answers for it, so that ``x @ self.kernel`` and ``np.dot(x, self.kernel)`` are
both recorded.

References
----------
https://github.com/HIPS/autograd
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_ref.device import asarray, converted, device, get_device, to_numpy
from rnn_ref.layers.symbolic import is_shape
from rnn_ref.layers.variable import Variable


def accepts(function: Callable, name: str) -> bool:
    """Whether a function has an argument of this name."""
    return name in inspect.signature(function).parameters


def pullback(function: Callable, arrays: list, weights: list[Variable], what: str) -> tuple[list, Callable]:
    """Run a function, and get the way back.

    Parameters
    ----------
    function : callable
        ``function(*arrays)`` returns a list of arrays; it may use the weights.
    arrays : list of ndarray
    weights : list of Variable
    what : str
        For error messages, such as ``"MyLayer.call"``.

    Returns
    -------
    outputs : list of ndarray
    back : callable
        ``back([dL/d(output), ...])`` returns dL/d(array) for each array, then dL/d(weight) for each weight.
    """
    try:
        from autograd import builtins, make_vjp
        from autograd.tracer import Box
    except ImportError:
        raise ImportError(
            f"{what} has no backward written out, and autograd, which would differentiate it, is not installed. "
            "Run pip install '.[custom]' (or pip install autograd), or write `backward`."
        ) from None
    Box.types.add(Variable)
    values = [weight.value for weight in weights]

    def recorded(boxes):
        for k, weight in enumerate(weights):
            weight.value = boxes[len(arrays) + k]
        try:
            return builtins.tuple(function(*[boxes[k] for k in range(len(arrays))]))
        except Exception as error:
            error.add_note(
                f"(while autograd was recording {what}: it must compute with `import autograd.numpy as np`, not with "
                "plain numpy or compiled layers, and may not assign into arrays; or write `backward` yourself)"
            )
            raise
        finally:
            for weight, value in zip(weights, values):
                weight.value = value

    vjp, outputs = make_vjp(recorded)((*arrays, *values))
    return list(outputs), lambda grads: list(vjp(tuple(grads)))


# -- custom layers -------------------------------------------------------------------------------------


@dataclass(slots=True)
class CallTape:
    """What going back through a ``call`` needs.

    Attributes
    ----------
    x : ndarray or list of ndarray
        Inputs.
    arguments : dict
        Further arguments of ``call``.
    outputs : list of ndarray
    back : callable or None
        The record of a training run; otherwise ``call`` is recorded when gradients are asked for.
    """

    x: Any
    arguments: dict
    outputs: list
    back: Callable | None = None


def as_list(structure) -> list:
    """One array, or several, as a list."""
    return list(structure) if isinstance(structure, (list, tuple)) else [structure]


def forward(layer, x, *, training: bool, **arguments):
    """Run ``layer.call``; arrays of floats come in the layer's precision.

    autograd knows NumPy's arrays only: where the device is a GPU, they are moved to the CPU and back.
    """
    if get_device() != "cpu":
        x, arguments = converted((x, arguments), to_numpy)
        with device("cpu"):
            y, tape = forward(layer, x, training=training, **arguments)
        return converted(y, asarray), tape
    arrays = []
    for array in as_list(x):
        array = np.asarray(array)
        arrays.append(array.astype(layer.dtype, copy=False) if array.dtype.kind == "f" else array)
    x = arrays if isinstance(x, (list, tuple)) else arrays[0]
    layer.ensure_built([a.shape for a in arrays] if isinstance(x, list) else x.shape)
    if accepts(layer.call, "training"):
        arguments["training"] = training
    tape = CallTape(x, arguments, [])
    if training:  # recorded at once: a second run might draw other random numbers
        tape.outputs, tape.back, several = _record(layer, tape)
    else:
        y = layer.call(x, **arguments)
        several = isinstance(y, (list, tuple))
        tape.outputs = [np.asarray(each) for each in as_list(y)]
    return (list(tape.outputs) if several else tape.outputs[0]), tape


def _record(layer, tape: CallTape):
    several = []

    def function(*arrays):
        given = iter(arrays)
        x = [next(given) if a.dtype.kind == "f" else a for a in as_list(tape.x)]
        y = layer.call(x if isinstance(tape.x, list) else x[0], **tape.arguments)
        several.append(isinstance(y, (list, tuple)))
        return as_list(y)

    floats = [a for a in as_list(tape.x) if a.dtype.kind == "f"]
    outputs, back = pullback(function, floats, layer.weights, f"{type(layer).__name__}.call")
    return outputs, back, several[0]


def backward(layer, tape: CallTape, grads):
    """Gradients of inputs and weights; an input of integers has the gradient zero."""
    from rnn_ref.layers.layer import LayerGradients

    if get_device() != "cpu":
        with device("cpu"):
            gradients = backward(layer, tape, converted(grads, to_numpy))
        return LayerGradients(converted(gradients.inputs, asarray), converted(gradients.weights, asarray))
    back = tape.back or _record(layer, tape)[1]
    seeds = [
        np.zeros_like(y) if g is None else np.asarray(g, y.dtype).reshape(y.shape)
        for y, g in zip(tape.outputs, as_list(grads), strict=True)
    ]
    found = iter(back(seeds))
    inputs = [
        np.asarray(next(found), layer.dtype) if a.dtype.kind == "f" else np.zeros(a.shape, layer.dtype)
        for a in as_list(tape.x)
    ]
    weights = {name: np.asarray(next(found), layer.dtype) for name in layer.named_weights()}
    return LayerGradients(inputs if isinstance(tape.x, list) else inputs[0], weights)


def output_shape(layer, input_shape):
    """Shape of what ``call`` returns, found by running it on zeros; sizes that follow unknown ones are unknown."""
    if get_device() != "cpu":
        with device("cpu"):
            return output_shape(layer, input_shape)
    one = is_shape(input_shape)
    layer.ensure_built(input_shape)
    found = []
    for unknown in (2, 3):
        shapes = [
            tuple(unknown if s is None else s for s in shape) for shape in ([input_shape] if one else input_shape)
        ]
        x = [np.zeros(shape, layer.dtype) for shape in shapes]
        y = layer.call(x[0] if one else x)
        found.append(([np.shape(each) for each in as_list(y)], isinstance(y, (list, tuple))))
    (first, several), (second, _) = found
    shapes = [tuple(a if a == b else None for a, b in zip(s, t)) for s, t in zip(first, second)]
    return tuple(shapes) if several else shapes[0]
