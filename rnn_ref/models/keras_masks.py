"""Masks in configurations written by Keras 3, where they are tensors made by operations among the layers.

Here masks travel with the data. A mask that would reach a call anyway is removed from the configuration; any other
is refused, because removing it would change what the model computes.
"""

from __future__ import annotations

from copy import copy

from rnn_ref.models.keras_operators import KNOWN, is_operation, operator_from

TENSOR = "__keras_tensor__"


def without_mask_operations(config: dict) -> dict:
    """A functional model's configuration without the operations that make masks.

    Raises
    ------
    ValueError
        If a call is given a mask other than the one its input carries.
    """
    entries = {entry["name"]: entry for entry in config["layers"]}
    operations = {name for name, entry in entries.items() if is_operation(entry) and entry["class_name"] not in KNOWN}
    kept = []
    for entry in config["layers"]:
        if entry["name"] in operations:
            continue
        if is_operation(entry):
            kept.append(operator_from(entry, config["name"]))
            continue
        entry = copy(entry)
        entry["inbound_nodes"] = [
            _without_mask(config["name"], entry, call, entries) for call in entry["inbound_nodes"]
        ]
        kept.append(entry)
        for call in entry["inbound_nodes"]:
            for name, *_ in _histories(call):
                if name in operations:
                    raise ValueError(
                        f"{config['name']}: the operation {name!r} ({entries[name]['class_name']}) is no layer, and is "
                        "not there: write a layer with call(x) for it, and read the model with custom_objects."
                    )
    return config | {"layers": kept}


def _without_mask(model: str, entry: dict, call: dict, entries: dict) -> dict:
    kwargs = dict(call["kwargs"])
    # Keras records training=False for every call with a mask; a value set by the user is recorded as given.
    if kwargs.get("training") is False and "training" not in call.get("given", ()):
        del kwargs["training"]
    mask = _histories(kwargs.get("mask"))
    if mask and is_operation(entries[mask[0][0]]):
        inputs = _histories(call["args"])
        if len(mask) != 1 or not inputs or _arriving(inputs[0], entries) != _computed(mask[0], entries):
            raise ValueError(
                f"{model}: {entry['name']!r} is called with a mask that is computed by operations, and is not the one "
                "that its input brings along. Masks are made by Embedding(mask_zero=True) and Masking, or are inputs."
            )
        del kwargs["mask"]
    return call | {"kwargs": kwargs}


def _computed(place: tuple, entries: dict) -> tuple | None:
    """The meaning of a mask: which tensor it is computed from, and how: ``ids ≠ 0`` or ``any(x ≠ value)``."""
    entry = entries[place[0]]
    over_features = entry["class_name"] == "Any" and entry["config"].get("axis") in (-1, [-1])
    if over_features:
        (place,) = _histories(entry["inbound_nodes"][place[1]]["args"])
        entry = entries[place[0]]
    if entry["class_name"] != "NotEqual":
        return None
    compared, value = entry["inbound_nodes"][place[1]]["args"]
    return over_features, *_histories(compared), value


def _arriving(place: tuple, entries: dict) -> tuple | None:
    """The mask that a tensor carries, in the form of :func:`_computed`."""
    name, number, output = place
    entry = entries[name]
    kind, options = entry["class_name"], entry["config"]
    if kind == "InputLayer" or output:
        return None
    inputs = _histories(entry["inbound_nodes"][number]["args"])
    if kind == "Embedding":
        return (False, inputs[0], 0) if options["mask_zero"] else None
    if kind == "Masking":
        return True, inputs[0], options["mask_value"]
    if kind in HAND_ON or (kind in RECURRENT and options["return_sequences"]):
        return _arriving(inputs[0], entries)
    if kind == "Bidirectional" and options["layer"]["config"]["return_sequences"]:
        return _arriving(inputs[0], entries)
    return None


def with_mask_operations(config: dict) -> dict:
    """A functional model's configuration in which recurrent layers with initial states are given their mask.

    Keras passes a mask on only to calls with a single tensor; where there are states as well, it would be lost.
    """
    entries = {entry["name"]: entry for entry in config["layers"]}
    added: dict[tuple, dict] = {}
    operations: list[dict] = []
    for entry in config["layers"]:
        for call in entry["inbound_nodes"] if entry["class_name"] in (*RECURRENT, "Bidirectional") else ():
            inputs = _histories(call["args"])
            if "mask" in call["kwargs"] or not inputs or not _histories(call["kwargs"]):
                continue
            arriving = _arriving(inputs[0], entries)
            if arriving is not None:
                if arriving not in added:
                    added[arriving] = _mask_of(arriving, config, {*entries, *(each["name"] for each in operations)})
                    operations += added[arriving].pop("operations")
                call["kwargs"] = call["kwargs"] | {"mask": added[arriving]}
    return config | {"layers": [*config["layers"], *operations]}


def _mask_of(arriving: tuple, config: dict, taken: set) -> dict:
    """The tensor of a mask in the form of :func:`_arriving`, and the operations that make it."""
    over_features, place, value = arriving
    compared = next(
        tensor for tensor in _tensors(config["layers"]) if tuple(tensor["config"]["keras_history"]) == place
    )
    made, operations = compared, []
    for kind, name, more in (("NotEqual", "not_equal", [value]), ("Any", "any", [])):
        if kind == "Any" and not over_features:
            continue
        options = {"axis": -1, "keepdims": False} if kind == "Any" else {}
        numbers = (name if k == 0 else f"{name}_{k}" for k in range(len(taken) + 1))
        name = next(each for each in numbers if each not in taken)
        operations.append(operation(kind, name, [made, *more], options))
        shape = made["config"]["shape"]
        tensor = {"shape": shape[:-1] if kind == "Any" else shape, "dtype": "bool", "keras_history": [name, 0, 0]}
        made = {"class_name": TENSOR, "config": tensor}
    return made | {"operations": operations}


def operation(kind: str, name: str, arguments: list, options: dict | None = None) -> dict:
    """One of Keras's operations on tensors, as described among the layers."""
    return {
        "module": "keras.src.ops.numpy",
        "class_name": kind,
        "config": {"name": name} | (options or {}),
        "registered_name": kind,
        "name": name,
        "inbound_nodes": [{"args": arguments, "kwargs": {}}],
    }


def _tensors(value) -> list[dict]:
    """The described tensors in nested lists and dicts."""
    if isinstance(value, dict):
        if value.get("class_name") == TENSOR:
            return [value]
        value = list(value.values())
    return [tensor for each in value for tensor in _tensors(each)] if isinstance(value, (list, tuple)) else []


RECURRENT = ("SimpleRNN", "LSTM", "GRU", "RNN")
# Layers with one input that pass its mask on to their output.
HAND_ON = (
    "Activation", "ActivityRegularization", "BatchNormalization", "Dense", "Dropout", "ELU", "GaussianNoise",
    "GroupNormalization", "Identity", "LayerNormalization", "LeakyReLU", "PReLU", "ReLU", "SpatialDropout1D",
    "TimeDistributed", "UnitNormalization",
)  # fmt: skip


def _histories(value) -> list[tuple]:
    """The origins of the tensors in a described call."""
    if isinstance(value, dict):
        if value.get("class_name") == TENSOR:
            return [tuple(value["config"]["keras_history"])]
        value = list(value.values())
    return [place for each in value for place in _histories(each)] if isinstance(value, (list, tuple)) else []
