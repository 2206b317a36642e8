"""The places of each layer's weights in Keras 3's files: ``layers/lstm/cell/vars/0``.

A place is a path through attributes: the layers of a model by their numbered classes (``layers/dense_1``), the cell of
a recurrent layer as ``cell``, and so on. Names of layers do not matter, as they may be numbered differently next time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rnn_ref import layers
from rnn_ref.layers.operators import Operator
from rnn_ref.layers.variable import Variable
from rnn_ref.layers.weight_owner import WeightOwner
from rnn_ref.models import Functional, Model, Sequential
from rnn_ref.models.skipping import Skipped
from rnn_ref.training._identifiers import snake_case

# The projections of MultiHeadAttention are layers of their own in Keras.
PROJECTIONS = {
    "query": "query_dense",
    "key": "key_dense",
    "value": "value_dense",
    "gate": "_gate_dense",
    "attention_output": "output_dense",
}
OURS = {
    "_weights",
    "nodes",
    "_chain",
    "_layers",
    "_input",
    "_output",
    "calls",
    "inputs",
    "outputs",
    "optimizer",
    "objective",
    "_settings",
    "history",
    "_made_with",
}


@dataclass
class Place:
    """A layer's own weights.

    Attributes
    ----------
    path : str
        The path in the file; empty for the model itself.
    name : str
        The layer's name, for messages.
    weights : list of Variable
        Trainable ones first, as in Keras.
    """

    path: str
    name: str
    weights: list[Variable]


def places(model) -> list[Place]:
    """Every layer of a model, once, in Keras's order."""
    return list(_walk(model, "", set()))


def _walk(owner, path: str, visited: set) -> Iterator[Place]:
    owner = getattr(owner, "custom", owner) if isinstance(owner, layers.CustomCell) else owner
    if id(owner) in visited or not isinstance(owner, WeightOwner) or isinstance(owner, Skipped):
        return
    visited.add(id(owner))
    if isinstance(owner, layers.MultiHeadAttention):
        yield Place(path, owner.name, [])
        for part, attribute in PROJECTIONS.items():
            own = [weight for name, weight in owner._weights.items() if name.rpartition("/")[0] == part]
            if own:
                yield Place(f"{path}/{attribute}".lstrip("/"), part, own)
    else:
        own = list(owner._own_weights().values())
        yield Place(path, owner.name, [w for w in own if w.trainable] + [w for w in own if not w.trainable])
    for attribute, inside in _attributes(owner):
        yield from _inside(inside, f"{path}/{attribute}".lstrip("/"), visited)


def _inside(entry, path: str, visited: set) -> Iterator[Place]:
    """A layer, or layers in lists and dicts, which are numbered by class."""
    if isinstance(entry, WeightOwner):
        yield from _walk(entry, path, visited)
        return
    counted: dict[str, int] = {}
    for inner in entry.values() if isinstance(entry, dict) else entry:
        if isinstance(inner, WeightOwner):
            kind = getattr(inner, "custom", inner) if isinstance(inner, layers.CustomCell) else inner
            name = snake_case(getattr(kind, "stands_for", type(kind).__name__))
        elif isinstance(inner, (list, tuple, dict)):
            name = "container"
        else:
            continue
        counted[name] = counted.get(name, -1) + 1
        yield from _inside(inner, f"{path}/{name}" + (f"_{counted[name]}" if counted[name] else ""), visited)


def _attributes(owner) -> list[tuple[str, Any]]:
    """The attributes that Keras visits, in its order: by name, those with an underscore last."""
    found: dict[str, Any] = {}
    if isinstance(owner, layers.RNN):
        found["cell"] = owner.cell
    elif isinstance(owner, layers.StackedRNNCells):
        found["cells"] = list(owner.cells)
    elif isinstance(owner, layers.Bidirectional):
        found |= {"forward_layer": owner.forward_layer, "backward_layer": owner.backward_layer}
    elif isinstance(owner, layers.Wrapper):
        found["layer"] = owner.layer
    elif isinstance(owner, Model):
        found["layers"] = [layer for layer in owner.layers if not isinstance(layer, Operator)]
    if getattr(owner, "holds_layers", False) or (isinstance(owner, Model) and type(owner).__module__[:8] != "rnn_ref."):
        for name, value in vars(owner).items():
            if name not in OURS and name not in found and _holds(value):
                found[name] = value
    first = "layers" if isinstance(owner, (Sequential, Functional)) else None
    return sorted(found.items(), key=lambda item: (item[0] != first, item[0].startswith("_"), item[0]))


def _holds(value) -> bool:
    if isinstance(value, (list, tuple, dict)):
        return any(map(_holds, value.values() if isinstance(value, dict) else value))
    return isinstance(value, WeightOwner)
