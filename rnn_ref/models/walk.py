"""The walk over a model's layers, and back.

Forward, every call of a layer is recorded as a :class:`Step`; backward reads the steps from the last to the first.
All models do just this: a Sequential calls its layers in a row, a functional model along its graph, and a subclassed
model as its ``call`` says. The walk is the tape of the model.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

from rnn_ref.device import explain_memory, get_device, xp
from rnn_ref.layers.bidirectional import Bidirectional
from rnn_ref.layers.dependencies import dependencies
from rnn_ref.layers.penalties import penalties_of, with_penalties
from rnn_ref.layers.recording import walking, weights_as_tensors
from rnn_ref.layers.recurrent import RNN
from rnn_ref.layers.symbolic import Tensor, entries, leaves, pack, replace, replace_entries
from rnn_ref.layers.time_distributed import TimeDistributed
from rnn_ref.layers.variable import Variable

VALUE, MASK = attrgetter("value"), attrgetter("mask")


class RecordedTensor(Tensor):
    """An array on a walk: layers called on it run at once and are recorded.

    Attributes
    ----------
    value : ndarray
    mask : ndarray of bool or None
    """

    def __init__(self, walk: Walk, value: np.ndarray, mask=None):
        self._walk = weakref.ref(walk)  # the walk refers to its tensors; a cycle would delay freeing the arrays
        self.value, self.mask = value, mask

    @property
    def walk(self) -> Walk:
        walk = self._walk()
        if walk is None:
            raise ValueError(f"{self!r} comes from a call that is over; it cannot be used any more.")
        return walk

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def dtype(self) -> str:
        return self.value.dtype.name

    def __repr__(self):
        return f"<RecordedTensor, shape={self.shape}, dtype={self.dtype}>"


@dataclass(slots=True, eq=False)
class Step:
    """One call of a layer.

    Attributes
    ----------
    layer : Layer
    inputs, arguments
        What the layer was called on; tensors are :class:`RecordedTensor`.
    outputs
        A tensor, or a list or dict of them.
    tape
        For ``layer.backward``.
    place : int
        Index of its first penalty among those of the walk.
    """

    layer: Any
    inputs: Any
    arguments: dict
    outputs: Any
    tape: Any
    place: int = 0


class Walk:
    """The steps of one run of a model, and the way back.

    Parameters
    ----------
    training : bool
        For layers whose call does not set it.
    record : bool
        Whether to record the steps; without them there is no backward pass, and no memory is held.
    keep_z : bool
        Whether recurrent layers keep their pre-activations.

    Attributes
    ----------
    steps : list of Step
    inputs, outputs
        Tensors, or lists or dicts of them, that the model was given and returned.
    arguments : dict
        What else the model was given.
    """

    def __init__(self, *, training: bool = False, record: bool = True, keep_z: bool = False):
        self.training, self.record, self.keep_z = training, record, keep_z
        self.penalties: list[tuple[Any, Any]] = []  # see layers/penalties.py
        self.scale: list | None = None  # the loss is this many times as steep in each of them as in their sum
        self.device = get_device()
        self.steps: list[Step] = []
        self.inputs = self.outputs = None
        self.arguments: dict = {}
        self.weight_tensors: dict[Variable, RecordedTensor] = {}  # weights that were inputs of layers

    # -- forward ------------------------------------------------------------------------------------

    def tensor(self, value, mask=None) -> RecordedTensor:
        """Put an array on the walk."""
        return RecordedTensor(self, xp.asarray(value), mask)

    def call(self, layer, inputs, arguments: dict | None = None):
        """Run a layer on tensors, record the step, and return its outputs as tensors."""
        given = arguments or {}
        if not isinstance(inputs, RecordedTensor):
            inputs = replace_entries(inputs, self.weight_as_tensor)
        if given:
            given = {name: replace_entries(value, self.weight_as_tensor) for name, value in given.items()}
        if walking() is not None:
            with weights_as_tensors(None):
                return self._call(layer, inputs, given)
        return self._call(layer, inputs, given)

    def weight_as_tensor(self, entry, anew: bool = False):
        """The tensor for a weight on this walk; anything else is returned as it is. ``anew``: its value has changed."""
        if not isinstance(entry, Variable):
            return entry
        if anew or entry not in self.weight_tensors:
            self.weight_tensors[entry] = self.tensor(entry.value)
        return self.weight_tensors[entry]

    def _call(self, layer, inputs, given: dict):
        values = replace(given, VALUE) if given else {}
        mask = values.pop("mask", None)
        if mask is None:
            mask = replace_entries(inputs, lambda entry: getattr(entry, "mask", None))
            mask = None if all(m is None for m in entries(mask)) else mask
        training = values.pop("training", None)
        values |= self.options_for(layer)
        if not self.record and layer.can_forget:
            values["record"] = False
        try:
            y, tape, masks = layer.run(
                replace(inputs, VALUE),
                mask=mask,
                training=self.training if training is None else training,
                **values,
            )
        except MemoryError as error:
            explain_memory(error, layer.name)
            raise
        outputs = replace_entries(y, self.tensor)
        masks = [masks] if isinstance(outputs, RecordedTensor) or masks is None else entries(masks)
        for tensor, output_mask in zip(leaves(outputs), masks):
            tensor.mask = output_mask
        place = len(self.penalties)
        self.penalties += penalties_of(layer, [t.value for t in leaves(outputs)], tape)
        if self.record:
            self.steps.append(Step(layer, inputs, given, outputs, tape, place))
        return outputs

    @property
    def penalty(self):
        """Sum of the penalties."""
        return sum(value for _, value in self.penalties) if self.penalties else 0.0

    def options_for(self, layer) -> dict:
        """Further options for the layers on this walk; walks for inspection override this."""
        if not self.keep_z:
            return {}
        while isinstance(layer, TimeDistributed):
            layer = layer.layer
        inside = isinstance(layer, (RNN, Bidirectional)) or hasattr(layer, "walk_layers")
        return {"keep_z": True} if inside else {}

    # -- backward -----------------------------------------------------------------------------------

    def back(self, grads: list, *, input_gradient: bool = False):
        """From the gradients of the outputs (None for zero), those of everything else.

        The gradients of the penalties are added on the way.

        Returns
        -------
        gradients : dict of RecordedTensor to ndarray
            For the tensors that no step of the walk made; includes the inputs if ``input_gradient``.
        weights : dict of Variable to ndarray
            Summed over all calls of a layer.
        flow : list of (Layer, object)
            The ``flow`` of each step, in order; None where the loss does not depend on the step.
        """
        if self.device != get_device():
            raise ValueError(
                f"the way forward was on the device {self.device!r}, and what it left is there; go back there too: "
                f"with rnn_ref.device({self.device!r}): ..."
            )
        sums: dict[RecordedTensor, np.ndarray] = {}
        weights: dict[Any, np.ndarray] = {}
        flow = []
        for tensor, dy in zip(leaves(self.outputs), grads):
            _add(sums, tensor, dy)
        needed = self._needed(input_gradient)
        for step in reversed(self.steps):
            outputs = leaves(step.outputs)
            dys = [sums.pop(tensor, None) for tensor in outputs]
            scale = None if self.scale is None else self.scale[step.place :]
            dys = with_penalties(step.layer, [t.value for t in outputs], step.tape, dys, scale)
            if all(dy is None for dy in dys) and not getattr(step.tape, "penalties", ()):
                flow.append((step.layer, None))  # the loss does not depend on this call
                continue
            dys = [xp.zeros_like(t.value) if dy is None else dy for t, dy in zip(outputs, dys)]
            try:
                gradients = step.layer.backward(
                    step.tape,
                    pack(step.outputs, dys),
                    input_gradient=any(tensor in needed for tensor in leaves(step.inputs)),
                )
            except MemoryError as error:
                explain_memory(error, f"{step.layer.name}, on the way back")
                raise
            if isinstance(step.inputs, RecordedTensor) and not step.arguments:  # the usual case
                pairs = [(step.inputs, gradients.inputs)]
            else:
                pairs = dependencies(step.layer, step.inputs, step.arguments, gradients, _is_recorded)
            for tensor, dx in pairs:
                if tensor in needed:
                    _add(sums, tensor, dx)
            named = step.layer.named_weights()
            for name, dw in gradients.weights.items():
                _add(weights, named.get(name, name), dw)
            flow.append((step.layer, gradients.flow))
        for weight, tensor in self.weight_tensors.items():
            _add(weights, weight, sums.pop(tensor, None))
        return sums, weights, flow[::-1]

    def _needed(self, input_gradient: bool) -> set[RecordedTensor]:
        """Tensors whose gradient some weight (or the caller) needs, and those of recurrent layers, for inspection."""
        needed = set(leaves([self.inputs, self.arguments] if input_gradient else self.arguments))
        needed.update(self.weight_tensors.values())
        for step in self.steps:
            sources = [*leaves(step.inputs), *leaves(step.arguments)]
            if _is_recurrent(step.layer) or step.layer.weights or any(tensor in needed for tensor in sources):
                needed.update(leaves(step.outputs))
        return needed

    # -- inspection ---------------------------------------------------------------------------------

    def runs(self) -> Iterator[tuple[Any, Any]]:
        """Every layer that ran, in order, with its tape."""
        for step in self.steps:
            yield step.layer, step.tape


def _is_recurrent(layer) -> bool:
    """Whether this is a recurrent layer or contains one."""
    return isinstance(layer, RNN) or any(_is_recurrent(inner) for inner in layer.sublayers())


def _is_recorded(entry) -> bool:
    return isinstance(entry, RecordedTensor)


def _add(sums: dict, key, value) -> None:
    if value is not None:
        sums[key] = sums[key] + value if key in sums else value
