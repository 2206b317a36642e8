"""The arguments of ``compile`` as a dictionary of plain values in Keras 3's form, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnn_ref.training import losses, metrics, optimizers

ARGUMENTS = ("loss", "loss_weights", "metrics", "weighted_metrics")
PLAIN = ("run_eagerly", "steps_per_execution", "jit_compile")


def write(model) -> dict | None:
    """The arguments of ``compile``; None for a model that is not compiled.

    Functions are written by name, never as code.
    """
    if not model.compiled:
        return None
    settings = dict(zip(ARGUMENTS, model._settings))
    written = {"optimizer": optimizers.serialize(model.optimizer)}
    written |= {name: _map(value, _written, name) for name, value in settings.items()}
    return written | {name: getattr(model, name) for name in PLAIN}


def read(config: dict, custom_objects: dict | None = None) -> dict:
    """The arguments for ``compile``, as new objects.

    Raises
    ------
    ValueError
        If a class or function is neither in the package nor in ``custom_objects``.
    """
    found = {"optimizer": optimizers.deserialize(config.get("optimizer") or "rmsprop", custom_objects)}
    if isinstance(found["optimizer"], type):
        found["optimizer"] = found["optimizer"]()
    for name in ARGUMENTS:
        kind = losses if name == "loss" else metrics
        found[name] = _map(config.get(name), _reader(kind, custom_objects), name)
    steps = config.get("steps_per_execution")
    # Keras writes options of its own compiler, which have no effect here.
    return found | {"steps_per_execution": steps if isinstance(steps, int) and steps > 0 else 1}


def _map(value: Any, change: Callable, what: str) -> Any:
    """Change the leaves of nested lists and dicts; the description of an object counts as one leaf."""
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        return tuple(_map(inner, change, what) for inner in value["items"])
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _map(inner, change, what) for key, inner in value.items()}
    if isinstance(value, tuple) and change is _written:  # as Keras writes it; of nested outputs it is not a list
        return {"class_name": "__tuple__", "items": [_map(inner, change, what) for inner in value]}
    if isinstance(value, (list, tuple)):
        return [_map(inner, change, what) for inner in value]
    return change(value)


def _written(value):
    if value is None or isinstance(value, (str, int, float, bool, dict)):
        return value
    if hasattr(value, "get_config"):
        kind = losses if isinstance(value, losses.Loss) else metrics
        return kind.serialize(value)
    if isinstance(value, type):
        return value.__name__
    if not callable(value):  # a NumPy scalar
        return float(value)
    name = getattr(value, "__name__", type(value).__name__)
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def _reader(kind, custom_objects: dict | None) -> Callable:
    def made(value):
        if isinstance(value, str) and value in (custom_objects or {}):
            return custom_objects[value]
        return kind.deserialize(value, custom_objects) if isinstance(value, dict) else value

    return made
