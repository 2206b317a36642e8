"""Masks in configurations that Keras 3 wrote: there they are tensors, made by operations that stand among the layers.

Here masks travel with the data. A mask that would arrive at a call by itself is taken out of the configuration; any
other one is refused, because leaving it out would change what the model computes.
"""

from __future__ import annotations

from copy import copy

TENSOR = "__keras_tensor__"


def without_mask_operations(config: dict) -> dict:
    """A functional model's configuration without the operations that make masks.

    Raises
    ------
    ValueError
        If a call is given a mask that is not the one its input brings along.
    """
    entries = {entry["name"]: entry for entry in config["layers"]}
    operations = {name for name, entry in entries.items() if str(entry.get("module")).startswith("keras.src.ops")}
    kept = []
    for entry in config["layers"]:
        if entry["name"] in operations:
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
    # Keras notes training=False for every call with a mask; what a person wrote is noted as given.
    if kwargs.get("training") is False and "training" not in call.get("given", ()):
        del kwargs["training"]
    mask = _histories(kwargs.get("mask"))
    if mask and str(entries[mask[0][0]].get("module")).startswith("keras.src.ops"):
        inputs = _histories(call["args"])
        if len(mask) != 1 or not inputs or _arriving(inputs[0], entries) != _computed(mask[0], entries):
            raise ValueError(
                f"{model}: {entry['name']!r} is called with a mask that is computed by operations, and is not the one "
                "that its input brings along. Masks are made by Embedding(mask_zero=True) and Masking, or are inputs."
            )
        del kwargs["mask"]
    return call | {"kwargs": kwargs}


def _computed(place: tuple, entries: dict) -> tuple | None:
    """What a mask says: where it was looked, and what does not count: ``ids ≠ 0`` or ``any(x ≠ value)``."""
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
    """The mask that a tensor brings along, in the words of :func:`_computed`."""
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


RECURRENT = ("SimpleRNN", "LSTM", "GRU", "RNN")
# Layers with one input whose mask is that of their output.
HAND_ON = (
    "Activation", "ActivityRegularization", "BatchNormalization", "Dense", "Dropout", "ELU", "GaussianNoise",
    "GroupNormalization", "Identity", "LayerNormalization", "LeakyReLU", "PReLU", "ReLU", "SpatialDropout1D",
    "TimeDistributed", "UnitNormalization",
)  # fmt: skip


def _histories(value) -> list[tuple]:
    """Where the tensors in a described call come from."""
    if isinstance(value, dict):
        if value.get("class_name") == TENSOR:
            return [tuple(value["config"]["keras_history"])]
        value = list(value.values())
    return [place for each in value for place in _histories(each)] if isinstance(value, (list, tuple)) else []
