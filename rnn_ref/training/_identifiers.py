"""Names: from a string or a config to an object and back, and automatic names for objects."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from rnn_ref import custom_objects as own_objects
from rnn_ref.guard import explained

_times_used: defaultdict[str, int] = defaultdict(int)


def snake_case(name: str) -> str:
    """``"MeanSquaredError"`` to ``"mean_squared_error"``, by Keras's rule.

    >>> snake_case("MeanSquaredError"), snake_case("AUC")
    ('mean_squared_error', 'auc')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(obj: Any) -> str:
    """The snake-case class name of `obj`, numbered from the second use on: ``"adam"``, ``"adam_1"``, ..."""
    name = snake_case(type(obj).__name__)
    count = _times_used[name]
    _times_used[name] += 1
    return f"{name}_{count}" if count else name


def reset_automatic_names() -> None:
    """Begin counting anew."""
    _times_used.clear()


def lookup(name: str, known: Mapping[str, Any], kind: str) -> Any:
    """The entry `name` of the table `known`; an unknown name raises a ValueError that lists the known ones."""
    found = own_objects.find(name) or known.get(name)
    if found is not None:
        return found
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise own_objects.UnknownObject(f"Unknown {kind} {name!r}.{hint} Known: {', '.join(sorted(known))}.")


def one_of(argument: str, value: Any, allowed: tuple) -> Any:
    """`value`, if it is allowed for the argument of this name; otherwise a ValueError says what is."""
    if value in allowed:
        return value
    raise ValueError(f"Argument `{argument}` must be one of {allowed}. Received: {argument}={value!r}")


@explained
def serialize(obj: Any) -> dict | str:
    """An object as the dictionary that Keras 3 writes, a function as its name."""
    if not hasattr(obj, "get_config"):
        return obj.__name__
    kind = type(obj)
    parts = kind.__module__.split(".")  # rnn_ref.training.losses.regression
    own = parts[2] if parts[:2] == ["rnn_ref", "training"] else None
    own = "optimizers.schedules" if parts[2:] == ["optimizers", "schedules"] else own
    return {
        "module": f"keras.{own}" if own else kind.__module__,
        "class_name": kind.__name__,
        "config": obj.get_config(),
        "registered_name": None if own else own_objects.get_registered_name(kind),
    }


def deserialize(config: Any, known: Mapping[str, Any], kind: str, custom_objects: Mapping | None = None) -> Any:
    """The inverse of `serialize`. Also reads the dictionaries that Keras writes."""
    table = {**known, **(custom_objects or {})}
    if isinstance(config, str):
        return lookup(config, table, kind)
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise ValueError(f"A {kind} config needs the keys 'class_name' and 'config'. Received: {config!r}")
    if config["class_name"] == "function":  # how Keras writes a function
        return lookup(config["config"], table, kind)
    registered = own_objects.find(None, custom_objects, config.get("registered_name"))
    return (registered or lookup(config["class_name"], table, kind)).from_config(dict(config.get("config") or {}))
