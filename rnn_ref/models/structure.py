"""Arrays in lists and dicts: models take and return one array, a list of arrays, or a dict of arrays by name."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from rnn_ref.device import array_module, to_numpy, xp


def flatten(data: Any, names: list[str], what: str) -> list:
    """Make a list, with one entry for each name, from a single array, a list in order, or a dict by name.

    Parameters
    ----------
    data
        Array, list or tuple of arrays, or dict of arrays.
    names : list of str
        The names of the entries.
    what : str
        For error messages, such as ``"sequential: y"``.
    """
    if data is None:
        return [None] * len(names)
    if isinstance(data, dict):
        if set(data) != set(names):
            raise ValueError(f"{what}: got the keys {sorted(data)}, expected {sorted(names)}.")
        return [data[name] for name in names]
    if isinstance(data, (list, tuple)) and len(names) > 1:
        if len(data) != len(names):
            raise ValueError(f"{what}: got {len(data)} entries, expected {len(names)}: {', '.join(names)}.")
        return list(data)
    if len(names) == 1:
        if isinstance(data, (list, tuple)) and len(data) == 1 and hasattr(data[0], "shape"):
            data = data[0]
        return [data]
    raise ValueError(f"{what}: got one array, expected {len(names)}: {', '.join(names)}.")


def in_order(structure: Any) -> Any:
    """The same structure with the keys of its dicts sorted, as in Keras."""
    if isinstance(structure, dict):
        keys = structure if isinstance(structure, OrderedDict) else sorted(structure, key=str)
        return {key: in_order(structure[key]) for key in keys}
    if isinstance(structure, (list, tuple)):
        return _like(structure, [in_order(entry) for entry in structure])
    return structure


def leaves_of(structure: Any) -> list:
    """Everything in nested lists, tuples and dicts, in order."""
    if isinstance(structure, (list, tuple, dict)):
        inside = structure.values() if isinstance(structure, dict) else structure
        return [leaf for entry in inside for leaf in leaves_of(entry)]
    return [structure]


def is_deep(structure: Any) -> bool:
    """Whether a list, tuple or dict holds further lists, tuples or dicts."""
    inside = structure.values() if isinstance(structure, dict) else structure
    return isinstance(structure, (list, tuple, dict)) and any(isinstance(i, (list, tuple, dict)) for i in inside)


def put_back(structure: Any, leaves) -> Any:
    """The same structure, of the same types, with new leaves given in the order of :func:`leaves_of`."""
    leaves = iter(leaves)

    def fill(entry):
        if isinstance(entry, dict):
            return {key: fill(inner) for key, inner in entry.items()}
        if isinstance(entry, (list, tuple)):
            return _like(entry, [fill(inner) for inner in entry])
        return next(leaves)

    return fill(structure)


def along(structure: Any, data: Any, what: str) -> list:
    """The leaves of data that has the given structure; lists and tuples count as the same.

    Examples
    --------
    >>> along({"a": (0, 0), "b": 0}, {"b": 3, "a": [1, 2]}, "y")
    [1, 2, 3]
    """
    if isinstance(structure, dict) and isinstance(data, dict) and set(structure) == set(data):
        return [leaf for key, inner in structure.items() for leaf in along(inner, data[key], what)]
    listed = isinstance(structure, (list, tuple)) and isinstance(data, (list, tuple))
    if listed and len(structure) == len(data):
        return [leaf for inner, entry in zip(structure, data) for leaf in along(inner, entry, what)]
    if isinstance(structure, (list, tuple, dict)) or isinstance(data, (tuple, dict)):
        raise ValueError(f"{what} must have the structure of the outputs, {_drawn(structure)}; got {_drawn(data)}.")
    return [data]


def along_or_flat(structure: Any, data: Any, what: str) -> list:
    """Like :func:`along`, for data that may also be a plain list of the leaves."""
    if isinstance(data, (list, tuple)) and not is_deep(data) and len(data) == len(leaves_of(structure)):
        return list(data)
    return along(structure, data, what)


def _drawn(structure: Any) -> str:
    return repr(put_back(structure, ["*"] * len(leaves_of(structure)))).replace("'*'", "*")


def _like(structure, entries: list):
    if isinstance(structure, tuple):
        return type(structure)(*entries) if hasattr(structure, "_fields") else tuple(entries)
    return entries


def unflatten(entries: list) -> Any:
    """Unpack a list of one entry."""
    return entries[0] if len(entries) == 1 else entries


def as_array(entry):
    """Leave data where it is until its batch is needed, unless it lies on a GPU that is not in use now."""
    return entry if array_module(entry) is xp.module else np.asarray(to_numpy(entry))


def as_arrays(entries: list, what: str) -> list[np.ndarray | None]:
    """Turn entries into arrays and check that they have the same number of samples, at least one."""
    arrays = [None if entry is None else as_array(entry) for entry in entries]
    for array in arrays:
        if array is not None and array.ndim == 0:
            raise ValueError(f"{what}: expected an array with a batch axis, got the single value {array}.")
    return arrays


def structure_of(outputs):
    """The structure of outputs: the same lists, tuples and dicts, with zeros in place of tensors."""
    return put_back(in_order(outputs), [0] * len(leaves_of(outputs)))


def names_for(structure, base: str) -> list[str]:
    """``"output"`` for one; ``"output_1"``, ... for several; for a dict its keys."""
    if isinstance(structure, dict) and not is_deep(structure):
        return list(structure)
    count = len(leaves_of(structure))
    return [base] if count == 1 else [f"{base}_{k + 1}" for k in range(count)]
