"""LayerTrace: what one layer did on one batch, as arrays with named axes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np

from rnn_ref.layers.embedding import Embedding
from rnn_ref.named import Named

# Groups of arrays by name, with the singular, and single arrays: everything a trace can hold.
GROUPS = {
    "gates": "gate",
    "preactivations": "pre-activation",
    "projections": "projection",
    "states": "state",
    "initial_states": "initial state",
    "dropout": "dropout mask",
}
SINGLE = ("scores", "mask", "times")


@dataclass(frozen=True, repr=False)
class LayerTrace:
    """One call of one layer.

    Arrays of a recurrent layer are ``(B, T', H)``: sample, kept time step, unit. Time runs in the order of the data,
    even if a layer reads backwards. What a layer does not have is empty, or None.

    Attributes
    ----------
    name : str
        The path to the layer: ``"encoder/lstm"``; the second call of a layer is ``"lstm#2"``.
    layer_class : str
    inputs, outputs : ndarray, or list or dict of ndarray
        The second axis is time, if there is any.
    gates : dict of str to ndarray, (B, T', H)
        LSTM: input, forget, candidate, output; GRU: update, reset, candidate; SimpleRNN: none.
    preactivations : dict of str to ndarray, (B, T', H)
        The argument of each gate's activation (SimpleRNN: under "hidden").
    projections : dict of str to ndarray, (B, T', H)
        GRU: ``projected_state``, which the reset gate multiplies, ``h_{t-1} U_h + b'_h``; or, with
        ``reset_after=False``, ``reset_state``, ``r h_{t-1}``.
    states : dict of str to ndarray, (B, T', H)
        hidden, and for LSTM cell: the states after each step.
    initial_states : dict of str to ndarray, (B, H)
    scores : ndarray, (B, Tq, Tv), of MultiHeadAttention (B, N, Tq, Tv), or None
        For attention: how much of each value went into each output.
    dropout : dict of str to ndarray
        The masks used: recurrent layers have ``inputs`` (B, 1 or G, F) and ``recurrent`` (B, G, H), Dropout has
        ``inputs`` in the shape of its input, attention has ``scores`` (B, Tq, Tv).
    mask : ndarray of bool, (B, T'), or None
        Steps that counted.
    times : ndarray of int, (T',), or None
        Which time steps the arrays hold.
    go_backwards : bool
        Whether the layer read the sequence backwards, so that step t was computed after step t + 1.
    own_equations : bool
        Whether the layer's cell runs equations other than those of SimpleRNN, LSTM or GRU, so that their pictures do
        not apply.
    equations : tuple of (str, str, str)
        For a cell written as equations, each line: symbol, expression, and the gate or state that it gives (``"z
        forget"`` for a pre-activation), or "".
    axes : dict of str to tuple of str
        Names of the axes of every array: ``axes["gates/forget"]`` is ``("sample", "time", "unit")``.
    """

    name: str
    layer_class: str
    inputs: Any = None
    outputs: Any = None
    gates: dict[str, np.ndarray] = field(default_factory=dict)
    preactivations: dict[str, np.ndarray] = field(default_factory=dict)
    projections: dict[str, np.ndarray] = field(default_factory=dict)
    states: dict[str, np.ndarray] = field(default_factory=dict)
    initial_states: dict[str, np.ndarray] = field(default_factory=dict)
    scores: np.ndarray | None = None
    dropout: dict[str, np.ndarray] = field(default_factory=dict)
    mask: np.ndarray | None = None
    times: np.ndarray | None = None
    go_backwards: bool = False
    axes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    own_equations: bool = False
    equations: tuple[tuple[str, str, str], ...] = ()

    def __post_init__(self):
        for group, what in GROUPS.items():
            named = getattr(self, group)
            object.__setattr__(self, group, Named(named, f"{self.name}: no {what}"))

    @property
    def recurrent(self) -> bool:
        """Whether this is a recurrent layer (or a cell of one) with its states."""
        return bool(self.initial_states)

    @property
    def hidden(self) -> np.ndarray:
        return self._state("hidden")

    @property
    def cell(self) -> np.ndarray:
        return self._state("cell")

    def _state(self, name: str) -> np.ndarray:
        # An AttributeError, so that hasattr(trace, "cell") works.
        if name not in self.states:
            why = "it was not kept" if name in self.initial_states else f"a {self.layer_class} has none"
            raise AttributeError(f"{self.name}: there is no {name} state: {why}.")
        return self.states[name]

    def __getattr__(self, name: str) -> np.ndarray:
        """A gate by name: ``seen.forget``."""
        if name in ("hidden", "cell") and "states" in self.__dict__:
            return self._state(name)  # raises an error that says why there is none
        known = self.__dict__.get("gates", {})  # empty while being copied
        if name in known:
            return known[name]
        there = ", ".join([*known, *self.__dict__.get("states", {})]) or "none"
        raise AttributeError(
            f"{self.__dict__.get('name', 'this trace')}: there is no attribute {name!r}; gates and states: {there}."
        )

    def __getitem__(self, name: str) -> np.ndarray:
        """A gate or a state by name."""
        known = self.gates | self.states
        if name not in known:
            raise KeyError(f"{self.name}: no gate or state is named {name!r}; there are {', '.join(known) or 'none'}.")
        return known[name]

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array by its full name: "gates/forget", "states/hidden", "inputs", "mask", ..."""
        found = dict(_named("inputs", self.inputs)) | dict(_named("outputs", self.outputs))
        for group in GROUPS:
            found |= {f"{group}/{name}": array for name, array in getattr(self, group).items()}
        return found | {name: getattr(self, name) for name in SINGLE if getattr(self, name) is not None}

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays; views of the same memory count repeatedly."""
        return sum(array.nbytes for array in self.arrays().values())

    def select(self, *, sample=None, time=None, unit=None) -> LayerTrace:
        """The same trace with only some samples, time steps or units.

        Parameters
        ----------
        sample, time, unit : int, slice, or list of int, optional
            A number removes the axis. ``time`` counts kept steps; ``times`` says which steps of the sequence they are.
            Inputs have features instead of units, and keep them all.

        Returns
        -------
        LayerTrace

        Raises
        ------
        IndexError
            If there is no such sample, time step or unit.

        Examples
        --------
        >>> import numpy as np, rnn_ref
        >>> seen = rnn_ref.trace(rnn_ref.layers.GRU(4, name="gru"), np.ones((2, 7, 3)))["gru"]
        >>> one = seen.select(sample=0, time=slice(5, 7), unit=3)
        >>> one.gates["update"].shape, one.inputs.shape, one.axes["gates/update"]
        ((2,), (2, 3), ('time',))
        """
        wanted = {
            axis: index for axis, index in (("sample", sample), ("time", time), ("unit", unit)) if index is not None
        }
        self._check_indices(wanted)
        axes = {}

        def cut(name: str, array: np.ndarray) -> np.ndarray:
            names = self.axes[name]
            axes[name] = tuple(axis for axis in names if not np.isscalar(wanted.get(axis)))
            for place in range(len(names) - 1, -1, -1):  # from the last axis, so that earlier ones keep their positions
                if names[place] in wanted:
                    array = array[(slice(None),) * place + (wanted[names[place]],)]
            return np.asarray(array)

        changes = {name: _mapped(name, getattr(self, name), cut) for name in ("inputs", "outputs")}
        for group in GROUPS:
            changes[group] = {name: cut(f"{group}/{name}", array) for name, array in getattr(self, group).items()}
        for name in SINGLE:
            array = getattr(self, name)
            changes[name] = None if array is None else cut(name, array)
        return replace(self, **changes, axes=axes)

    def _check_indices(self, wanted: dict) -> None:
        for axis, index in wanted.items():
            # Keys may have other numbers of time steps or features; states and outputs decide.
            sizes = [
                array.shape[self.axes[name].index(axis)]
                for name, array in self.arrays().items()
                if axis in self.axes[name] and not name.startswith("inputs")
            ]
            if not sizes:
                raise IndexError(f"{self.name}: its arrays have no axis {axis!r}.")
            for number in np.atleast_1d(index) if not isinstance(index, slice) else ():
                if not -min(sizes) <= number < min(sizes):
                    raise IndexError(f"{self.name}: {axis}={number}, but it has {axis}s 0 to {min(sizes) - 1}.")

    def to_pandas(self):
        """A long table with one row for each number; see :meth:`Trace.to_pandas`."""
        from rnn_ref.inspection.trace_table import table

        return table([self])

    def size_text(self) -> str:
        """The sizes of the main axes: ``"B=2, T=7, H=4"``."""
        sizes: dict[str, int] = {}
        for name in ("states", "gates", "outputs", "inputs"):
            for full, array in self.arrays().items():
                if full.startswith(name):
                    for axis, size in zip(self.axes[full], array.shape):
                        sizes.setdefault(axis, size)
        letters = {"sample": "B", "time": "T", "feature": "F" if not self.recurrent else None, "unit": "H"}
        return ", ".join(f"{letter}={sizes[axis]}" for axis, letter in letters.items() if letter and axis in sizes)

    def contents(self) -> str:
        """What it holds besides inputs and outputs."""
        parts = [*self.gates, *self.states]
        parts += ["attention scores"] if self.scores is not None else []
        parts += [f"dropout of {name}" for name in self.dropout]
        parts += ["mask"] if self.mask is not None else []
        return ", ".join(parts)

    def __repr__(self):
        contents = self.contents()
        return f"<LayerTrace {self.name} ({self.layer_class}): {contents + '; ' if contents else ''}{self.size_text()}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{' × '.join(escape(f'{axis} {size}') for axis, size in sizes)}</td>"
            f"<td>{array.dtype}</td><td>{_range(array)}</td></tr>"
            for name, array in self.arrays().items()
            for sizes in [list(zip(self.axes[name], array.shape))]
        )
        return (
            f"<table><caption>{escape(self.name)} ({escape(self.layer_class)})</caption>"
            f"<thead><tr><th>array</th><th>axes</th><th>type</th><th>range</th></tr></thead><tbody>{rows}</tbody></table>"
        )


def _range(array: np.ndarray) -> str:
    if not array.size or array.dtype.kind not in "fiu":
        return ""
    return f"{array.min():.3g} to {array.max():.3g}"


def _named(name: str, value) -> Iterator[tuple[str, np.ndarray]]:
    """``("inputs", array)``; in lists and dicts ``("inputs[0]", array)``, ``("inputs[key]", array)``."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _named(f"{name}[{key}]", entry)
    elif isinstance(value, list):
        for k, entry in enumerate(value):
            yield from _named(f"{name}[{k}]", entry)
    elif isinstance(value, np.ndarray):
        yield name, value


def _mapped(name: str, value, function):
    """The same structure with ``function(full name, array)`` for every array."""
    if isinstance(value, dict):
        return {key: _mapped(f"{name}[{key}]", entry, function) for key, entry in value.items()}
    if isinstance(value, list):
        return [_mapped(f"{name}[{k}]", entry, function) for k, entry in enumerate(value)]
    return function(name, value) if isinstance(value, np.ndarray) else value


def make(layer, name: str, *, inputs, outputs, every: int = 1, axes: dict | None = None, **arrays) -> LayerTrace:
    """A LayerTrace with a layer's inputs and outputs, one in ``every`` time steps, with named axes."""
    axes = dict(axes or {})

    def thinned(full: str, array: np.ndarray) -> np.ndarray:
        axes.setdefault(full, axis_names(layer, full, array.ndim))
        if every == 1 or "time" not in axes[full]:
            return array
        return array[:, ::every].copy()  # a copy, so that the whole array can be freed

    inputs, outputs = _mapped("inputs", inputs, thinned), _mapped("outputs", outputs, thinned)
    if arrays.get("times") is None:
        arrays["times"] = _times(dict(_named("outputs", outputs)) | dict(_named("inputs", inputs)), axes, every)
    made = LayerTrace(name, type(layer).__name__, inputs, outputs, axes=axes, **arrays)
    for full, array in made.arrays().items():
        axes.setdefault(full, axis_names(layer, full, array.ndim))
    return made


def _times(arrays: dict, axes: dict, every: int) -> np.ndarray | None:
    lengths = (array.shape[1] for name, array in arrays.items() if "time" in axes[name])
    kept = next(lengths, None)
    return None if kept is None else np.arange(kept) * every


def axis_names(layer, full: str, ndim: int) -> tuple[str, ...]:
    """The meaning of an array's axes, by its position in a trace."""
    return _axis_names(isinstance(layer, Embedding), full, ndim)


@lru_cache
def _axis_names(embedding: bool, full: str, ndim: int) -> tuple[str, ...]:
    if full == "times":
        return ("time",)
    if full == "mask":
        return ("sample", "time")[:ndim]
    if full in ("scores", "dropout/scores"):
        return ("sample", *(["head"] if ndim == 4 else []), "time", "key")
    if full.startswith("dropout/"):
        return ("sample", "gate", "unit" if full.endswith("recurrent") else "feature")
    last = "feature" if full.startswith("inputs") else "unit"
    if full.startswith("initial_states/"):
        return ("sample", *_units(ndim - 1, last))
    if full.startswith("inputs") and embedding and ndim <= 2:
        return ("sample", "time")[:ndim]
    if ndim <= 2:
        return ("sample", last)[:ndim]
    return ("sample", "time", *_units(ndim - 2, last))


def _units(count: int, last: str) -> tuple[str, ...]:
    """``unit``; for states of several axes ``unit, unit_1, ...``."""
    return (last, *(f"{last}_{k}" for k in range(1, count)))[:count]
