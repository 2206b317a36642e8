"""Traces as ``.npz`` files: the arrays as they are, and a text that says which is which."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from rnn_ref.inspection.layer_trace import GROUPS, LayerTrace

FORMAT = "rnn_ref trace 1"


def save(trace, path) -> Path:
    """Write a trace; see :meth:`rnn_ref.inspection.tracing.Trace.save`."""
    arrays: dict[str, np.ndarray] = {}
    layers = [
        {f.name: _describe(getattr(layer, f.name), f"{name}|{f.name}", arrays) for f in fields(layer)}
        for name, layer in trace.layers.items()
    ]
    content = {
        "format": FORMAT,
        "layers": dict(zip(trace.layers, layers)),
        "outputs": _describe(trace.outputs, "outputs", arrays),
        "notes": trace.notes,
    }
    path = Path(path)
    with path.open("wb") as file:  # an open file, as NumPy may append an extension to a name
        np.savez(file, content=np.array(json.dumps(content)), **arrays)
    return path


def load(path):
    """Read a trace; see :meth:`rnn_ref.inspection.tracing.Trace.load`.

    Raises
    ------
    ValueError
        If the file was not written by :func:`save`.
    """
    from rnn_ref.inspection.tracing import Trace

    try:
        file = np.load(path, allow_pickle=False)
    except ValueError as error:  # neither .npz nor .npy
        raise ValueError(f"{path} is not a trace: {error}") from None
    if not isinstance(file, np.lib.npyio.NpzFile) or "content" not in file:
        raise ValueError(f"{path} is not a trace that Trace.save wrote.")
    with file:
        content = json.loads(str(file["content"]))
        if content.get("format") != FORMAT:
            raise ValueError(f"{path} holds {content.get('format')!r}; this version of rnn_ref reads {FORMAT!r}.")
        layers = {}
        for name, parts in content["layers"].items():
            found = {key: _restore(value, file) for key, value in parts.items()}
            found["axes"] = {key: tuple(axes) for key, axes in found["axes"].items()}
            layers[name] = LayerTrace(**{group: {} for group in GROUPS} | found)
        return Trace(layers, _restore(content["outputs"], file), content["notes"])


def _describe(value: Any, name: str, arrays: dict) -> Any:
    """JSON in which arrays are references by name; the arrays go to ``arrays``."""
    if isinstance(value, dict):
        return {"dict": {key: _describe(entry, f"{name}/{key}", arrays) for key, entry in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"list": [_describe(entry, f"{name}/{k}", arrays) for k, entry in enumerate(value)]}
    if isinstance(value, (np.ndarray, np.generic)):
        arrays[name] = np.asarray(value)
        return {"array": name}
    return value


def _restore(value: Any, file) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "dict":
        return {key: _restore(entry, file) for key, entry in content.items()}
    return [_restore(entry, file) for entry in content] if kind == "list" else file[content]
