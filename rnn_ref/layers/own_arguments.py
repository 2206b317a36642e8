"""The arguments a user's class was made with: its configuration, if it does not define one."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from rnn_ref import config as settings
from rnn_ref.spelling import arguments_of

BY_LAYER = ("name", "trainable", "dtype")  # kept by every layer, whether or not its __init__ takes them


@dataclass
class MadeWith:
    """The arguments of ``__init__`` by name, with defaults; or why they cannot serve as a configuration."""

    arguments: dict
    problem: str | None = None


def note_arguments(made, arguments: tuple, options: dict) -> None:
    """Keep the arguments that the ``__init__`` of a user's class is about to be given."""
    if type(made).__init__.__module__.startswith("rnn_ref."):
        return
    signature = inspect.signature(type(made).__init__)
    try:
        bound = signature.bind(made, *arguments, **options)
    except TypeError:  # __init__ itself will raise
        return
    bound.apply_defaults()
    found: dict[str, Any] = {}
    nameless = False
    for parameter in list(signature.parameters.values())[1:]:
        value = bound.arguments[parameter.name]
        if parameter.kind is parameter.VAR_KEYWORD:
            found |= value
        elif parameter.kind is parameter.VAR_POSITIONAL:
            nameless = nameless or bool(value)
        else:
            nameless = nameless or parameter.kind is parameter.POSITIONAL_ONLY
            found[parameter.name] = value
    found = {name: value for name, value in found.items() if name not in BY_LAYER}
    strange = ", ".join(name for name, value in found.items() if not _is_plain(value))
    problem = None
    if nameless:
        problem = "its __init__ takes arguments without names"
    elif strange:
        problem = f"{strange} of its __init__ is no number, string, or list or dict of them"
    made.__dict__["_made_with"] = MadeWith({} if problem else found, problem)


def own_arguments(made) -> dict:
    """The arguments of ``__init__``, without ``name``, ``trainable`` and ``dtype``.

    Raises
    ------
    NotImplementedError
        If they are anything but numbers, strings, None, and lists, tuples and dicts of these, or have no names.
    """
    noted = vars(made).get("_made_with") or MadeWith({})
    if noted.problem is not None:
        raise NotImplementedError(
            f"{made.name}: {type(made).__name__} has no get_config of its own, and {noted.problem}. Write "
            "get_config(self), which returns super().get_config() | {...} with what __init__ takes."
        )
    return dict(noted.arguments)


def make(cls: type, config: dict):
    """An object from a configuration; name, trainable and dtype are set afterwards if ``__init__`` lacks them."""
    known = arguments_of(cls)
    later = {name: config[name] for name in BY_LAYER if name in config and name not in known}
    made = cls(**{name: value for name, value in config.items() if name not in later})
    if "dtype" in later:
        dtype = settings.check_dtype(later.pop("dtype"), cls.__name__)
        if dtype != made.dtype:
            raise ValueError(
                f"{cls.__name__}.from_config: the configuration has dtype {dtype}, but __init__ takes none and gave "
                f"{made.dtype}. Let __init__ take **options and hand them to super().__init__(**options)."
            )
    for name, value in later.items():
        setattr(made, name, value)
    return made


def _is_plain(value) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(inner) for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return isinstance(value, (str, int, float, bool, type(None)))
