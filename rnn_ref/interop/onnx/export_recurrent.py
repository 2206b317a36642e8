"""Recurrent layers as ONNX's RNN, LSTM and GRU, with masks of any kind.

If a layer has a mask, the unmasked steps are moved to the front of each sequence, the operator runs with their number
as ``sequence_lens``, and its outputs are spread over the steps again, with masked steps repeating the previous output.
So a mask may have gaps, and padding may be on either side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref.inspection.known_cells import kind_of
from rnn_ref.inspection.other_frameworks import torch_name
from rnn_ref.interop.onnx.activations import inside
from rnn_ref.interop.onnx.graph import Graph
from rnn_ref.interop.onnx.recurrent_weights import STATES, to_onnx
from rnn_ref.layers import RNN, Bidirectional
from rnn_ref.layers.recurrent_cells import flat_states


class Steps(NamedTuple):
    """A mask, and what follows from it, by name: ``mask (B, T)``; where the steps that count are, ``order (B, T, 1)``;
    how many there are up to each, ``count (B, T)``; in all, ``total (B, 1)``, and at least 1 of them, ``lengths (B,)``;
    whether there are any, ``some (B, 1)``.
    """

    mask: str
    order: str
    count: str
    total: str
    lengths: str
    some: str


def steps_of(g: Graph, mask: str) -> Steps:
    count = g.add("CumSum", g.cast(mask, "int64"), g.constant(1, "int64"))
    total = g.slice(count, 1, -1, 2**62)
    T = g.size(mask, 1)
    # Sorting the largest numbers first puts unmasked steps first, each kind in the order of time.
    place = g.add("CumSum", g.add("Expand", g.ints(1), g.add("Shape", mask)), g.constant(1, "int64"))
    key = g.add("Sub", g.add("Where", mask, g.add("Mul", T, g.ints(2)), T), place)
    _, order = g.add("TopK", key, T, outputs=2, axis=1)
    lengths = g.cast(g.squeeze(g.add("Max", total, g.ints(1)), 1), "int32")
    some = g.add("Greater", total, g.ints(0))
    return Steps(mask, g.unsqueeze(order, 2), count, total, lengths, some)


def take(g: Graph, sequence: str, steps: str) -> str:
    """``sequence (B, T, F)`` at the steps ``(B, T, 1)`` of each sample."""
    return g.add("GatherND", sequence, steps, batch_dims=1)


class Cells(NamedTuple):
    """One cell, or two that read in opposite directions, as one operator."""

    kind: str
    cells: list
    reverse: bool


def operator(g: Graph, own: Cells, x: str, lengths: str, initial: list[list[str]], owner) -> list[str]:
    """``x (B, T, F)`` -> ``Y (T, D, B, H)``, then the final states ``(D, B, H)``."""
    kind, cells = own.kind, own.cells
    owner = owner.name
    weights = [_weights(kind, cell) for cell in cells]
    found = [[inside(getattr(cell, a), owner) for a in _activations(kind)] for cell in cells]
    used = [f for each in found for f in each]
    attributes = {
        "hidden_size": cells[0].units,
        "direction": "bidirectional" if len(cells) == 2 else "reverse" if own.reverse else "forward",
        "activations": [f.name for f in used],
    }
    for what in ("alpha", "beta"):
        numbers = [float(number) for f in used for number in getattr(f, what)]
        if numbers:
            attributes[f"activation_{what}"] = numbers
    if kind == "GRU":
        attributes["linear_before_reset"] = int(cells[0].reset_after)
    W, R, B = (
        "" if parts[0] is None else g.constant(np.stack(parts), wish=wish) for wish, parts in zip("WRB", zip(*weights))
    )
    states = ["", ""]
    for k in range(STATES[kind]):
        given = [states_of[k] for states_of in initial]
        if all(given):
            parts = [g.unsqueeze(name, 0) for name in given]
            states[k] = parts[0] if len(parts) == 1 else g.add("Concat", *parts, axis=0)
    inputs = [g.transpose(x, 1, 0, 2), W, R, B, lengths, *states[: STATES[kind]]]
    while not inputs[-1]:
        inputs.pop()
    return g.add(kind, *inputs, outputs=1 + STATES[kind], **attributes)


def _activations(kind: str) -> tuple[str, ...]:
    if kind == "LSTM":
        return ("recurrent_activation", "activation", "activation")
    return ("recurrent_activation", "activation") if kind == "GRU" else ("activation",)


def _weights(kind: str, cell) -> tuple:
    bias = None if cell.bias is None else cell.bias.numpy()
    return to_onnx(kind, cell.kernel.numpy(), cell.recurrent_kernel.numpy(), bias, getattr(cell, "reset_after", False))


def cells_of(layer: RNN) -> list:
    """The cells of a layer, from the lowest up; all of them known."""
    cells = list(getattr(layer.cell, "cells", [layer.cell]))
    for cell in cells:
        if kind_of(cell) is None:
            raise NotImplementedError(
                f"{layer.name}: the cell {type(getattr(cell, 'custom', cell)).__name__} is none of SimpleRNN, LSTM "
                "and GRU, "
                "and ONNX has no operator for any other."
            )
    return cells


class Read(NamedTuple):
    """What one direction gives: outputs ``(B, T, H)`` in the order of the data, the last one and the states ``(B, "
    "H)``."""

    sequence: str
    last: str
    states: list[str]


def read(
    g: Graph, layer, directions: list[tuple[list, bool]], x: str, steps: Steps | None, initial: list[list]
) -> list:
    """Run directions, each a stack of cells and whether it reads backwards; ``initial`` has the states of each."""
    together = len(directions) == 2 and all(len(cells) == 1 for cells, _ in directions)
    if together:
        (first,), (second,) = (cells for cells, _ in directions)
        alike = kind_of(first) is kind_of(second) and first.units == second.units and first.use_bias == second.use_bias
        alike = alike and getattr(first, "reset_after", 0) == getattr(second, "reset_after", 0)
        together = alike and not directions[0][1] and all(initial[0]) == all(initial[1])
    if together:
        kind = torch_name(first)
        Y, *states = operator(g, Cells(kind, [first, second], False), x, _lengths(steps), initial, layer)
        Y = g.transpose(Y, 2, 0, 1, 3)  # (B, T, D, H)
        found = []
        for d in range(2):
            own = [g.squeeze(g.slice(s, 0, d, d + 1), 0) for s in states]
            found.append(_finished(g, g.squeeze(g.slice(Y, 2, d, d + 1), 2), own, steps, initial[d]))
        return found
    return [_stack(g, layer, cells, back, x, steps, given) for (cells, back), given in zip(directions, initial)]


def _lengths(steps: Steps | None) -> str:
    return "" if steps is None else steps.lengths


def _stack(g: Graph, layer, cells: list, back: bool, x: str, steps: Steps | None, initial: list) -> Read:
    states: list[str] = []
    place, done = 0, None
    for cell in cells:
        kind = torch_name(cell)
        given = initial[place : place + STATES[kind]]
        place += STATES[kind]
        Y, *final = operator(g, Cells(kind, [cell], back), x, _lengths(steps), [given], layer)
        x = g.squeeze(g.transpose(Y, 2, 0, 1, 3), 2)
        done = _finished(g, x, [g.squeeze(s, 0) for s in final], steps, given)
        states += done.states
    return Read(done.sequence, done.last, states)


def _finished(g: Graph, sequence: str, states: list[str], steps: Steps | None, initial: list) -> Read:
    """If no step counts, the states remain those given, or zero."""
    if steps is None:
        return Read(sequence, states[0], states)
    last = g.add("Where", steps.some, states[0], g.zero())
    states = [g.add("Where", steps.some, s, given or g.zero()) for s, given in zip(states, initial)]
    return Read(sequence, last, states)


def spread(g: Graph, sequence: str, steps: Steps, back: bool, zero_output: bool) -> str:
    """Outputs of the steps that count, moved to the front ``(B, T, H)``, at their own places again.

    A step that does not count repeats the one that was computed before it: the next one for a layer that reads
    backwards.
    """
    before = g.add("Sub", steps.count, g.ints(1))
    source = g.add("Where", steps.mask, before, steps.count) if back else before
    if zero_output:
        shown = steps.mask
    else:
        shown = g.add("Less", source, steps.total) if back else g.add("GreaterOrEqual", source, g.ints(0))
    source = g.add("Min", g.add("Max", source, g.ints(0)), g.add("Sub", g.size(steps.mask, 1), g.ints(1)))
    y = take(g, sequence, g.unsqueeze(source, 2))
    return g.add("Where", g.unsqueeze(shown, 2), y, g.zero())


def last_output(g: Graph, found: Read, steps: Steps | None, back: bool, zero_output: bool) -> str:
    """The last computed output; with ``zero_output`` it is 0 if that step is masked."""
    if steps is None or not zero_output:
        return found.last
    counts = g.slice(steps.mask, 1, 0, 1) if back else g.slice(steps.mask, 1, -1, 2**62)
    return g.add("Where", counts, found.last, g.zero())


def recurrent(g: Graph, layer: RNN | Bidirectional, inputs, arguments: dict) -> list[tuple[str, str | None]]:
    """An ``RNN`` (SimpleRNN, LSTM, GRU) or a ``Bidirectional``; outputs with their masks."""
    both = isinstance(layer, Bidirectional)
    parts = layer.directions if both else [layer]
    if any(part.stateful for part in parts):
        raise NotImplementedError(
            f"{layer.name}: stateful=True; a graph keeps nothing from call to call. Make a model that takes the "
            "states as "
            "inputs (initial_state) and returns them (return_state)."
        )
    given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    value, *states = given
    states = states or flat_states(arguments.get("initial_state") or [])
    mask = arguments["mask"].name if "mask" in arguments else value.mask
    if "mask" in arguments and arguments["mask"].dtype != "bool":
        mask = g.cast(mask, "bool")
    x, shown = g.as_dtype(value, layer.dtype), mask
    if layer.time_major:
        x, mask = g.transpose(x, 1, 0, 2), mask and g.transpose(mask, 1, 0)
    if len(value.shape) != 3:
        raise NotImplementedError(
            f"{layer.name}: inputs of shape {value.shape}; ONNX's operators take (batch, time, features)."
        )
    names = [g.as_dtype(s, layer.dtype) for s in states]
    counts = [len(part.cell.state_sizes) for part in parts]
    initial = [names[: counts[0]] or [""] * counts[0], *([names[counts[0] :] or [""] * counts[1]] if both else [])]
    steps = steps_of(g, mask) if mask else None
    x = x if steps is None else take(g, x, steps.order)
    directions = [(cells_of(part), part.go_backwards) for part in parts]
    found = read(g, layer, directions, x, steps, initial)
    outputs = []
    for part, each in zip(parts, found):
        if not layer.return_sequences:
            outputs.append(last_output(g, each, steps, part.go_backwards, part.zero_output_for_mask))
            continue
        y = each.sequence
        if steps is not None:
            y = spread(g, y, steps, part.go_backwards, part.zero_output_for_mask)
        # Outputs are in the order in which they were computed; those of the backward layer are reversed again.
        turned = both and part is layer.backward_layer
        y = g.flip(y, 1) if part.go_backwards != turned else y
        outputs.append(g.transpose(y, 1, 0, 2) if layer.time_major else y)
    y_mask = shown if layer.return_sequences else None
    if both:
        outputs = _merge(g, layer, *outputs)
    final = [(state, None) for each in found for state in each.states] if layer.return_state else []
    return [*((y, y_mask) for y in outputs), *final]


def _merge(g: Graph, layer: Bidirectional, a: str, b: str) -> list[str]:
    match layer.merge_mode:
        case None:
            return [a, b]
        case "concat":
            return [g.add("Concat", a, b, axis=-1)]
        case "mul":
            return [g.add("Mul", a, b)]
    total = g.add("Add", a, b)
    return [total if layer.merge_mode == "sum" else g.add("Mul", total, g.constant(0.5, layer.dtype))]
