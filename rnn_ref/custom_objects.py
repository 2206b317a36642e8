"""Classes and functions of users, by name: what a description or a file may mean besides the package's own.

A file can never bring code along; it can only name what this program has already, and has been told that it may use:
with ``custom_objects=``, within :class:`CustomObjectScope`, or by :func:`register_keras_serializable`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from rnn_ref.checks import UnknownObject as UnknownObject  # where others look for it
from rnn_ref.guard import guarded

_registered: dict[str, Any] = {}  # "package>name" -> class or function
_scoped: ContextVar[dict | None] = ContextVar("names within CustomObjectScope", default=None)


class CustomObjectScope:
    """Within it, names in configurations and files may mean these classes and functions.

    Parameters
    ----------
    custom_objects : dict of str to class or function

    References
    ----------
    https://keras.io/api/utils/serialization_utils/

    Examples
    --------
    >>> import rnn_ref
    >>> class Mine(rnn_ref.layers.Dense):
    ...     pass
    >>> described = rnn_ref.layers.serialize(Mine(3, name="mine"))
    >>> with rnn_ref.utils.CustomObjectScope({"Mine": Mine}):
    ...     rnn_ref.layers.deserialize(described).name
    'mine'
    """

    def __init__(self, custom_objects: dict | None):
        if custom_objects is not None and not isinstance(custom_objects, dict):
            raise ValueError(
                "CustomObjectScope: custom_objects must be a dict of names and classes or functions, got "
                f"{custom_objects!r}."
            )
        self.custom_objects = custom_objects or {}

    def __enter__(self) -> CustomObjectScope:
        self._token = _scoped.set((_scoped.get() or {}) | self.custom_objects)
        return self

    def __exit__(self, *error) -> None:
        _scoped.reset(self._token)


custom_object_scope = CustomObjectScope


def find(name: Any, custom_objects: dict | None = None, registered_name: Any = None) -> Any:
    """The user's class or function of a name, or of the name it was registered by; None if there is none."""
    asked = [each for each in (registered_name, name) if isinstance(each, str)]
    asked += [each.rpartition(">")[2] for each in asked if ">" in each]  # "package>name"
    for names in (custom_objects, _scoped.get(), _registered):
        for each in asked:
            if names and each in names:
                return names[each]
    return None


def names() -> list[str]:
    """What :func:`find` finds, without arguments."""
    return [*(_scoped.get() or ()), *_registered]


@guarded
def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable:
    """A decorator: files and configurations that name this class or function may mean it.

    Parameters
    ----------
    package, name : str
        It is registered as ``"package>name"``; with its own name when absent.

    References
    ----------
    https://keras.io/api/models/model_saving_apis/serialization_utils/

    Examples
    --------
    >>> import rnn_ref
    >>> @rnn_ref.saving.register_keras_serializable("doctest")
    ... class Doubling(rnn_ref.layers.Layer):
    ...     def call(self, x):
    ...         return 2 * x
    >>> rnn_ref.saving.get_registered_name(Doubling)
    'doctest>Doubling'
    >>> type(rnn_ref.layers.deserialize(rnn_ref.layers.serialize(Doubling()))).__name__
    'Doubling'
    """

    def register(made):
        if inspect.isclass(made) and not hasattr(made, "get_config"):
            raise ValueError(f"{made.__name__} cannot be registered: it has no get_config.")
        _registered[f"{package}>{name or made.__name__}"] = made
        return made

    return register


def get_custom_objects() -> dict:
    """What is registered, by ``"package>name"``; may be changed."""
    return _registered


def get_registered_name(obj) -> str:
    """The name that a class or function was registered by, else its own."""
    return next((name for name, made in _registered.items() if made is obj), getattr(obj, "__name__", str(obj)))


def get_registered_object(name, custom_objects: dict | None = None, module_objects: dict | None = None) -> Any:
    """The class or function of a registered name; None if there is none."""
    return find(name, custom_objects) or (module_objects or {}).get(name)
