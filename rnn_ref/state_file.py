"""Numbers, strings, lists, dicts and arrays in one file, bit for bit; NumPy reads it, and nothing in it can be code."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from rnn_ref.writing import replacing

PLAIN = (str, int, float, bool, type(None))
VERSION = 1


def is_plain(value: Any, depth: int = 0) -> bool:
    """Whether a file can hold it."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiub"
    if isinstance(value, (list, tuple)):
        return depth < 20 and all(is_plain(inner, depth + 1) for inner in value)
    if isinstance(value, dict):
        return depth < 20 and all(isinstance(key, PLAIN) and is_plain(inner, depth + 1) for key, inner in value.items())
    return isinstance(value, (*PLAIN, np.number, np.bool_))


def write(path: Path, state: dict) -> None:
    """Write a state; the file is there whole, or as it was.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "state.npz"
    >>> write(path, {"step": 3, "rates": (0.1, None), "w": np.float32([1, 2])})
    >>> read(path)
    {'step': 3, 'rates': (0.1, None), 'w': array([1., 2.], dtype=float32)}
    """
    arrays: list[np.ndarray] = []
    text = json.dumps({"version": VERSION, "state": _packed(state, arrays)})
    content = io.BytesIO()
    named = {f"a{k}": array for k, array in enumerate(arrays)}
    np.savez(content, state=np.frombuffer(text.encode(), np.uint8), **named)
    with replacing(path) as file:
        file.write(content.getbuffer())


def read(path: Path) -> dict:
    """The state that :func:`write` wrote.

    Raises
    ------
    ValueError
        If it is another kind of file, or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            described = json.loads(bytes(file["state"]))
            if described["version"] != VERSION:
                raise ValueError(f"it is of version {described['version']}, expected {VERSION}")
            return _unpacked(described["state"], file)
    except OSError:
        if not path.exists() or path.is_dir():
            raise
        raise ValueError(f"{path} is damaged, or no state of a training.") from None
    except Exception as error:
        raise ValueError(f"{path} is damaged, or no state of a training: {error}") from error


def _packed(value: Any, arrays: list) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        arrays.append(np.asarray(value))
        return {"scalar" if isinstance(value, np.generic) else "array": len(arrays) - 1}
    if isinstance(value, tuple):
        return {"tuple": [_packed(inner, arrays) for inner in value]}
    if isinstance(value, list):
        return [_packed(inner, arrays) for inner in value]
    if isinstance(value, dict):
        return {"dict": [[key, _packed(inner, arrays)] for key, inner in value.items()]}
    if not isinstance(value, PLAIN):
        raise TypeError(f"a state cannot hold {value!r} of type {type(value).__name__}.")
    return value


def _unpacked(value: Any, file) -> Any:
    if isinstance(value, list):
        return [_unpacked(inner, file) for inner in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "dict":
        return {key: _unpacked(each, file) for key, each in inner}
    if kind == "tuple":
        return tuple(_unpacked(each, file) for each in inner)
    array = file[f"a{int(inner)}"]
    return array[()] if kind == "scalar" else array
