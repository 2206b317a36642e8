"""Objects that have a name: from "glorot_uniform" to an instance, to a config dict, and back.

Keras names its initializers, regularizers, constraints, ... in the same way: by the class, by its name in
CamelCase or snake_case, or by the dict that it writes into model files. One `Registry` per kind does this.
The dicts are those of Keras 3, so that either library reads what the other wrote.
"""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from rnn_ref import custom_objects as own_objects

Config = dict[str, Any]

_copying: ContextVar[bool] = ContextVar("whether configurations may hold functions", default=False)
is_copying = _copying.get


@contextmanager
def copying() -> Iterator[None]:
    """Within it, configurations hold what has none itself, such as functions: they are for a copy in this program."""
    token = _copying.set(True)
    try:
        yield
    finally:
        _copying.reset(token)


def snake_case(name: str) -> str:
    """Spell a class name as Keras does in its strings.

    >>> snake_case("GlorotUniform"), snake_case("L1L2")
    ('glorot_uniform', 'l1l2')
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


class Registry:
    """The named classes of one kind.

    Parameters
    ----------
    kind : str
        What they are, in the singular ("initializer"). Error messages use it, and its plural is the module
        that configs name ("keras.initializers").
    classes : iterable of type
        Found by `__name__` and by its snake_case.
    aliases : mapping of str to callable, optional
        Further names for classes, or names of functions.

    Examples
    --------
    >>> class Doubling:
    ...     def __call__(self, x):
    ...         return 2 * x
    ...
    ...     def get_config(self):
    ...         return {}
    >>> registry = Registry("scaling", [Doubling])
    >>> registry.get("doubling")(3)
    6
    >>> registry.serialize(Doubling())["class_name"]
    'Doubling'
    """

    def __init__(self, kind: str, classes: Iterable[type], aliases: Mapping[str, Callable] | None = None):
        self.kind = kind
        self.classes = tuple(classes)
        self.names: dict[str, Callable] = {cls.__name__: cls for cls in self.classes}
        self.names |= {snake_case(cls.__name__): cls for cls in self.classes}
        self.names |= aliases or {}

    def get(self, identifier: Any) -> Any:
        """Turn a name, config dict, class, or callable into an object; `None` stays `None`.

        Raises
        ------
        ValueError
            If the name is unknown, or the object cannot be called.
        """
        if isinstance(identifier, str | dict):
            return self.deserialize(identifier)
        if identifier is None:
            return None
        found = identifier() if inspect.isclass(identifier) else identifier
        if callable(found):
            return found
        raise ValueError(
            f"{self.kind} should be a name, a config dict, a class, a callable or None; got {identifier!r} "
            f"of type {type(identifier).__name__}"
        )

    def serialize(self, obj: Any) -> Config | None:
        """Describe an object by a dict that JSON can hold, in Keras's form; `None` stays `None`.

        Raises
        ------
        ValueError
            If the object has neither a `get_config` nor a name to be found by.
        """
        if obj is None:
            return None
        if hasattr(obj, "get_config"):
            cls = type(obj)
            if cls in self.classes:
                return _config(f"keras.{self.kind}s", cls.__name__, obj.get_config(), None)
            return _config(cls.__module__, cls.__name__, obj.get_config(), own_objects.get_registered_name(cls))
        if is_copying():
            return obj
        name = getattr(obj, "__name__", "<lambda>")
        if name == "<lambda>":
            raise ValueError(
                f"{self.kind} {obj!r} cannot be saved: give it a `get_config` method, or use a named function"
            )
        return _config("builtins", "function", name, "function")

    def deserialize(self, config: Config | str | None, custom_objects: Mapping[str, Callable] | None = None) -> Any:
        """Make the object that `serialize` described; a bare name stands for its defaults.

        Parameters
        ----------
        config : dict, str or None
            A dict has `class_name` and `config`.
        custom_objects : mapping of str to class or function, optional
            Names that are not the package's own. They come first.

        Raises
        ------
        ValueError
            If the name is unknown, or the dict has no `class_name`.
        """
        if config is None:
            return None
        if isinstance(config, str):
            found = self._find(config, custom_objects)
            return found() if inspect.isclass(found) else found
        if "class_name" not in config:
            raise ValueError(
                f"the config of {self.kind} should have the keys 'class_name' and 'config'; got the keys "
                f"{sorted(config)}"
            )
        if config["class_name"] == "function":
            return self._find(config["config"], custom_objects)
        found = self._find(config["class_name"], custom_objects, config.get("registered_name"))
        arguments = config.get("config") or {}
        return found.from_config(arguments) if hasattr(found, "from_config") else found(**arguments)

    def _find(self, name: str, custom_objects: Mapping[str, Callable] | None, registered_name=None) -> Callable:
        found = own_objects.find(name, custom_objects, registered_name)
        if found is None and isinstance(name, str):
            found = self.names.get(name)
        if found is not None:
            return found
        known = sorted(
            {*(custom_objects or ()), *own_objects.names(), *(name for name in self.names if name.islower())}
        )
        near = difflib.get_close_matches(snake_case(str(name)), known, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise own_objects.UnknownObject(f"unknown {self.kind} {name!r}{hint}; the known ones are {', '.join(known)}")


def _config(module: str, class_name: str, config: Any, registered_name: str | None) -> Config:
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": registered_name,
    }
