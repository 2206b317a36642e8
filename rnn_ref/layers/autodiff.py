"""Gradients of users' Python code: custom layers and cells, differentiated by HIPS autograd.

The layers of this package have a ``backward`` written by hand. A user's ``call`` needs none: as long as it uses
``autograd.numpy``, autograd records what it does to its arguments and to weights, and runs the record backwards.

Weights take part directly: while ``call`` is recorded, the ``value`` of a ``Variable`` is one of autograd's boxes, and
the ``Variable`` behaves like it, so that both ``x @ self.kernel`` and ``np.dot(x, self.kernel)`` are recorded. A layer
of this package that is called there is one step of the record (:mod:`rnn_ref.layers.inside`).

References
----------
https://github.com/HIPS/autograd
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnn_ref.device import asarray, converted, device, get_device, is_array, to_numpy
from rnn_ref.layers.recording import Call, within
from rnn_ref.layers.symbolic import entries, is_shape, leaves
from rnn_ref.layers.variable import Variable, raw, value_of


def accepts(function: Callable, name: str) -> bool:
    """Whether a function has an argument with this name."""
    return name in inspect.signature(function).parameters


def as_list(structure) -> list:
    """One array, or several, as a list."""
    return list(structure) if isinstance(structure, (list, tuple)) else [structure]


def each(structure, function: Callable):
    """The same nested lists, tuples and dicts with every leaf replaced."""
    if isinstance(structure, (list, tuple)):
        parts = [each(entry, function) for entry in structure]
        return parts if isinstance(structure, list) else tuple(parts)
    if isinstance(structure, dict):
        return {key: each(entry, function) for key, entry in structure.items()}
    return function(structure)


def filled(structure, values):
    """The same structure with its leaves replaced by these, in order."""
    values = iter(values)
    return each(structure, lambda _: next(values))


# -- recording -----------------------------------------------------------------------------------------


def pullback(function: Callable, arrays: list, what: str, call: Call | None = None) -> tuple[list, Callable]:
    """Run a function and return its outputs with its backward pass.

    Parameters
    ----------
    function : callable
        ``function(*arrays)`` returns a list of arrays; it may use any weights.
    arrays : list of ndarray
    what : str
        For error messages, such as ``"MyLayer.call"``.
    call : Call, optional
        What layers called inside it need to know.

    Returns
    -------
    outputs : list of ndarray
    back : callable
        ``back([dL/d(output), ...])`` returns dL/d(array) for each array (None where nothing depends on it), and a dict
        with dL/d(weight) for every weight used.
    """
    try:
        import autograd  # noqa: F401
        from autograd.core import VJPNode, add_outgrads
        from autograd.tracer import Box, isbox, new_box, toposort, trace_stack
    except ImportError:
        raise ImportError(
            f"{what} has no backward written out, and autograd, which would differentiate it, is not installed. "
            "Run pip install '.[custom]' (or pip install autograd), or write `backward`."
        ) from None
    Box.types.add(Variable)
    call = call or Call()
    with trace_stack.new_trace() as trace:
        call.make_box = lambda array: new_box(array, trace, VJPNode.new_root())
        boxes = [call.make_box(array) for array in arrays]
        starts = [box._node for box in boxes]
        with within(call):
            try:
                results = [value_of(result) for result in function(*boxes)]
            except Exception as error:
                error.add_note(
                    f"(while autograd was recording {what}: it must compute with `import autograd.numpy as np`, not "
                    "with plain numpy, and may not assign into arrays; or write `backward` yourself)"
                )
                raise
    followed = [isbox(result) and result._trace == trace for result in results]
    outputs = [np.asarray(raw(result)) for result in results]
    for output in outputs:
        if output.dtype.kind == "O":  # NumPy packed boxes into an array: the gradient would be lost
            raise TypeError(
                f"{what} returned an array of objects: plain NumPy was used on what autograd follows. Write it with "
                "`import autograd.numpy as np`; or write `backward` yourself."
            )
    roots = dict(call.roots)

    def back(grads):
        end = VJPNode.new_root()
        end.parents = [result._node for result, known in zip(results, followed) if known]
        seeds = [grad for grad, known in zip(grads, followed) if known]
        end.vjp = lambda _: seeds
        found, open_ = {}, {end: (None, False)}
        for node in toposort(end):
            grad = open_.pop(node)
            if not node.parents:
                found[node] = grad[0]
            for parent, part in zip(node.parents, node.vjp(grad[0])):
                open_[parent] = add_outgrads(open_.get(parent), part)
        weights = {variable: found[node] for variable, node in roots.items() if node in found}
        return [found.get(node) for node in starts], weights

    return outputs, back


# -- custom layers -------------------------------------------------------------------------------------


@dataclass(slots=True)
class CallTape:
    """What the backward pass of a ``call`` needs.

    Attributes
    ----------
    x : ndarray, or list, tuple or dict of ndarray
        Inputs.
    arguments : dict
        Further arguments of ``call``.
    outputs : list of ndarray
    structure
        The structure of the outputs.
    back : callable or None
        The backward pass, if ``call`` was recorded.
    error : Exception or None
        Why it was not.
    inner : list
        Tapes of the layer's own computation, one for each time ``super().call`` ran.
    penalties, scale
        See :mod:`rnn_ref.layers.penalties`.
    """

    x: Any
    arguments: dict
    outputs: list = field(default_factory=list)
    structure: Any = None
    back: Callable | None = None
    error: Exception | None = None
    inner: list = field(default_factory=list)
    penalties: list = field(default_factory=list)
    scale: list | None = None


def remembered(layer) -> Callable:
    """A function that undoes what ``call`` assigns to weights and states of the layer from now on."""
    values = {variable: variable.numpy() for variable in layer.weights if not variable.trainable}
    states = vars(layer).get("states")

    def take_back() -> None:
        for variable, value in values.items():
            variable.assign(value)
        if "states" in vars(layer):
            layer.states = states

    return take_back


def _cast(layer, value):
    """Arrays of floats in the layer's precision; anything else as it is."""
    if not is_array(value):
        return value
    value = np.asarray(value)
    return value.astype(layer.dtype, copy=False) if value.dtype.kind == "f" else value


def as_inputs(layer, x):
    """The inputs of a ``call`` as arrays, floats in the layer's precision; nested lists of numbers become one array."""
    if not any(hasattr(entry, "shape") for entry in entries(x)):
        x = np.asarray(x)
        if x.dtype.kind not in "fiub":
            raise TypeError(f"{layer.name}: expected an array of numbers, got dtype {x.dtype}.")
    return each(x, lambda entry: _cast(layer, entry))


def told(layer, arguments: dict, training: bool) -> dict:
    """The arguments that ``call`` has, including ``training``; those that are None are dropped if it lacks them."""
    known = inspect.signature(layer.call).parameters
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
    arguments = {name: a for name, a in arguments.items() if name in known or (a is not None and name != "mask")}
    if "mask" in arguments and "mask" not in known and not takes_all:
        del arguments["mask"]
    return arguments | ({"training": training} if "training" in known else {})


def build_for(layer, shapes, more: dict) -> None:
    """Build a layer once, with the shape of its input or, as in Keras, with the shapes of all tensors by name.

    Parameters
    ----------
    layer : Layer
    shapes
        Of the first argument of ``call``.
    more : dict
        Shapes of its further arguments.
    """
    if layer.built:
        return
    names = list(inspect.signature(layer.build).parameters)
    if len(names) < 2:
        layer.ensure_built(shapes)
        return
    first = next(iter(inspect.signature(layer.call).parameters))
    known = {f"{name}_shape": shape for name, shape in ({first: shapes} | more).items()}
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(
            f"{layer.name}: build asks for {', '.join(names)}, but the call has tensors for {', '.join(known)}; the "
            "names are those of the arguments of call, with _shape."
        )
    layer.build(**{name: known[name] for name in names})


OPTIONS = ("keep_z", "run_cell", "x_drop", "h_drop")  # for kernels only, not for a user's call


def forward(layer, x, *, training: bool, record: bool = True, mask=None, **arguments):
    """Run ``layer.call`` on arrays whose floats are in the layer's precision.

    autograd knows only NumPy arrays: if the device is a GPU, they are moved to the CPU and back.
    """
    if get_device() != "cpu":
        x, mask, arguments = converted((x, mask, arguments), to_numpy)
        with device("cpu"):
            y, tape = forward(layer, x, training=training, record=record, mask=mask, **arguments)
        return converted(y, asarray), tape
    options = {name: arguments.pop(name) for name in OPTIONS if name in arguments}
    x = as_inputs(layer, x)
    arguments = each(arguments, lambda entry: _cast(layer, entry))
    build_for(layer, each(x, np.shape), each({n: a for n, a in arguments.items() if is_array(a)}, np.shape))
    tape = CallTape(x, told(layer, arguments | {"mask": mask}, training))

    def running() -> Call:
        return Call(bool(training), layer, options)

    if record:
        take_back = remembered(layer)
        try:
            return _record(layer, tape, mask, running())
        except Exception as error:
            if training:
                raise
            take_back()  # perhaps no gradient will be needed: then plain NumPy will do
            tape.error = error
    call = running()
    with within(call):
        _note_masks(call, x, mask)
        y = each(layer.call(x, **tape.arguments), value_of)
    tape.structure, tape.inner, tape.penalties = each(y, lambda _: 0), call.inner, call.penalties
    tape.outputs = [np.asarray(entry) for entry in entries(y)]
    return filled(tape.structure, tape.outputs), tape


def _note_masks(call: Call, x, mask) -> None:
    masks = entries(mask)
    if len(masks) == len(entries(x)):
        for entry, own in zip(entries(x), masks):
            call.note_mask(entry, own)


def _moves(entry) -> bool:
    return isinstance(entry, np.ndarray) and entry.dtype.kind == "f"


def _record(layer, tape: CallTape, mask, call: Call):
    """Run ``call`` under autograd."""
    places = (tape.x, {name: value for name, value in tape.arguments.items() if name != "mask"})

    def function(*boxes):
        given = iter(boxes)
        x, arguments = each(places, lambda entry: next(given) if _moves(entry) else entry)
        _note_masks(call, x, mask)
        y = layer.call(x, **(tape.arguments | arguments))
        tape.structure = each(y, lambda _: 0)
        return entries(y) + [value for _, value in call.penalties]

    floats = [entry for entry in entries(places) if _moves(entry)]
    results, tape.back = pullback(function, floats, f"{type(layer).__name__}.call", call)
    n = len(results) - len(call.penalties)
    tape.outputs, tape.inner = results[:n], call.inner
    tape.penalties = [(inner, value) for (inner, _), value in zip(call.penalties, results[n:])]
    return filled(tape.structure, tape.outputs), tape


def backward(layer, tape: CallTape, grads):
    """Gradients of inputs, further arguments and weights; the gradient of anything but floats is zero."""
    from rnn_ref.layers.layer import LayerGradients

    if get_device() != "cpu":
        with device("cpu"):
            gradients = backward(layer, tape, converted(grads, to_numpy))
        for part in ("inputs", "weights", "arguments"):
            setattr(gradients, part, converted(getattr(gradients, part), asarray))
        return gradients
    if tape.back is None:
        raise tape.error or ValueError(f"{layer.name}: this run left nothing to go back with (record=False).")
    seeds = [
        np.zeros_like(y) if g is None else np.asarray(g, y.dtype).reshape(y.shape)
        for y, g in zip(tape.outputs, entries(grads), strict=True)
    ]
    scale = [1] * len(tape.penalties) if tape.scale is None else tape.scale
    seeds += [np.asarray(s, value.dtype) for s, (_, value) in zip(scale, tape.penalties)]
    of_arrays, of_weights = tape.back(seeds)
    found = iter(of_arrays)

    def gradient(entry):
        dx = next(found) if _moves(entry) else None
        return np.zeros(np.shape(entry), layer.dtype) if dx is None else np.asarray(dx, layer.dtype)

    arguments = {name: value for name, value in tape.arguments.items() if name != "mask"}
    inputs, arguments = each((tape.x, arguments), gradient)
    weights = {
        name: np.asarray(of_weights.pop(weight, np.zeros(weight.shape)), weight.dtype)
        for name, weight in layer.named_weights().items()
    }
    weights |= of_weights  # weights of other layers
    flows = [back.flow for back in tape.inner]
    return LayerGradients(inputs, weights, flow=flows[0] if len(flows) == 1 else None, arguments=arguments)


def output_shape(layer, inputs, arguments: dict | None = None):
    """Shape of what ``call`` returns, found by running it on zeros; sizes that depend on unknown sizes are unknown.

    Parameters
    ----------
    layer : Layer
    inputs
        Shapes, or symbolic tensors, which also know whether they hold integers.
    arguments : dict
        Further arguments of ``call``, which may include tensors.
    """
    if get_device() != "cpu":
        with device("cpu"):
            return output_shape(layer, inputs, arguments)

    def zeros(entry, unknown):
        whole = str(getattr(entry, "dtype", "")).startswith(("int", "uint", "bool"))
        shape = tuple(unknown if size is None else int(size) for size in getattr(entry, "shape", entry))
        return np.zeros(shape, entry.dtype if whole else layer.dtype)

    def over_shapes(structure, function):
        if is_shape(structure):
            return function(structure)
        if isinstance(structure, dict):
            return {key: over_shapes(entry, function) for key, entry in structure.items()}
        if isinstance(structure, (list, tuple)):
            return [over_shapes(entry, function) for entry in structure]
        return function(structure)

    tensors = {name: value for name, value in (arguments or {}).items() if leaves(value)}
    build_for(
        layer,
        over_shapes(inputs, lambda entry: tuple(getattr(entry, "shape", entry))),
        each(tensors, lambda entry: tuple(entry.shape)),
    )

    def tried(unknown: int):
        x = over_shapes(inputs, lambda entry: zeros(entry, unknown))
        given = each(arguments or {}, lambda entry: zeros(entry, unknown) if leaves(entry) else entry)
        training = bool(given.pop("training", False))
        take_back = remembered(layer)
        try:
            with within(Call(training, layer)):
                return each(layer.call(x, **told(layer, given, training)), value_of)
        finally:
            take_back()

    results = [tried(2), tried(3)]
    first, second = ([np.shape(entry) for entry in entries(y)] for y in results)
    shapes = [tuple(a if a == b else None for a, b in zip(s, t)) for s, t in zip(first, second)]
    out = filled(results[0], shapes)
    return tuple(out) if isinstance(results[0], list) else out
