"""A walk over a model that inspects every layer, and keeps what was asked for.

What a layer did is read off its tape as soon as it has run, so that only one tape is held at a time. Without limits
the arrays are views of the tapes. With limits, recurrent layers run over pieces of the sequence, with the states
passed from piece to piece, and only what is wanted is copied from each piece's tape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from rnn_ref.device import converted, device, to_numpy, xp
from rnn_ref.inspection.known_cells import is_known, kind_of
from rnn_ref.inspection.layer_ends import batch_first, each_of, extras_of, folded, in_order, values_of
from rnn_ref.inspection.layer_trace import LayerTrace, make
from rnn_ref.inspection.on_host import on_host
from rnn_ref.layers.autodiff import CallTape
from rnn_ref.layers.bidirectional import Bidirectional
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.recurrent import RNN
from rnn_ref.layers.time_distributed import TimeDistributed
from rnn_ref.models.walk import Walk

PIECE = 2**20  # numbers on the tape of a piece of time
BLOCK = 192  # time steps come in multiples of this, and so of every block that kernels divide time into


@dataclass(frozen=True)
class Wanted:
    """What to keep.

    Attributes
    ----------
    layers, names : tuple of str, or None for all
        Paths of layers; names of gates and states.
    every : int
        Keep one in this many time steps.
    preactivations : bool
    """

    layers: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    every: int = 1
    preactivations: bool = True

    @property
    def everything(self) -> bool:
        """Whether all arrays of a layer are kept whole, so that they can be views of its tape."""
        return self.names is None and self.every == 1

    def layer(self, path: str) -> bool:
        return self.layers is None or any(path == name or path.startswith(f"{name}/") for name in self.layers)

    def array(self, name: str) -> bool:
        return self.names is None or name in self.names


@dataclass
class Log:
    """The results: traces by path, notes, and all paths."""

    traces: dict[str, LayerTrace] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


STEPS_APART = (
    "what is inside ran step by step, and cannot be seen: it mixes samples, has an activity_regularizer, or a call of "
    "its own. If that call does not mix samples, say mixes_samples = False in its class."
)


class Watcher(Walk):
    """A walk that records traces instead of steps.

    Parameters
    ----------
    wanted : Wanted
    log : Log
        Shared with the walks of models inside.
    prefix : str
        Prefix of the names of layers: "" or "encoder/".
    """

    def __init__(self, wanted: Wanted, log: Log, prefix: str = ""):
        super().__init__()
        self.wanted, self.log, self.prefix = wanted, log, prefix
        self._counts: dict[str, int] = {}
        self._paths: list[str] = []  # paths of the calls now running

    def call(self, layer, inputs, arguments: dict | None = None):
        count = self._counts[layer.name] = self._counts.get(layer.name, 0) + 1
        path = f"{self.prefix}{layer.name}" + (f"#{count}" if count > 1 else "")
        self._paths.append(path)
        # Before the layers inside it, though it ends after them.
        self.log.traces[path] = None
        outputs = super().call(layer, inputs, arguments)
        step = self.steps.pop()
        x, y, mask = (
            converted(values_of(s, a), to_numpy)
            for s, a in ((step.inputs, "value"), (step.outputs, "value"), (step.inputs, "mask"))
        )
        tape = on_host(step.tape)
        with device("cpu"):  # NumPy arrays are kept, wherever the model runs
            for name, seen in self.traces_of(layer, tape, x, y, mask, self._paths.pop()):
                self.log.traces[name] = seen
        if self.log.traces[path] is None:
            del self.log.traces[path]
        return outputs

    def options_for(self, layer) -> dict:
        return self._options(layer, self._paths[-1])

    def _options(self, layer, path: str) -> dict:
        if isinstance(layer, RNN):
            return {"run_cell": partial(run_watched, partial(self._wanted_in, path))}
        if isinstance(layer, Bidirectional):
            return {
                "run_cell": partial(
                    run_watched, lambda direction: self._wanted_in(f"{path}/{direction.name}", direction)
                )
            }
        if isinstance(layer, TimeDistributed):
            if layer.runs_apart(self.training):
                return {}
            return self._options(layer.layer, f"{path}/{layer.layer.name}")
        if hasattr(layer, "walk_layers"):
            return {"walk": Watcher(self.wanted, self.log, f"{path}/")}
        return {}

    def _wanted_in(self, path: str, layer) -> list[Wanted | None]:
        """For each cell of a recurrent layer: what to keep of it."""
        return [self.wanted if self.wanted.layer(name) else None for name, _ in cells_of(layer, path)]

    def traces_of(self, layer, tape, x, y, mask, path: str) -> Iterator[tuple[str, LayerTrace]]:
        """The trace of a layer, and of the layers in it, from its tape."""
        self.log.paths.append(path)
        every = self.wanted.every
        called = isinstance(tape, CallTape)
        if isinstance(layer, RNN) and not (called and len(tape.inner) != 1):
            yield from self._recurrent(layer, tape.inner[0].tape if called else tape, x, y, path)
            return
        if self.wanted.layer(path):
            ends = {"inputs": x, "outputs": y}
            if isinstance(layer, Bidirectional):
                ends = {
                    "inputs": batch_first(layer, x),
                    "outputs": in_order(layer, y, layer.forward_layer.go_backwards),
                }
            yield path, make(layer, path, **ends, every=every, **extras_of(layer, tape, x, mask, every))
        if called:
            kind = type(layer).__name__
            self.log.notes.append(f"{path}: {kind} has a call of its own: only what goes in and out can be seen.")
        elif isinstance(layer, Bidirectional):
            ys = (tape.y_forward, layer._turned(tape.y_backward))  # as returned by the layers
            for direction, inner, own in zip(layer.directions, (tape.forward, tape.backward), ys):
                yield from self.traces_of(direction, inner, x, own, mask, f"{path}/{direction.name}")
        elif isinstance(layer, TimeDistributed):
            if isinstance(tape.inner, list):
                self.log.notes.append(f"{path}: {STEPS_APART}")
                return
            fold = partial(folded, count=tape.sizes[0] * tape.sizes[1])
            name = f"{path}/{layer.layer.name}"
            yield from self.traces_of(layer.layer, tape.inner, fold(x), each_of(y, fold), fold(mask), name)
        elif not hasattr(layer, "walk_layers") and layer.sublayers():
            inside = ", ".join(each.name for each in layer.sublayers())
            self.log.notes.append(f"{path}: the layers inside it ({inside}) cannot be seen, only what goes in and out.")

    def _recurrent(self, layer, kept, x, y, path) -> Iterator[tuple[str, LayerTrace]]:
        x, y = batch_first(layer, x), in_order(layer, y, layer.go_backwards)
        every, parts, stacked = self.wanted.every, cells_of(layer, path), hasattr(layer.cell, "cells")
        if stacked:
            self.log.paths += [name for name, _ in parts]
            if self.wanted.layer(path):
                yield path, make(layer, path, inputs=x, outputs=y, every=every, mask=kept.data_mask)
        for (name, cell), seen in zip(parts, kept.parts):
            if seen is None:
                continue
            if not isinstance(cell, Cell):
                kind = type(getattr(cell, "custom", cell)).__name__
                self.log.notes.append(f"{name}: its cell {kind} is custom: it has states, but no gates with names.")
            arrays = dict(seen) | {"own_equations": kind_of(cell) is None}
            if arrays["own_equations"] and is_known(cell):
                arrays["equations"] = cell.named_lines()
            if stacked:  # inputs and outputs are only on the tapes
                outputs = arrays.pop("outputs", seen.get("states", {}).get("hidden"))
                ends = {"inputs": arrays.pop("inputs"), "outputs": outputs}
                made = make(cell, name, **ends, mask=kept.data_mask, go_backwards=layer.go_backwards, **arrays)
                kind = type(getattr(cell, "custom", cell)).__name__
                yield name, replace(made, layer_class=kind)
                continue
            arrays.pop("outputs", None)
            ends = {"inputs": arrays.pop("inputs", x), "outputs": y}
            arrays |= {"mask": kept.data_mask, "go_backwards": layer.go_backwards}
            yield name, make(layer, name, **ends, every=every, **arrays)


def cells_of(layer: RNN, path: str) -> list[tuple]:
    """Path and cell; for stacked cells, those of each."""
    if hasattr(layer.cell, "cells"):
        return [(f"{path}/{cell.name.rpartition('/')[2]}", cell) for cell in layer.cell.cells]
    return [(path, layer.cell)]


# -- a recurrent layer ------------------------------------------------------------------------------------


@dataclass
class Kept:
    """Stands in for a tape.

    Attributes
    ----------
    outputs : ndarray, (T, B, H)
        Or only of the last step, if the layer returns no more.
    final_states : list of ndarray
    mask : ndarray of bool, or None
        Of the steps in ``outputs``.
    parts : list of dict or None
        For each cell, the arrays of a LayerTrace.
    data_mask : ndarray of bool, (B, T'), or None
    """

    outputs: np.ndarray
    final_states: list[np.ndarray]
    mask: np.ndarray | None
    parts: list
    data_mask: np.ndarray | None


def run_watched(wanted_in: Callable, layer, x, states, *, mask=None, training: bool = False, **options) -> Kept:
    """Run the cell as ``cell.run`` does, keeping what is wanted; ``x`` (T, B, F), states (B, H), mask (T, B)."""
    wanted = wanted_in(layer)
    cells = [cell for _, cell in cells_of(layer, "")]
    T, B = x.shape[:2]
    asked = [w for w in wanted if w]
    every = asked[0].every if asked else 1
    built_in = all(isinstance(cell, Cell) for cell in cells)
    length = T if not built_in or (asked and asked[0].everything) else _piece(cells, B)
    stacked = len(cells) > 1 or hasattr(layer.cell, "cells")
    keepers = [w and Keeper(w, T, layer.go_backwards, stacked) for w in wanted]
    whole = layer.return_sequences or length >= T
    outputs = None
    options |= _draw_dropout(cells, x, training, options) if built_in else {"training": training}
    for start in range(0, T, length):
        steps = slice(start, min(start + length, T))
        tapes = _run(cells, x[steps], states, None if mask is None else mask[steps], wanted, options)
        for keeper, cell, tape in zip(keepers, cells, tapes):
            if keeper:
                keeper.take(cell, tape, steps)
        states = [state for tape in tapes for state in tape.final_states]
        last = tapes[-1].outputs
        if length >= T:
            outputs = last
        elif whole:
            outputs = xp.empty((T, *last.shape[1:]), last.dtype) if outputs is None else outputs
            outputs[steps] = last
        else:
            outputs = last[-1:]
            states = [state.copy() for state in states]  # free the tape
    shown = mask
    if mask is not None and not whole:
        shown = mask[-1:] if layer.zero_output_for_mask else mask.any(axis=0, keepdims=True)
    data_mask = None if mask is None else in_data_order(layer, to_numpy(mask))[:, ::every]
    return Kept(outputs, states, shown, [keeper and keeper.arrays for keeper in keepers], data_mask)


def _piece(cells: list, B: int) -> int:
    """The number of time steps in a piece."""
    numbers = B * sum(cell.units * (2 * cell.blocks + 2) for cell in cells)
    return max(1, PIECE // numbers // BLOCK) * BLOCK


def _draw_dropout(cells, x, training: bool, options: dict) -> dict:
    """The masks that ``cell.run`` would draw for each cell: one for the whole sequence, used in every piece."""
    sizes = [x.shape[2], *(cell.units for cell in cells)]
    masks = [cell.dropout_masks(x.shape[1], size, training) for cell, size in zip(cells, sizes)]
    given = {name: options[name] for name in ("x_drop", "h_drop") if options.get(name) is not None}
    return {"masks": [own | given for own in masks]}


def _run(cells, x, states, mask, wanted, options) -> list:
    """The tapes of all cells over a piece of time."""
    states, tapes = list(states), []
    options = dict(options)
    masks = options.pop("masks", [{}] * len(cells))
    constants = options.pop("constants", None)
    for cell, own, w in zip(cells, masks, wanted):
        count = len(cell.state_sizes)
        extra = {"constants": constants} if constants is not None and cell.takes_constants else {}
        first, states = states[:count], states[count:]
        keep_z = bool(w and w.preactivations)
        arguments = options | own | extra | {"keep_z": keep_z}
        tapes.append(cell.run(x, first, mask=mask, **arguments))
        x = tapes[-1].outputs
    return tapes


class Keeper:
    """Collects the wanted arrays of one cell, piece by piece."""

    def __init__(self, wanted: Wanted, T: int, backwards: bool, ends: bool):
        self.wanted, self.T, self.backwards = wanted, T, backwards
        self.ends = ends  # whether to keep inputs and outputs, which are otherwise known from the layer's call
        self.arrays: dict = {}
        self.whole = False

    def take(self, cell, tape, steps: slice) -> None:
        """Read the tape of the time steps ``steps``, in the order of computation."""
        self.whole = self.wanted.everything and steps == slice(0, self.T)
        if steps.start == 0:
            masks = {"inputs": getattr(tape, "x_drop", None), "recurrent": getattr(tape, "h_drop", None)}
            first = [to_numpy(state[0]) for state in tape.states]
            self.arrays = {
                "initial_states": dict(zip(cell.STATES, first if self.whole else [state.copy() for state in first])),
                "dropout": {name: to_numpy(mask).swapaxes(0, 1) for name, mask in masks.items() if mask is not None},
                "times": np.arange(0, self.T, self.wanted.every),
            }
        for group, name, source in self._sources(cell, tape):
            held = self.arrays if group is None else self.arrays.setdefault(group, {})
            held[name] = self._placed(held.get(name), to_numpy(source), steps)

    def _sources(self, cell, tape) -> Iterator[tuple]:
        """Group, name and array ``(T, B, ...)`` of everything wanted."""
        if self.ends or self.whole:
            yield None, "inputs", tape.x.copy() if self.whole else tape.x  # the caller's array
        if self.ends and not isinstance(cell, Cell):  # a built-in cell's output is its hidden state
            yield None, "outputs", tape.outputs
        for name, state in zip(cell.STATES, tape.states):
            if self.wanted.array(name):
                yield "states", name, state[1:]
        if not isinstance(cell, Cell):
            return
        for group, name, array, gate in cell.seen(tape):
            if (group == "gates" or self.wanted.preactivations) and self.wanted.array(gate):
                yield group, name, array

    def _placed(self, held, source, steps: slice):
        """``(B, T', ...)`` in the order of the data, with these steps filled in."""
        if self.whole:
            return (source[::-1] if self.backwards else source).swapaxes(0, 1)
        every = self.wanted.every
        if held is None:
            kept = -(-self.T // every)
            held = np.empty((kept, *source.shape[1:]), source.dtype).swapaxes(0, 1)
        computed = np.arange(steps.start, steps.stop)
        data = self.T - 1 - computed if self.backwards else computed
        inside = data % every == 0
        held.swapaxes(0, 1)[data[inside] // every] = source[inside]
        return held


def in_data_order(layer, array: np.ndarray) -> np.ndarray:
    """Time-major ``(T, B, K)`` in the order of computation -> ``(B, T, K)`` in the order of the data."""
    return (array[::-1] if layer.go_backwards else array).swapaxes(0, 1)
