"""Descriptions of models by tf.keras 2 and Keras 2, converted to Keras 3's form."""

from __future__ import annotations

import copy
from typing import Any

from rnn_ref.interop.errors import BrokenFile

TENSOR = "__keras_tensor__"
RECURRENT = ("SimpleRNN", "LSTM", "GRU", "RNN", "CuDNNLSTM", "CuDNNGRU", "Bidirectional")
CUDNN = {"CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"}
# Arguments that no longer exist: the values for which the layer is the same as today's.
GONE: dict[str, tuple] = {
    "time_major": (False,),
    "renorm": (False,),
    "virtual_batch_size": (None,),
    "adjustment": (None,),
    "sparse": (False,),
    "ragged": (False,),
    "reset_states": (),
}
WITHOUT_EFFECT = ("input_length", "fused", "batch_size", "input_dtype", "num_constants")
WITHOUT_EFFECT += ("query_shape", "key_shape", "value_shape")  # of MultiHeadAttention, which it was built for


def modern(entry: dict) -> dict:
    """A layer's or model's description in today's form."""
    if not isinstance(entry, dict) or "class_name" not in entry:
        raise BrokenFile(f"a layer is described by a dict with class_name and config; got {entry!r:.100}.")
    kind, config = entry["class_name"], entry.get("config")
    if kind == "Sequential":
        return {"class_name": kind, "config": _sequential(config)}
    if kind in ("Model", "Functional"):
        return {"class_name": "Functional", "config": _functional(config)}
    return {"class_name": CUDNN.get(kind, kind), "config": _layer(kind, dict(config or {}))}


def _sequential(config: Any) -> dict:
    config = {"layers": config, "name": "sequential"} if isinstance(config, list) else dict(config)
    first = config["layers"][0] if config["layers"] else None
    layers = [modern(layer) for layer in config["layers"]]
    if first is not None and first["class_name"] != "InputLayer":
        inside = first["config"]
        while "batch_input_shape" not in inside and isinstance(inside.get("layer"), dict):
            inside = inside["layer"]["config"]
        shape = inside.get("batch_input_shape") or config.get("build_input_shape")
        if shape is not None:
            layers.insert(0, {"class_name": "InputLayer", "config": {"batch_shape": shape}})
    return {"name": config.get("name", "sequential"), "layers": layers}


def _functional(config: dict) -> dict:
    layers = []
    for entry in config["layers"]:
        calls = [_call(entry["class_name"], call) for call in entry["inbound_nodes"]]
        layers.append(modern(entry) | {"name": entry["name"], "inbound_nodes": calls})
    ends = {key: copy.deepcopy(config[key]) for key in ("input_layers", "output_layers")}
    _count_calls_from_zero(layers, ends)
    for name, places in ends.items():  # a list with one tensor was that tensor
        if isinstance(places, list) and len(places) == 1 and isinstance(places[0], list):
            ends[name] = places[0]
    return {key: config[key] for key in ("name", "trainable") if key in config} | ends | {"layers": layers}


def _count_calls_from_zero(layers: list[dict], ends: dict) -> None:
    """The first call of a nested model was number 1, as 0 was that of its own inputs."""
    places = [*_places([layer["inbound_nodes"] for layer in layers]), *_ends(list(ends.values()))]
    for layer in layers:
        inside = layer["config"]["layers"] if layer["class_name"] in ("Sequential", "Functional") else []
        here = [place for place in places if place[0] == layer["name"]]
        if inside and inside[0]["class_name"] == "InputLayer" and here and min(place[1] for place in here) > 0:
            for place in here:
                place[1] -= 1


def _places(value: Any) -> list[list]:
    """The places of tensors in calls, themselves."""
    if isinstance(value, dict):
        if value.get("class_name") == TENSOR:
            return [value["config"]["keras_history"]]
        value = list(value.values())
    return [place for inner in value for place in _places(inner)] if isinstance(value, list) else []


def _ends(value: Any) -> list[list]:
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
        return [value]
    value = list(value.values()) if isinstance(value, dict) else value
    return [place for inner in value for place in _ends(inner)] if isinstance(value, list) else []


def _layer(kind: str, config: dict) -> dict:
    for name, allowed in GONE.items():
        if name in config and config.pop(name) not in allowed:
            raise NotImplementedError(f"{config.get('name')}: the argument {name} of {kind} is not there any more.")
    for name in WITHOUT_EFFECT:
        config.pop(name, None)
    shape = config.pop("batch_input_shape", None)
    if kind == "InputLayer" and shape is not None:
        config["batch_shape"] = shape
    if isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
        config["axis"] = config["axis"][0]
    if kind == "GRU" and "reset_after" not in config:
        config["reset_after"] = False  # as before there was a choice
    if kind in CUDNN:
        config |= {"reset_after": True} if kind == "CuDNNGRU" else {}
    for name in ("layer", "backward_layer", "cell"):
        if isinstance(config.get(name), dict):
            config[name] = modern(config[name])
    if isinstance(config.get("cells"), list):
        config["cells"] = [modern(cell) for cell in config["cells"]]
    for name, value in config.items():
        if name.endswith("initializer") and isinstance(value, dict) and isinstance(value.get("config"), dict):
            config[name] = _initializer(value)
    return config


def with_old_hard_sigmoid(entry: Any) -> Any:
    """The same description with clip(0.2 x + 0.5, 0, 1), which was ``hard_sigmoid`` before Keras 3."""
    if isinstance(entry, dict):
        return {
            key: "hard_sigmoid_legacy"
            if key.endswith("activation") and inner == "hard_sigmoid"
            else with_old_hard_sigmoid(inner)
            for key, inner in entry.items()
        }
    return [with_old_hard_sigmoid(inner) for inner in entry] if isinstance(entry, list) else entry


def _initializer(value: dict) -> dict:
    config = {key: inner for key, inner in value["config"].items() if key not in ("dtype", "partition_info")}
    if config.get("distribution") == "normal":
        config["distribution"] = "truncated_normal"
    return value | {"config": config}


def _call(kind: str, call: Any) -> dict:
    """From ``[[name, call, output, {arguments}], ...]``: the inputs of the layer, and the rest by name."""
    if isinstance(call, dict):
        return call
    if call and isinstance(call[0], str):  # one tensor alone
        call = [call]
    given = [_tensor(place) for place in call]
    arguments: dict = {}
    for place in call:
        if len(place) > 3 and isinstance(place[3], dict):
            arguments |= {name: _tensors(value) for name, value in place[3].items()}
    if kind in RECURRENT and len(given) > 1:  # the states, which used to be inputs
        arguments.setdefault("initial_state", given[1:])
        given = given[:1]
    return {"args": [given[0] if len(given) == 1 else given], "kwargs": arguments}


def _tensor(place) -> dict:
    return {"class_name": TENSOR, "config": {"keras_history": list(place[:3])}}


def _tensors(value: Any):
    if isinstance(value, list):
        named = len(value) in (3, 4) and isinstance(value[0], str) and all(type(n) is int for n in value[1:3])
        return _tensor(value) if named else [_tensors(inner) for inner in value]
    return value


def modern_training(config: dict) -> dict:
    """``training_config`` as Keras 3's ``compile_config``."""
    described = dict(config.get("optimizer_config") or {})
    options = dict(described.get("config") or {})
    for name in ("decay", "is_legacy_optimizer", "jit_compile", "initial_decay", "initial_accumulator"):
        if options.pop(name, None) and name in ("decay", "initial_decay"):
            raise NotImplementedError(f"the optimizer's {name} is not there any more; give it a schedule")
    if "lr" in options:
        options["learning_rate"] = options.pop("lr")
    metrics = config.get("metrics")
    if isinstance(metrics, list) and len(metrics) == 1 and isinstance(metrics[0], list):
        metrics = metrics[0]
    name = str(described.get("class_name")).rpartition(">")[2]  # "Custom>Adam" in the last versions
    return {
        "optimizer": {"class_name": name, "config": options},
        "loss": _loss(config.get("loss")),
        "loss_weights": config.get("loss_weights"),
        "metrics": metrics,
        "weighted_metrics": config.get("weighted_metrics"),
    }


def _loss(described: Any) -> Any:
    """Losses, also in lists and dicts by name, without their wrappers."""
    if isinstance(described, list):
        return [_loss(inner) for inner in described]
    if not isinstance(described, dict):
        return described
    if "class_name" not in described:
        return {name: _loss(inner) for name, inner in described.items()}
    options = {key: value for key, value in (described.get("config") or {}).items() if key != "fn"}
    if options.get("reduction") == "auto":
        options["reduction"] = "sum_over_batch_size"
    return {"class_name": str(described["class_name"]).rpartition(">")[2], "config": options}
