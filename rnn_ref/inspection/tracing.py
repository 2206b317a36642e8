"""Traces: what every layer of a model did on some data, and everything about recurrent layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from rnn_ref.device import converted, to_numpy
from rnn_ref.guard import guarded
from rnn_ref.inspection.layer_trace import LayerTrace
from rnn_ref.inspection.watching import STEPS_APART, Log, Wanted, Watcher, in_data_order
from rnn_ref.layers.autodiff import CallTape
from rnn_ref.layers.bidirectional import Bidirectional
from rnn_ref.layers.call_checks import look_for_nan
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.layer import Layer
from rnn_ref.layers.recurrent import RNN
from rnn_ref.layers.stacked_cells import StackedRNNCells
from rnn_ref.layers.symbolic import entries, replace_entries
from rnn_ref.layers.time_distributed import TimeDistributed

__all__ = ["LayerTrace", "Trace", "in_data_order", "recurrent", "trace"]


class Trace(Mapping):
    """Layer traces by path; if there is only one recurrent layer, its gates and states too: ``trace["forget"]``.

    Attributes
    ----------
    layers : dict of str to LayerTrace
        Every layer that ran: ``"lstm"``, ``"encoder/lstm"``, ``"both/forward_lstm"``, ``"rnn/lstm_cell"``, and
        ``"lstm#2"`` for a second call.
    outputs : ndarray, or list or dict of ndarray
        The outputs of the model.
    notes : list of str
        What could not be traced.
    """

    def __init__(self, layers: dict[str, LayerTrace], outputs: Any = None, notes: Iterable[str] = ()):
        self.layers, self.outputs, self.notes = layers, outputs, list(notes)

    @property
    def recurrent(self) -> dict[str, LayerTrace]:
        """Only the recurrent layers; for stacked cells, each cell."""
        return {name: layer for name, layer in self.layers.items() if layer.recurrent}

    def __getitem__(self, name: str) -> LayerTrace | np.ndarray:
        if name in self.layers:
            return self.layers[name]
        only = list(self.recurrent.values())
        if len(only) == 1 and name in only[0].gates | only[0].states:
            return only[0][name]
        inside = f" (in {only[0].name}: {', '.join(only[0].gates | only[0].states)})" if len(only) == 1 else ""
        raise KeyError(f"no layer is named {name!r}; there are {', '.join(self.layers)}{inside}.")

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def to_pandas(self):
        """A long table with one row for each number.

        Returns
        -------
        pandas.DataFrame
            Columns layer, array, sample, time, unit, value; ``array`` is a full name such as "gates/forget", ``unit``
            also counts the features of inputs. Axes that an array lacks are ``<NA>``. Dropout masks add a column gate,
            attention scores a column key: the time step attended to.

        Raises
        ------
        ImportError
            If pandas is not installed; ``pip install 'rnn-ref[notebooks]'`` installs it.
        """
        from rnn_ref.inspection.trace_table import table

        return table(self.layers.values())

    def save(self, path) -> Path:
        """Write everything to an ``.npz`` file, which NumPy alone can also read.

        Examples
        --------
        >>> import numpy as np, rnn_ref, tempfile
        >>> seen = rnn_ref.trace(rnn_ref.layers.LSTM(4, name="lstm"), np.ones((2, 7, 3)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = seen.save(f"{folder}/seen.npz")
        ...     again = type(seen).load(path)
        >>> again
        <Trace
          lstm (LSTM): input, forget, candidate, output, hidden, cell; B=2, T=7, H=4>
        """
        from rnn_ref.inspection.trace_files import save

        return save(self, path)

    @staticmethod
    def load(path) -> Trace:
        """Read what :meth:`save` wrote."""
        from rnn_ref.inspection.trace_files import load

        return load(path)

    def __repr__(self):
        lines = [f"  {repr(layer)[len('<LayerTrace ') : -1]}" for layer in self.layers.values()]
        return "\n".join(["<Trace", *lines, *(f"  note: {note}" for note in self.notes)]) + ">"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{escape(layer.layer_class)}</td><td>{escape(layer.contents())}</td>"
            f"<td>{escape(layer.size_text())}</td></tr>"
            for name, layer in self.layers.items()
        )
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return (
            "<table><thead><tr><th>layer</th><th>class</th><th>besides inputs and outputs</th><th>sizes</th></tr>"
            f"</thead><tbody>{rows}</tbody></table>" + (f"<ul>{notes}</ul>" if notes else "")
        )


@guarded
def trace(
    model,
    x,
    *,
    layers=None,
    gates=None,
    every: int = 1,
    preactivations: bool = True,
    training: bool = False,
    mask=None,
    **arguments,
) -> Trace:
    """Run a model or a layer, and keep what its layers did: inputs, outputs, and everything inside recurrent ones.

    Parameters
    ----------
    model : Model, Sequential or layer
    x : ndarray, (B, T, F)
        Or what else the model takes; a list or dict for several inputs.
    layers : str or list of str, optional
        Keep these layers only, and those inside them.
    gates : str or list of str, optional
        Keep only these gates (with their pre-activations) and states: ``["forget", "cell"]``.
    every : int
        Keep one in this many time steps. With this, ``gates`` or ``layers``, a long sequence runs in pieces, and takes
        little more memory than what is kept and what the layers return.
    preactivations : bool
        Keep the argument of each activation.
    training : bool
        Run with dropout, as in ``fit``; the masks are kept.
    mask : ndarray of bool, (B, T), optional
    **arguments
        For the call of the model or layer, such as ``initial_state=...``.

    Returns
    -------
    Trace
        ``trace["lstm"].gates["forget"]`` is ``(B, T, H)``. Nothing is copied unnecessarily: inputs may be a view of
        ``x`` itself. Stateful layers continue from here, as after any call.

    Raises
    ------
    TypeError
        If this is not a model or layer.
    ValueError
        If there is no layer, gate or state with that name, or nothing in the model to run.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> model = rnn_ref.Sequential([rnn_ref.layers.LSTM(4, name="memory"), rnn_ref.layers.Dense(1, name="out")])
    >>> seen = rnn_ref.trace(model, np.ones((2, 7, 3)))
    >>> seen
    <Trace
      memory (LSTM): input, forget, candidate, output, hidden, cell; B=2, T=7, H=4
      out (Dense): B=2, F=4, H=1>
    >>> seen["memory"].gates["forget"].shape
    (2, 7, 4)
    """
    if not isinstance(model, Layer) or isinstance(model, (Cell, StackedRNNCells)):
        raise TypeError(f"trace takes a model or a layer, got {model!r}; put a cell into a layer: RNN(cell).")
    if isinstance(every, bool) or not isinstance(every, (int, np.integer)) or every < 1:
        raise ValueError(f"trace: every={every!r} must be a whole number from 1 on.")
    if hasattr(model, "walk_layers") and model.built is False and not model.layers:
        raise ValueError(f"trace: {model.name} was never built: it has no layers yet.")
    wanted = Wanted(_names(layers), _names(gates), int(every), bool(preactivations))
    if wanted.names is not None:
        _check_gates(model, wanted.names)
    look_for_nan(x, f"{model.name}: x")
    log = Log()
    watcher = Watcher(wanted, log)
    if hasattr(model, "walk_layers"):
        outputs, *_ = model.run(x, mask=mask, training=training, walk=watcher, **arguments)
    else:
        watcher.training = training
        tensors = replace_entries(x, watcher.tensor) if _several(x) else watcher.tensor(x)
        given = arguments if mask is None else arguments | {"mask": mask}
        outputs = replace_entries(watcher.call(model, tensors, given), lambda tensor: tensor.value)
    for name in wanted.layers or ():
        if name not in log.paths:
            raise ValueError(f"trace: no layer of {model.name} is named {name!r}; there are {', '.join(log.paths)}.")
    return Trace(log.traces, converted(outputs, to_numpy), log.notes)


def _several(x) -> bool:
    return isinstance(x, (list, tuple, dict)) and all(hasattr(entry, "shape") for entry in entries(x))


def _names(given) -> tuple[str, ...] | None:
    return None if given is None else (given,) if isinstance(given, str) else tuple(given)


def _check_gates(model, names: tuple[str, ...]) -> None:
    """Check, before a long run, that every name is that of a gate or state of some cell."""
    known = list(dict.fromkeys(name for cell in _cells(model) for name in (*_gate_names(cell), *cell.STATES)))
    for name in names:
        if name not in known:
            raise ValueError(
                f"trace: no gate or state of {model.name} is named {name!r}; there are {', '.join(known) or 'none'}."
            )


def _gate_names(cell) -> tuple[str, ...]:
    return cell.GATES if getattr(cell, "blocks", 0) > 1 else ()


def _cells(layer) -> Iterator:
    if isinstance(layer, RNN):
        yield from getattr(layer.cell, "cells", [layer.cell])
    else:
        for inner in layer.sublayers():
            yield from _cells(inner)


def _opened(layer, record):
    """The tape of a layer's own computation inside a subclass's ``call``."""
    if isinstance(getattr(record, "tape", None), CallTape):  # with gradients beside it
        return replace(record, tape=_opened(layer, record.tape))
    if not isinstance(record, CallTape):
        return record
    if len(record.inner) != 1:
        raise ValueError(
            f"{layer.name}: the call of {type(layer).__name__} runs what it overrides {len(record.inner)} times; gates "
            "and states can be shown where it does so once."
        )
    return record.inner[0].tape


def recurrent(runs: Iterable, prefix: str = "") -> Iterator[tuple]:
    """Name, layer, and tape (or flow) of the recurrent layers that ran, in order.

    Layers in a model are named with the path to them, ``"encoder/lstm"``; the second run of a layer is ``"lstm#2"``.
    """
    counts: dict[str, int] = {}
    for layer, record in runs:
        count = counts[layer.name] = counts.get(layer.name, 0) + 1
        name = f"{prefix}{layer.name}" + (f"#{count}" if count > 1 else "")
        if isinstance(layer, RNN):
            yield name, layer, _opened(layer, record)
        elif isinstance(layer, Bidirectional):
            both = record.values() if isinstance(record, dict) else (record.forward, record.backward)
            yield from recurrent(zip(layer.directions, both), f"{name}/")
        elif isinstance(layer, TimeDistributed):  # its batch is (B*T, ...)
            inner = record.inner
            if not isinstance(getattr(inner, "tape", inner), list):
                yield from recurrent([(layer.layer, inner)], f"{name}/")
            elif list(_cells(layer)):
                raise ValueError(f"{layer.name}: {STEPS_APART}")
        elif hasattr(layer, "walk_layers"):
            yield from recurrent(record.runs() if hasattr(record, "runs") else record, f"{name}/")
