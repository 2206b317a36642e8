"""Graphs as dictionaries of plain values, in Keras 3's form.

Every layer is listed with its calls. A tensor in a call is identified by the layer that made it, the number of that
layer's call, and its position among the outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_ref.layers.operators import Operator
from rnn_ref.layers.symbolic import SymbolicTensor, leaves, replace_entries
from rnn_ref.layers.variable import Variable
from rnn_ref.layers.wrapper import describe
from rnn_ref.models.keras_masks import operation, with_mask_operations, without_mask_operations
from rnn_ref.models.keras_operators import CLASSES, arguments_of
from rnn_ref.models.skipping import Skipped, model_layer
from rnn_ref.models.structure import leaves_of, put_back

TENSOR = "__keras_tensor__"


def serialize_layer(layer) -> dict:
    """Class, arguments and name of a layer."""
    entry = describe(layer)
    entry["name"] = layer.name
    return entry


def write(model) -> dict:
    """The dictionary of a functional model."""

    def place_of(tensor: SymbolicTensor) -> list:
        node = tensor.node
        return [node.layer.name, model.number_of(node), node.outputs.index(tensor)]

    def describe(entry) -> Any:
        if isinstance(entry, SymbolicTensor):
            history = {"shape": list(entry.shape), "dtype": entry.dtype, "keras_history": place_of(entry)}
            return {"class_name": TENSOR, "config": history}
        if isinstance(entry, np.ndarray):
            return {"class_name": "__numpy__", "config": {"value": entry.tolist(), "dtype": entry.dtype.name}}
        if isinstance(entry, Variable):
            raise ValueError(
                f"{model.name}: the weight {entry.path} is an input of a layer; a description of the model cannot say "
                "so. Use the weight in the call of a layer of your own."
            )
        return entry

    described = []
    for layer in model.layers:
        calls = [node for node in model.calls if node.layer is layer and node.tensors()]
        if isinstance(layer, Operator):
            (node,) = calls  # each use of an operator makes a layer of its own
            tensors = replace_entries(node.inputs, describe)
            described.append(operation(CLASSES[layer.operator], layer.name, arguments_of(layer, tensors)))
            continue
        entry = serialize_layer(layer)
        entry["inbound_nodes"] = [
            {"args": _side_by_side(node, describe), "kwargs": replace_entries(node.arguments, describe)}
            | ({"given": ["training"]} if "training" in node.arguments else {})
            for node in calls
        ]
        described.append(entry)
    config = {
        "name": model.name,
        "trainable": model.trainable,
        "layers": described,
        "input_layers": put_back(model.input, map(place_of, leaves_of(model.input))),
        "output_layers": put_back(model.output, map(place_of, leaves_of(model.output))),
    }
    return with_mask_operations(config)


def _side_by_side(node, describe) -> list:
    """The positional arguments of a call: one entry, or one each for query, value and key."""
    inputs = replace_entries(node.inputs, describe)
    return inputs if getattr(node.layer, "inputs_by_position", False) else [inputs]


def read(config: dict, custom_objects: dict | None = None):
    """Make the layers, call them, and return the input and output tensors."""
    config = without_mask_operations(config)
    layers = {entry["name"]: model_layer(entry, custom_objects) for entry in config["layers"]}
    made = {(name, 0): layer.nodes.first.outputs for name, layer in layers.items() if layer.nodes and _is_input(layer)}
    waiting = {(e["name"], k): call for e in config["layers"] for k, call in enumerate(e["inbound_nodes"])}

    def tensor(place) -> SymbolicTensor:
        name, call, output = place
        return made[name, call][output]

    while waiting:
        # The calls of a layer are numbered in the order in which they are made, so each waits for the one before it.
        ready = [
            key
            for key, call in waiting.items()
            if all(tuple(place[:2]) in made for place in _places(call))
            and (key[1] == 0 or (key[0], key[1] - 1) in made)
        ]
        if not ready:
            names = sorted({name for name, _ in waiting})
            raise ValueError(f"{config['name']}: the calls of {names} wait for each other.")
        for key in ready:
            call = waiting.pop(key)
            inputs, layer = _revive(call["args"], tensor), layers[key[0]]
            if isinstance(layer, Skipped):
                made[key] = leaves(layer(leaves(inputs)[0]))
                continue
            if len(inputs) > 1 and not getattr(layer, "inputs_by_position", False):
                raise ValueError(f"{config['name']}: the layer {key[0]!r} is called with {len(inputs)} arguments.")
            arguments = _revive(call["kwargs"], tensor)
            made[key] = leaves(layer(*inputs, **{k: v for k, v in arguments.items() if v is not None}))

    def revive(places):
        if isinstance(places, dict):
            return {key: revive(place) for key, place in places.items()}
        if isinstance(places[0], str):
            return tensor(places)
        return type(places)(revive(place) for place in places)

    return revive(config["input_layers"]), revive(config["output_layers"])


def _is_input(layer) -> bool:
    return type(layer).__name__ == "InputLayer"


def _places(value) -> list:
    """The origins of the tensors in a described call."""
    if isinstance(value, dict):
        if value.get("class_name") == TENSOR:
            return [value["config"]["keras_history"]]
        value = list(value.values())
    return [place for entry in value for place in _places(entry)] if isinstance(value, (list, tuple)) else []


def _revive(value, tensor):
    if isinstance(value, dict):
        if value.get("class_name") == TENSOR:
            return tensor(value["config"]["keras_history"])
        if value.get("class_name") == "__numpy__":
            return np.array(value["config"]["value"], value["config"]["dtype"])
        return {key: _revive(entry, tensor) for key, entry in value.items()}
    return [_revive(entry, tensor) for entry in value] if isinstance(value, (list, tuple)) else value
