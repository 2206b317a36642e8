"""Python functions in configurations: named ones by their name, lambdas by their code."""

from __future__ import annotations

import base64
import marshal
import types
from collections.abc import Callable, Mapping

from rnn_ref.custom_objects import UnknownObject, find


def describe_function(function: Callable, layer: str) -> dict:
    """A function in Keras 3's form.

    Raises
    ------
    NotImplementedError
        If it has neither a name nor code.
    """
    name = getattr(function, "__name__", None)
    if name is None or (name == "<lambda>" and not isinstance(function, types.FunctionType)):
        raise NotImplementedError(
            f"{layer}: {function!r} is neither a function with a name nor a lambda, and cannot be described. Put it "
            "into a function."
        )
    if name != "<lambda>":
        return {
            "module": getattr(function, "__module__", type(function).__module__),  # ufuncs have one since NumPy 2.1
            "class_name": "function",
            "config": name,
            "registered_name": name,
        }
    cells = function.__closure__
    config = {
        "code": base64.encodebytes(marshal.dumps(function.__code__)).decode(),
        "defaults": function.__defaults__,
        "closure": None if cells is None else tuple(cell.cell_contents for cell in cells),
    }
    return {"class_name": "__lambda__", "config": config}


def function_from(entry, custom_objects: Mapping | None, safe_mode: bool, layer: str, names: dict):
    """The function that :func:`describe_function` described; anything else as it is.

    Parameters
    ----------
    layer : str
        Name of the layer, under which ``custom_objects`` may hold a replacement for a lambda.
    names : dict
        The global names that the code of a lambda may use.

    Raises
    ------
    ValueError
        If the name is unknown, or a lambda's code would run and ``safe_mode`` is not False.
    """
    if not isinstance(entry, dict) or "class_name" not in entry:
        return entry
    if entry["class_name"] != "__lambda__":
        name = entry["config"] if isinstance(entry["config"], str) else entry["class_name"]
        found = find(name, custom_objects)
        if found is None:
            raise UnknownObject(
                f"{layer}: unknown function {name!r}: pass custom_objects={{{name!r}: <the function>}}."
            )
        return found
    if safe_mode and find(layer, custom_objects) is not None:
        return find(layer, custom_objects)
    if safe_mode:
        raise UnknownObject(
            f"{layer}: the configuration holds the code of a Python lambda, which could do anything, and is not run. "
            f"Pass the function by the name of the layer: custom_objects={{{layer!r}: <the function>}}. If you trust "
            "where a configuration comes from: Lambda.from_config(config, safe_mode=False)."
        )
    described = entry["config"]
    code = marshal.loads(base64.decodebytes(described["code"].encode()))
    cells = None if described["closure"] is None else tuple(map(types.CellType, described["closure"]))
    defaults = None if described["defaults"] is None else tuple(described["defaults"])
    return types.FunctionType(code, names, "<lambda>", defaults, cells)
