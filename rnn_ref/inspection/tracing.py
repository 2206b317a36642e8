"""Traces: what every recurrent layer of a model did on some data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rnn_ref.layers.bidirectional import Bidirectional
from rnn_ref.layers.recurrent import RNN


@dataclass(frozen=True)
class LayerTrace:
    """One recurrent layer on one batch.

    Arrays are ``(B, T, H)``: sample, time, unit. Time runs in the order of the data, also for a layer that reads
    it backwards.

    Attributes
    ----------
    name : str
        The layer's.
    inputs : ndarray, (B, T, F)
    gates : dict of str to ndarray
        LSTM: input, forget, candidate, output; GRU: update, reset, candidate; SimpleRNN: none.
    states : dict of str to ndarray
        hidden, and for LSTM cell: the states after each step.
    initial_states : dict of str to ndarray
        The states before the first step, ``(B, H)``.
    preactivations : dict of str to ndarray
        What went into each gate's activation (SimpleRNN: under "hidden").
    """

    name: str
    inputs: np.ndarray
    gates: dict[str, np.ndarray]
    states: dict[str, np.ndarray]
    initial_states: dict[str, np.ndarray]
    preactivations: dict[str, np.ndarray]

    @property
    def hidden(self) -> np.ndarray:
        return self.states["hidden"]

    @property
    def cell(self) -> np.ndarray:
        return self["cell"]

    def __getitem__(self, name: str) -> np.ndarray:
        """A gate or a state by name."""
        known = self.gates | self.states
        if name not in known:
            raise KeyError(f"{self.name}: no gate or state is named {name!r}; there are {', '.join(known)}.")
        return known[name]

    def __repr__(self):
        B, T, H = self.hidden.shape
        return f"<LayerTrace {self.name}: {', '.join([*self.gates, *self.states])}; B={B}, T={T}, H={H}>"


class Trace(Mapping):
    """Layer traces by layer name; a model with a single recurrent layer gives its arrays directly too."""

    def __init__(self, layers: dict[str, LayerTrace], outputs):
        self.layers = layers
        self.outputs = outputs

    def __getitem__(self, name: str) -> LayerTrace | np.ndarray:
        if name in self.layers:
            return self.layers[name]
        if len(self.layers) == 1:
            return next(iter(self.layers.values()))[name]
        raise KeyError(f"no recurrent layer is named {name!r}; there are {', '.join(self.layers)}.")

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self):
        return "\n".join(["<Trace", *(f"  {layer}" for layer in self.layers.values())]) + ">"


def trace(model, x) -> Trace:
    """Run a model or a layer, and keep what its recurrent layers did.

    Parameters
    ----------
    model : Model, Sequential or recurrent layer
    x : ndarray, (B, T, F)
        Or what else the model takes.

    Returns
    -------
    Trace
        ``trace["lstm"].gates["forget"]`` is ``(B, T, H)``.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> model = rnn_ref.Sequential([rnn_ref.layers.LSTM(4, name="memory"), rnn_ref.layers.Dense(1)])
    >>> rnn_ref.trace(model, np.ones((2, 7, 3)))["memory"].gates["forget"].shape
    (2, 7, 4)
    """
    if isinstance(model, (RNN, Bidirectional)):
        outputs, tape = model.forward(x, keep_z=True)
        runs = [(model, tape)]
    else:
        outputs, walk = model.forward(x, keep_z=True)
        runs = walk.runs()
    traces = {name: layer_trace(layer, tape, name) for name, layer, tape in recurrent(runs)}
    if not traces:
        raise ValueError(f"{model.name} has no recurrent layer to trace.")
    return Trace(traces, outputs)


def recurrent(runs: Iterable, prefix: str = "") -> Iterator[tuple]:
    """Name, layer, and tape (or flow) of the recurrent layers among those that ran, in order.

    Layers in a model are named with the path to them, ``"encoder/lstm"``; the second run of a layer is ``"lstm#2"``.
    """
    counts: dict[str, int] = {}
    for layer, record in runs:
        count = counts[layer.name] = counts.get(layer.name, 0) + 1
        name = f"{prefix}{layer.name}" + (f"#{count}" if count > 1 else "")
        if isinstance(layer, RNN):
            yield name, layer, record
        elif isinstance(layer, Bidirectional):
            both = record.values() if isinstance(record, dict) else (record.forward, record.backward)
            yield from recurrent(zip(layer.directions, both), f"{name}/")
        elif hasattr(layer, "walk_layers"):
            yield from recurrent(record.runs() if hasattr(record, "runs") else record, f"{name}/")


def in_data_order(layer, array: np.ndarray) -> np.ndarray:
    """Time-major ``(T, B, K)`` in the order of computing -> ``(B, T, K)`` in the order of the data."""
    return (array[::-1] if layer.go_backwards else array).transpose(1, 0, 2)


def layer_trace(layer, tape, name: str) -> LayerTrace:
    """The tape with names, batch first."""
    cell = layer.cell
    gates = {} if tape.gates is None else dict(zip(cell.GATES, tape.gates))
    z_names = cell.GATES if gates else cell.STATES
    return LayerTrace(
        name=name,
        inputs=in_data_order(layer, tape.x),
        gates={name: in_data_order(layer, gate) for name, gate in gates.items()},
        states={name: in_data_order(layer, state[1:]) for name, state in zip(cell.STATES, tape.states)},
        initial_states={name: state[0] for name, state in zip(cell.STATES, tape.states)},
        preactivations={name: in_data_order(layer, z) for name, z in zip(z_names, tape.z)},
    )
