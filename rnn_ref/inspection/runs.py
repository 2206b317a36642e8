"""Runs of a model for inspection: every recurrent cell with its tape, and no side effects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rnn_ref.inspection.on_host import on_host
from rnn_ref.inspection.tracing import recurrent
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.custom_cell import CustomCell
from rnn_ref.layers.layer import Layer
from rnn_ref.layers.recurrent import RNN


@contextmanager
def undisturbed(model):
    """Restore the states of ``stateful`` layers afterwards."""
    before = [(layer, layer.states) for layer in _stateful(model)]
    try:
        yield
    finally:
        for layer, states in before:
            layer.states = states


def _stateful(layer) -> Iterator[RNN]:
    if isinstance(layer, RNN):
        yield layer
    else:
        for inner in layer.sublayers():
            yield from _stateful(inner)


def run_undisturbed(model, x) -> list[tuple]:
    """The layers that ran, on any device, with their tapes as NumPy arrays."""
    if not isinstance(model, Layer):
        raise TypeError(f"expected a model or a layer, got {type(model).__name__}.")
    with undisturbed(model):
        _, tape = model.forward(x)
    tape = on_host(tape)
    return list(tape.runs()) if hasattr(tape, "runs") else [(model, tape)]


def cells_inside(cell, tape) -> list[tuple]:
    """The cells of a stack with their tapes; nothing for other cells."""
    return list(zip(cell.cells, tape.tapes)) if hasattr(cell, "cells") else []


def one_cell(runs: list, layer: str | None, where: str) -> tuple:
    """Name, cell and tape of the named recurrent layer, or of the only one.

    A layer of stacked cells counts as one; its cells have names too: ``"rnn/lstm_cell"``.
    """
    found, layers = {}, []
    for name, rnn, tape in recurrent(runs):
        layers.append(name)
        found[name] = (rnn.cell, tape)
        for cell, inner in cells_inside(rnn.cell, tape):
            found[f"{name}/{cell.name.rpartition('/')[2]}"] = (cell, inner)
    if not found:
        raise ValueError(f"{where} has no recurrent layer.")
    if layer is None and len(layers) > 1:
        raise ValueError(f"{where} has {len(layers)} recurrent layers; choose one with layer=: {', '.join(found)}.")
    name = layers[0] if layer is None else layer
    if name not in found:
        raise ValueError(f"{where}: no recurrent layer is named {name!r}; there are {', '.join(found)}.")
    return name, *found[name]


def built_cells(model, what: str) -> Iterator[tuple[str, Layer]]:
    """Every recurrent cell of a model or layer with its name, as in a trace; nothing is run.

    Raises
    ------
    ValueError
        If weights are still missing.
    """
    if not isinstance(model, Layer):
        raise TypeError(f"{what}: expected a model or a layer, got {type(model).__name__}.")
    if hasattr(model, "walk_layers") and model.built is False and not model.layers:
        raise ValueError(f"{what}: {model.name} was never built: it has no layers yet.")
    inside = model.sublayers() if hasattr(model, "walk_layers") else [model]
    for name, cell in _cells(inside, ""):
        if not cell.built:
            raise ValueError(
                f"{what}: {model.name} was never built, so {name} has no weights. Run it on data first, or call "
                "build(input_shape)."
            )
        yield name, cell


def _cells(layers, prefix: str) -> Iterator[tuple[str, Layer]]:
    for layer in layers:
        name = f"{prefix}{layer.name.rpartition('/')[2]}"
        if isinstance(layer, (Cell, CustomCell)):
            yield name, layer
        elif not isinstance(layer, RNN):
            yield from _cells(layer.sublayers(), f"{name}/")
        elif hasattr(layer.cell, "cells"):
            yield from _cells(layer.cell.cells, f"{name}/")
        else:
            yield name, layer.cell
