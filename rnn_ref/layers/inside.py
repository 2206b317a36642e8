"""Layers called inside a user's ``call``.

While autograd records, a layer with a backward of its own is one step of the record: it runs on plain arrays, its
weights count as further inputs, and going back its own ``backward`` is used. Layers with a ``call`` of their own are
simply called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from rnn_ref.layers.autodiff import as_inputs, build_for, each, filled, told
from rnn_ref.layers.dependencies import dependencies
from rnn_ref.layers.penalties import activity_gradient, activity_penalty
from rnn_ref.layers.recording import Call, now, within
from rnn_ref.layers.symbolic import entries
from rnn_ref.layers.variable import raw, value_of


def call_inside(layer, x, arguments: dict, call: Call):
    """Call a layer in a running ``call``, which passes on ``training`` and masks, as in Keras."""
    arguments = dict(arguments)
    training, mask = arguments.pop("training", None), arguments.pop("mask", None)
    training = call.training if training is None else bool(training)
    x = each(x, value_of)
    if mask is None:
        mask = each(x, call.mask_of)
        mask = None if all(m is None for m in entries(mask)) else mask
    if layer.by_call and call.make_box is not None:
        build_for(layer, each(x, np.shape), each({n: a for n, a in arguments.items() if hasattr(a, "shape")}, np.shape))
        x = x if any(map(_is_box, entries(x))) else as_inputs(layer, x)
        with within(replace(call, training=training, layer=layer, options={}, inner=[])):
            y = layer.call(x, **told(layer, arguments | {"mask": mask}, training))
        _note_penalty(call, layer, y)
        return _with_masks(call, y, layer.compute_mask(x, mask))

    def forward(x, arguments):
        if layer.is_cell:  # a cell's ``run`` takes a whole sequence
            return *layer.forward(x, training=training, **arguments), None
        return layer.run(x, mask=mask, training=training, **arguments)

    y, out_mask = _step(layer, x, arguments, call, forward, layer.backward)
    _note_penalty(call, layer, y)
    return _with_masks(call, y, out_mask)


def _note_penalty(call: Call, layer, y) -> None:
    """Add a layer's penalty on its outputs to those of the call that it is called in."""
    if layer.activity_regularizer is None:
        return
    for output in map(value_of, entries(y)):
        of = _penalty() if call.make_box is not None else activity_penalty
        call.penalties.append((layer, of(layer, output)))


def call_by_hand(layer, written, x, arguments: dict):
    """``super().call`` in a subclass of a layer with a backward of its own: just that layer's computation.

    Parameters
    ----------
    layer : Layer
    written : type
        The class whose ``forward`` and ``backward`` to use.
    x, arguments
        What the layer is called on.
    """
    call = now() or Call()
    own = call.layer is layer
    arguments = {"training": False} | each(arguments, value_of)
    arguments["training"] = bool(arguments["training"])

    def forward(x, arguments):
        y, tape = written.forward(layer, x, **arguments, **(call.options if own else {}))
        return y, tape, None

    def backward(tape, grads):
        return written.backward(layer, tape, grads)

    return _step(layer, each(x, value_of), arguments, call, forward, backward, own)[0]


def _with_masks(call: Call, y, masks):
    outputs = entries(y)
    masks = entries(masks) if masks is not None else []
    for output, mask in zip(outputs, masks):
        call.note_mask(output, mask)
    return y


def _step(layer, x, arguments: dict, call: Call, forward: Callable, backward: Callable, own: bool = False):
    """Outputs, as boxes while autograd records, and their masks."""
    plain = each((x, arguments), raw) if call.make_box is not None else (x, arguments)
    with within(None):
        y, tape, masks = forward(*plain)
    y = tuple(y) if isinstance(y, list) and not hasattr(layer, "walk_layers") else y
    if own:
        call.inner.append(Inner(tape))
    penalties = list(getattr(tape, "penalties", ()))
    if call.make_box is None:
        call.penalties += penalties
        return y, masks
    values = [np.asarray(value) for value in [*entries(y), *(value for _, value in penalties)]]
    weights = [weight for weight in layer.weights if np.dtype(weight.dtype).kind == "f"]
    places = each((x, arguments), lambda _: None)
    count = len(entries(places))
    places = filled(places, [Place(k) for k in range(count)])
    record = Record(layer, places, count, weights, y, values, tape, backward, call.inner[-1] if own else None)
    result = _primitive()(record, *entries((x, arguments)), *[weight.value for weight in weights])
    results = [result] if len(values) == 1 else [result[k] for k in range(len(values))]
    call.penalties += [(inner, value) for (inner, _), value in zip(penalties, results[len(entries(y)) :])]
    return filled(y, results), masks


@dataclass(slots=True)
class Inner:
    """Tape of a layer's own computation inside its ``call``, and its flow once backward has run."""

    tape: Any
    flow: Any = None


@dataclass(slots=True)
class Place:
    """Placeholder for the k-th entry of inputs and arguments."""

    k: int


@dataclass(slots=True, eq=False)
class Record:
    """One run of a layer, for its backward."""

    layer: Any
    places: tuple
    count: int
    weights: list
    structure: Any
    values: list
    tape: Any
    backward: Callable
    inner: Inner | None

    def result(self):
        return self.values[0] if len(self.values) == 1 else tuple(self.values)

    def back(self, grads, arguments: tuple, wanted: tuple):
        """Gradients of those arguments of the primitive that are needed."""
        grads = [grads] if len(self.values) == 1 else list(grads)
        grads = [np.asarray(g, y.dtype if y.dtype.kind == "f" else None) for g, y in zip(grads, self.values)]
        if getattr(self.tape, "penalties", ()):
            self.tape.scale = grads[len(entries(self.structure)) :]
        with within(None):
            gradients = self.backward(self.tape, filled(self.structure, grads))
        if self.inner is not None:
            self.inner.flow = gradients.flow
        found: dict[int, Any] = {}
        inputs, told = self.places
        for place, dx in dependencies(self.layer, inputs, told, gradients, lambda place: 1 + place.k in wanted):
            if dx is not None:
                found[1 + place.k] = dx
        named = self.layer.named_weights()
        for name, dw in gradients.weights.items():
            weight = named.get(name, name)
            if weight not in self.weights:
                raise NotImplementedError(
                    f"{self.layer.name} uses the weight {weight.path} of a layer that is not among its own, inside "
                    "another layer's call. Make that layer an attribute of the one that uses its weight."
                )
            found[1 + self.count + self.weights.index(weight)] = dw
        return [
            np.asarray(found[k]).reshape(np.shape(arguments[k])) if k in found else np.zeros_like(arguments[k])
            for k in wanted
        ]


@cache
def _primitive():
    """A step of autograd's record: whatever a :class:`Record` holds, with its backward."""
    from autograd.extend import defvjp_argnums, primitive

    @primitive
    def run(record, *_):
        return record.result()

    defvjp_argnums(run, lambda wanted, _, arguments, __: lambda grads: arguments[0].back(grads, arguments, wanted))
    return run


@cache
def _penalty():
    """A layer's penalty on one output, with the regularizer's own gradient."""
    from autograd.extend import defvjp, primitive

    @primitive
    def penalty(layer, y):
        return np.asarray(activity_penalty(layer, y), y.dtype)

    defvjp(penalty, lambda _, layer, y: lambda g: activity_gradient(layer, y, g), argnums=(1,))
    return penalty


@cache
def _box():
    from autograd.tracer import isbox

    return isbox


def _is_box(value) -> bool:
    return _box()(value)
