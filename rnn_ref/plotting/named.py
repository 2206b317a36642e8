"""Colours and titles of gates and states, the same in all pictures."""

from __future__ import annotations

import zlib

from rnn_ref.inspection.expressions import Writer
from rnn_ref.plotting.shared import COLOURS, GATE_COLOURS

STATE_COLOURS = {"hidden": "#000000", "cell": "#7A5195"}
TITLES = {
    "input": "input gate $i$",
    "forget": "forget gate $f$",
    "candidate": "candidate $g$",
    "output": "output gate $o$",
    "update": "update gate $z$",
    "reset": "reset gate $r$",
    "hidden": "hidden state $h$",
    "cell": "cell state $c$",
}


def colour_of(name: str) -> str:
    """The colour of a gate or a state; those of cells written as equations may have any name."""
    known = GATE_COLOURS | STATE_COLOURS
    return known.get(name) or COLOURS[zlib.crc32(name.encode()) % (len(COLOURS) - 1)]  # black is the hidden state's


def title_of(layer, name: str) -> str:
    """The title, with the symbol in this layer's equations."""
    symbol = next((symbol for symbol, _, given in layer.equations if given == name), None)
    if symbol is None:
        return TITLES.get(name, name) if not layer.equations else name
    written = Writer(latex=True, functions={}, symbols={symbol: (symbol, symbol)}, digits=None).symbol(symbol)
    kind = " state" if name in layer.states else "" if name == "candidate" else " gate"
    return f"{name}{kind} ${written}$"
