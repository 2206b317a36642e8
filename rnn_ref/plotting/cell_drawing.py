"""One step of SimpleRNN, LSTM or GRU as a graph: boxes, nodes and arrows with the numbers of one unit.

A cell written as equations is drawn as its lines, each with its number.
"""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from rnn_ref.equations.activations import NAMES
from rnn_ref.inspection.expressions import Writer
from rnn_ref.plotting.shared import GATE_COLOURS

STEP = 2.9  # inches from one cell to the next
LEFT, RIGHT = 0.1, 2.5  # a cell's borders, within its step
INPUT, BUS = 0.3, 0.45  # where x_t comes in, and the line from which the gates read
INK = "#333333"


def cell_numbers(layer, sample: int, unit: int, t: int, where: str) -> dict[str, float]:
    """Gates, pre-activations, and states before and after step t, of one unit."""
    if layer.mask is not None and not layer.mask[sample, t]:
        raise ValueError(f"{where}: step {t} of sample {sample} is masked; {layer.name} does nothing in it.")
    need_every_step(layer, where)
    before, first = (t + 1, layer.hidden.shape[1]) if layer.go_backwards else (t - 1, -1)
    found = {name: array[sample, t, unit] for name, array in layer.gates.items()}
    found |= {f"z {name}": array[sample, t, unit] for name, array in layer.preactivations.items()}
    for name, states in layer.states.items():
        found[name] = states[sample, t, unit]
        old = layer.initial_states[name][sample] if before == first else states[sample, before]
        found[f"{name} before"] = old[unit]
    if layer.equations:
        return found
    if "cell" in found:
        state, expected = found["cell"], found["forget"] * found["cell before"] + found["input"] * found["candidate"]
    elif "update" in found:
        z = found["update"]
        state, expected = found["hidden"], z * found["hidden before"] + (1 - z) * found["candidate"]
    else:
        return found
    if abs(state - expected) > 1e-3 * (1 + abs(state)):
        raise ValueError(
            f"{where}: in {layer.name}, step {t} does not follow from the state before it; is the trace a part of a "
            "longer one?"
        )
    return found


def need_every_step(layer, where: str) -> None:
    """Raise if a trace leaves out steps, so that the state before a step is unknown."""
    if layer.times is not None and not np.array_equal(layer.times, np.arange(len(layer.times))):
        raise ValueError(f"{where}: the trace of {layer.name} leaves steps out; trace without every=.")


def drawing_of(layer, where: str) -> tuple:
    """The function that draws this layer's cell, and its height.

    Raises
    ------
    ValueError
        If it is not a SimpleRNN, LSTM or GRU, or written as equations.
    """
    if layer.equations:
        return _written(layer)
    if layer.own_equations:
        raise ValueError(f"{where} draws SimpleRNN, LSTM and GRU; the cell of {layer.name} is custom.")
    if tuple(layer.gates) not in CELLS or not (layer.gates or layer.preactivations):
        gates = f"has the gates {', '.join(layer.gates)}" if layer.gates else "is without pre-activations"
        raise ValueError(
            f"{where} draws SimpleRNN, LSTM and GRU; the trace of {layer.name} ({layer.layer_class}) {gates}."
        )
    return CELLS[tuple(layer.gates)]


def features(x) -> str:
    """A short vector, or the beginning of a long one."""
    x = np.ravel(x)
    shown = ", ".join(number(v) for v in x[:3])
    return shown if len(x) == 1 else f"[{shown}{', …' if len(x) > 3 else ''}]"


def number(value) -> str:
    """Two decimals, a real minus sign, and no negative zero."""
    return f"{round(float(value), 2) + 0.0:.2f}".replace("-", "−")


# -- the three cells: positions in inches within a step ---------------------------------------------------


def _simple_rnn(pen, n) -> None:
    pen.state_in("h", n["hidden before"], 1.1, 0.7)
    pen.arrow([(INPUT, 0.25), (INPUT, 0.7), (0.82, 0.7), (0.82, 0.98)])
    pen.node(0.82, 1.1, "+")
    pen.label(0.95, 0.72, f"$x_tW + h_{{{pen.old}}}U + b$", ha="left", va="center")
    pen.arrow([(0.94, 1.1), (1.78, 1.1)])
    pen.label(1.36, 1.15, f"$z$ = {number(n['z hidden'])}")
    pen.node(1.9, 1.1, "$φ$")
    pen.state_out("h", n["hidden"], 1.1, 2.02)


def _lstm(pen, n) -> None:
    top = 2.4
    pen.bus([0.55, 1.1, 1.55, 2.0])
    pen.state_in("h", n["hidden before"], BUS, INPUT, head=False)
    for x, name, symbol in ((0.55, "forget", "f"), (1.1, "input", "i"), (1.55, "candidate", "g"), (2.0, "output", "o")):
        pen.gate(x, symbol, n[name], GATE_COLOURS[name])
    pen.state_in("c", n["cell before"], top, 0.43)
    pen.node(0.55, top, "×")
    pen.arrow([(0.55, 1.07), (0.55, top - 0.12)])
    pen.node(1.325, 1.55, "×")
    pen.arrow([(1.1, 1.07), (1.1, 1.55), (1.205, 1.55)])
    pen.arrow([(1.55, 1.07), (1.55, 1.55), (1.445, 1.55)])
    pen.node(1.325, top, "+")
    pen.arrow([(1.325, 1.67), (1.325, top - 0.12)])
    pen.label(1.29, 1.98, f"$ig$ = {number(n['input'] * n['candidate'])}", ha="right", va="center")
    pen.arrow([(0.67, top), (1.205, top)])
    pen.label(0.94, top + 0.16, f"$f\\,c_{{{pen.old}}}$ = {number(n['forget'] * n['cell before'])}")
    pen.state_out("c", n["cell"], top, 1.445)
    pen.node(2.0, 1.95, "$φ$")
    pen.arrow([(2.0, top), (2.0, 2.07)])
    pen.node(2.0, 1.5, "×")
    pen.arrow([(2.0, 1.83), (2.0, 1.62)])
    if n["output"]:
        pen.label(2.04, 1.72, number(n["hidden"] / n["output"]), ha="left", va="center")
    pen.arrow([(2.0, 1.07), (2.0, 1.38)])
    pen.arrow([(2.12, 1.5), (2.36, 1.5), (2.36, BUS)], head=False)
    pen.state_out("h", n["hidden"], BUS, 2.36)


def _gru(pen, n) -> None:
    top = 2.4
    pen.state_in("h", n["hidden before"], top, 0.58)
    pen.arrow([(INPUT, top), (INPUT, BUS)], head=False)
    pen.bus([0.7, 1.35, 1.95])
    for x, name, symbol in ((0.7, "update", "z"), (1.35, "reset", "r"), (1.95, "candidate", "g")):
        pen.gate(x, symbol, n[name], GATE_COLOURS[name])
    pen.arrow([(1.53, 0.85), (1.77, 0.85)])  # the reset gate acts inside the candidate, on what comes from h_{t-1}
    pen.node(0.7, top, "×")
    pen.arrow([(0.7, 1.07), (0.7, top - 0.12)])
    pen.node(1.95, 1.7, "×")
    pen.arrow([(1.95, 1.07), (1.95, 1.58)])
    pen.arrow([(0.7, 1.7), (1.83, 1.7)])
    pen.label(1.3, 1.75, f"$1-z$ = {number(1 - n['update'])}")
    pen.node(1.95, top, "+")
    pen.arrow([(1.95, 1.82), (1.95, top - 0.12)])
    pen.label(1.91, 2.05, f"$(1-z)\\,g$ = {number((1 - n['update']) * n['candidate'])}", ha="right", va="center")
    pen.arrow([(0.82, top), (1.83, top)])
    pen.label(1.32, top + 0.05, f"$z\\,h_{{{pen.old}}}$ = {number(n['update'] * n['hidden before'])}")
    pen.state_out("h", n["hidden"], top, 2.07)


LINE = 0.21  # inches from one line of text to the next
LONGEST = 30  # characters of an expression before it continues on the next line


def _written(layer) -> tuple:
    """The function that draws the lines of a cell written as equations, and its height."""
    write = Writer(latex=True, functions={name: name for name in NAMES}, symbols={}, digits=None)
    rows = []
    for symbol, expression, name in layer.equations:
        first, *more = _pieces(expression)
        rows.append((f"${write.symbol(symbol)} = {_mathtext(first, write)}$", name))
        rows += [(rf"$\quad {_mathtext(piece, write)}$", None) for piece in more]
    top = 0.85 + LINE * len(rows)

    def draw(pen, n) -> None:
        pen.state_in(_hidden(layer), n["hidden before"], BUS, INPUT)
        pen.arrow([(INPUT, 0.25), (INPUT, BUS)], head=False)
        for k, (text, name) in enumerate(rows):
            y = top - 0.2 - LINE * k
            text = text.replace("{t-1}", f"{{{pen.old}}}")
            pen.label(LEFT + 0.12, y, text, ha="left", va="center", fontsize=8)
            if name in n:
                pen.label(RIGHT - 0.08, y, number(n[name]), ha="right", va="center", fontsize=8)
        for k, name in enumerate(list(layer.states)[1:]):  # the hidden state leaves where it enters
            symbol = next(line[0] for line in layer.equations if line[2] == name)
            pen.state_in(symbol, n[f"{name} before"], top - 0.3 - 0.5 * k, LEFT)
            pen.state_out(symbol, n[name], top - 0.3 - 0.5 * k, RIGHT)
        pen.state_out(_hidden(layer), n["hidden"], BUS, RIGHT - 0.4)

    return draw, top


def _hidden(layer) -> str:
    return next(symbol for symbol, _, name in layer.equations if name == "hidden")


def _pieces(expression: str) -> list[str]:
    """A long expression, split before a plus or minus between its terms."""
    pieces, depth, start = [], 0, 0
    for k, letter in enumerate(expression):
        depth += (letter == "(") - (letter == ")")
        at_term = depth == 0 and expression[k : k + 3] in (" + ", " - ")
        if at_term and k - start and len(expression) - start > LONGEST:
            pieces.append(expression[start:k])
            start = k
    return [*pieces, expression[start:]]


def _mathtext(piece: str, write: Writer) -> str:
    """``+ f * c_prev`` as mathtext; a term that continues from the line above keeps its sign."""
    sign, term = (piece[1], piece[3:]) if piece[:3] in (" + ", " - ") else ("", piece)
    return f"{sign} {write.symbolic(term)}".strip()


# By the names of the gates: how to draw a cell, and how tall it is.
CELLS = {
    (): (_simple_rnn, 1.6),
    ("input", "forget", "candidate", "output"): (_lstm, 2.85),
    ("update", "reset", "candidate"): (_gru, 2.85),
}


class Pen:
    """Boxes, nodes and arrows of step t, which begins ``x0`` inches to the right."""

    def __init__(self, axis, x0: float, t: int, last: bool, backwards: bool = False):
        self.axis, self.x0, self.t, self.last = axis, x0, t, last
        self.before, self.old = (t + 1, "t+1") if backwards else (t - 1, "t-1")

    def label(self, x, y, text, **options):
        options = {"ha": "center", "va": "bottom", "fontsize": 8, "color": INK} | options
        self.axis.text(self.x0 + x, y, text, linespacing=1.1, zorder=5, **options)

    def box(self, left, bottom, right, top):
        self.axis.add_patch(
            FancyBboxPatch(
                (self.x0 + left, bottom), right - left, top - bottom,
                boxstyle="round,pad=0,rounding_size=0.12", facecolor="#F4F4F4", edgecolor="#BBBBBB", zorder=0,
            )
        )  # fmt: skip

    def node(self, x, y, text):
        self.axis.add_patch(Circle((self.x0 + x, y), 0.12, facecolor="white", edgecolor=INK, zorder=3))
        self.label(x, y, text, va="center_baseline", fontsize=9)

    def gate(self, x, symbol, value, colour):
        """A gate and its value, above the bus."""
        width, height, y = 0.36, 0.44, 0.85
        style = "round,pad=0,rounding_size=0.04"
        self.axis.add_patch(
            FancyBboxPatch(
                (self.x0 + x - width / 2, y - height / 2), width, height,
                boxstyle=style, facecolor="white", edgecolor=colour, linewidth=1.5, zorder=3,
            )
        )  # fmt: skip
        self.label(x, y + 0.02, f"${symbol}$", va="bottom", fontsize=9)
        self.label(x, y - 0.03, number(value), va="top", fontsize=7.5)

    def bus(self, places):
        """A line with x_t and the previous h, from which every gate reads."""
        self.arrow([(INPUT, 0.25), (INPUT, BUS)], head=False)
        self.arrow([(INPUT, BUS), (places[-1], BUS)], head=False)
        for x in places:
            self.arrow([(x, BUS), (x, 0.63)])

    def state_in(self, symbol, value, y, x, head=True):
        """A state from the previous step, up to ``x``, labelled in the gap between the steps."""
        self.arrow([(RIGHT - STEP, y), (x, y)], head=head)
        self.label(LEFT - 0.25, y + 0.05, f"${symbol}_{{{self.before}}}$ =\n{number(value)}")

    def state_out(self, symbol, value, y, x):
        """A state for the next step, which labels it; after the last step it leaves the picture."""
        self.arrow([(x, y), (RIGHT, y)], head=False)
        if self.last:
            self.arrow([(RIGHT, y), (RIGHT + 0.5, y)])
            self.label(RIGHT + 0.25, y + 0.05, f"${symbol}_{{{self.t}}}$ =\n{number(value)}")

    def arrow(self, points, head=True):
        xs, ys = [self.x0 + x for x, _ in points], [y for _, y in points]
        self.axis.plot(xs, ys, color=INK, linewidth=1, solid_joinstyle="round", zorder=1)
        if head:
            self.axis.add_patch(
                FancyArrowPatch(
                    (xs[-2], ys[-2]), (xs[-1], ys[-1]), arrowstyle="-|>", mutation_scale=8, color=INK, linewidth=0,
                    shrinkA=0, shrinkB=0, zorder=2,
                )
            )  # fmt: skip
