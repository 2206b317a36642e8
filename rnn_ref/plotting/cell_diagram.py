"""One time step of a cell: its diagram with one unit's numbers, and all units' gates and states as bars."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnn_ref.guard import guarded
from rnn_ref.plotting import cell_drawing
from rnn_ref.plotting.cell_drawing import INPUT, LEFT, RIGHT, STEP, Pen, features, number
from rnn_ref.plotting.named import colour_of, title_of
from rnn_ref.plotting.pages import PagePicture
from rnn_ref.plotting.shared import as_ink, describe, only_layer
from rnn_ref.plotting.time_axis import sample_of, written

WHERE = "plot.cell_diagram"
WIDTH, ROW, STRIP = 10.0, 0.72, 1.0  # inches: the figure, the least height of a row of bars, the curves below
DIAGRAM = STEP + 0.9
MARK = "#F2E394"  # behind the bars of the chosen unit, and at the step on the time axis


@guarded
def cell_diagram(trace, t: int, unit: int = 0, sample: int = 0, *, tokens=None, title: str | None = None) -> Figure:
    """Draw one time step of a cell: the flow of one unit's numbers, and the gates of all units.

    On the left, the cell with the numbers of one unit; on the right, every gate as bars, one per unit, and the states
    before (outline) and after (filled); below, the position in the sequence.

    Parameters
    ----------
    trace : LayerTrace of a SimpleRNN, LSTM or GRU, or a Trace with one such layer
        With all its time steps.
    t : int
        The time step.
    unit, sample : int
    tokens : str or list of str, optional
        What was read at each step.
    title : str, optional
        Title before the time step, by default the layer's name.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> trace = rnn_ref.trace(rnn_ref.layers.LSTM(4, name="memory"), np.ones((1, 9, 2)))
    >>> figure = rnn_ref.plot.cell_diagram(trace, t=3, unit=1)
    >>> [axis.get_ylabel() for axis in figure.axes][1:4]
    ['input gate $i$', 'forget gate $f$', 'candidate $g$']
    """
    return CellDiagram(only_layer(trace, WHERE, "trace"), sample, tokens=tokens, title=title).show(t, unit)


class CellDiagram:
    """A picture that is laid out once and then shows one step after another, which is faster than new pictures.

    Parameters
    ----------
    layer : LayerTrace
    sample : int
    tokens : str or list of str, optional
    title : str, optional
    """

    def __init__(self, layer, sample: int = 0, *, tokens=None, title: str | None = None, where: str = WHERE):
        self.lead = title or f"“{layer.name}” ({layer.layer_class})"
        self.layer, self.sample, self.tokens, self.where = layer, sample_of(layer, sample, where), tokens, where
        self.draw, self.top = cell_drawing.drawing_of(layer, where)
        for name in layer.initial_states:
            layer[name]  # raises if it was not kept
        cell_drawing.need_every_step(layer, where)
        _, self.steps, self.units = layer.hidden.shape
        if tokens is not None and len(tokens) != self.steps:
            raise ValueError(f"{where}: tokens has {len(tokens)} entries, the trace has {self.steps} time steps.")
        self.backwards = layer.go_backwards
        self._lay_out()

    def _lay_out(self) -> None:
        panels = self.layer.gates | self.layer.states
        tall = max(self.top + 1.15, ROW * len(panels) + 0.45)
        row = min((tall - 0.45) / len(panels), 1.0)
        height = 0.55 + tall + STRIP + 0.65
        self.figure = PagePicture(figsize=(WIDTH, height), dpi=100)

        def place(left, top, width, tall):
            return self.figure.add_axes((left / WIDTH, 1 - (top + tall) / height, width / WIDTH, tall / height))

        drawn = self.top + 1.15
        self.diagram = place(0.1, 0.45 + (tall - drawn) / 2, DIAGRAM, drawn)
        self.diagram.axis("off")
        left = DIAGRAM + 1.35
        self.bars = {}
        for k, (name, array) in enumerate(panels.items()):
            axis = place(left, 0.6 + row * k, WIDTH - left - 0.25, row - 0.16)
            self.bars[name] = _Bars(
                axis, name, title_of(self.layer, name), array[self.sample], name in self.layer.states
            )
        axis.tick_params(labelbottom=True)
        axis.set_xlabel("unit", fontsize=9, loc="left")
        handles = [self.bars["hidden"].before, self.bars["hidden"].after]
        axis.legend(
            handles, ["before the step", "after it"], frameon=False, fontsize=8, ncols=2, loc="upper right",
            bbox_to_anchor=(1.0, -0.3), borderaxespad=0.1,
        )  # fmt: skip
        self.strip = place(0.75, height - STRIP - 0.5, WIDTH - 2.6, STRIP)
        self._strip_lines()
        self.title = self.figure.suptitle("", fontsize=11, y=1 - 0.12 / height, va="top")  # its text comes with a step

    def _strip_lines(self) -> None:
        layer, axis = self.layer, self.strip
        self.curves = {}
        for name in layer.states:
            own = axis if name == "hidden" else axis.twinx()  # the cell state is unbounded, and has its own scale
            style = {"color": colour_of(name), "linestyle": "-" if name == "hidden" else "--"}
            (self.curves[name],) = own.plot(
                np.arange(self.steps), np.zeros(self.steps), linewidth=1.3, label=title_of(layer, name), **style
            )
            if own is not axis:
                own.tick_params(axis="y", labelcolor=as_ink(colour_of(name)), labelsize=8)
        axis.tick_params(axis="y", labelsize=8)
        self.here = axis.axvline(0, color=MARK, linewidth=5, zorder=0)
        axis.axhline(0, color="0.6", linewidth=0.8, zorder=0)
        axis.margins(x=0.01)
        axis.set_xlabel("time step")
        axis.xaxis.set_major_locator(MaxNLocator(10, integer=True))
        axis.grid(alpha=0.3)
        axis.legend(
            handles=list(self.curves.values()), loc="center left", bbox_to_anchor=(1.06, 0.5), frameon=False,
            fontsize=8, handlelength=1.5,
        )  # fmt: skip

    def show(self, t: int, unit: int = 0) -> Figure:
        """Update the picture with the numbers of one time step, and return it.

        Raises
        ------
        ValueError
            If there is no such time step or unit.
        """
        layer = self.layer
        for name, index, size in (("t", t, self.steps), ("unit", unit, self.units)):
            if not 0 <= index < size:
                raise ValueError(f"{self.where}: {name}={index}, but {layer.name} has 0 to {size - 1}.")
        counts = layer.mask is None or bool(layer.mask[self.sample, t])
        self._draw_cell(t, unit, counts)
        for name, bars in self.bars.items():
            bars.show(t, unit, self._before(name, t), counts)
        for name, curve in self.curves.items():
            values = layer.states[name][self.sample, :, unit]
            limit = 1.08 * float(np.abs(values).max()) or 1.0
            curve.set_ydata(values)
            curve.axes.set_ylim(-limit, limit)  # zero in the middle, where the scales meet
        # Above, where the longest tick labels leave room for it.
        self.strip.set_title(f"unit {unit}", fontsize=9, loc="left", pad=3)
        self.here.set_xdata([t, t])
        read = "" if self.tokens is None else f", reading {written(self.tokens[t])}".replace("$", r"\$")
        self.title.set_text(f"{self.lead}, time step {t} (of 0 to {self.steps - 1}){read}")
        return describe(self.figure, self._alt(t, unit, counts))

    def _draw_cell(self, t: int, unit: int, counts: bool) -> None:
        axis = self.diagram
        for artist in [*axis.texts, *axis.patches, *axis.lines]:
            artist.remove()
        axis.set(xlim=(-0.65, DIAGRAM - 0.65), ylim=(-0.55, self.top + 0.6))
        pen = Pen(axis, 0, t, last=True, backwards=self.backwards)
        pen.box(LEFT, 0.25, RIGHT, self.top)
        pen.label((LEFT + RIGHT) / 2, self.top + 0.12, f"unit {unit}", weight="bold", fontsize=9)
        if not counts:
            pen.label((LEFT + RIGHT) / 2, self.top / 2, "masked step:\nthe states stay as they are", va="center")
            return
        pen.arrow([(INPUT, -0.2), (INPUT, 0.25)])
        pen.label(INPUT, -0.25, f"$x_{{{t}}}$ = {features(self.layer.inputs[self.sample, t])}", va="top")
        self.draw(pen, cell_drawing.cell_numbers(self.layer, self.sample, unit, t, self.where))

    def _before(self, name: str, t: int) -> np.ndarray | None:
        """The state of all units before step t; None for gates."""
        if name not in self.layer.states:
            return None
        t = t + 1 if self.backwards else t - 1
        inside = 0 <= t < self.steps
        return (self.layer.states[name][self.sample, t]) if inside else self.layer.initial_states[name][self.sample]

    def _alt(self, t: int, unit: int, counts: bool) -> str:
        layer = self.layer
        start = f"Time step {t} of unit {unit} of {layer.name} ({layer.layer_class}): "
        if not counts:
            return f"{start}masked, the states stay as they are."
        gates = [f"{name} {number(array[self.sample, t, unit])}" for name, array in layer.gates.items()]
        states = [
            f"{name} state from {number(self._before(name, t)[unit])} to {number(array[self.sample, t, unit])}"
            for name, array in layer.states.items()
        ]
        return f"{start}{', '.join(gates + states)}. Bars show the same for all {self.units} units."


class _Bars:
    """A row of bars, one per unit; for a state, also its previous value."""

    def __init__(self, axis, name: str, title: str, values: np.ndarray, is_state: bool):
        self.axis, self.values = axis, values
        units = values.shape[1]
        edges = np.stack([np.arange(units) - 0.4, np.arange(units) + 0.4], axis=1).ravel()
        self.empty = np.full(2 * units - 1, np.nan)  # bars and the gaps between them
        colour = colour_of(name)
        largest = float(np.abs(values).max())
        signed = values.min() < 0 or name in ("candidate", "hidden", "cell")
        limit = 1.0 if name != "cell" and largest <= 1 else np.ceil(10 * largest) / 10 or 1.0
        self.marks = (
            axis.axvspan(-0.5, 0.5, facecolor=MARK, zorder=0),
            axis.axvspan(-0.5, 0.5, facecolor="none", edgecolor="black", linewidth=0.8, zorder=3),  # if bars are thin
        )
        self.after = axis.stairs(self.empty, edges, fill=True, color=colour, alpha=0.45 if is_state else 1.0)
        self.before = None
        if is_state:
            self.before = axis.stairs(self.empty, edges, color="black", linewidth=1.0)
        axis.axhline(0, color="0.4", linewidth=0.8)
        axis.set(xlim=(-0.6, units - 0.4), ylim=(-limit if signed else 0, limit))
        ends = (-limit, 0, limit) if signed else (0, limit)
        axis.set_yticks(ends, [f"{end:.2g}".replace("-", "−") for end in ends], fontsize=7)
        axis.xaxis.set_major_locator(MaxNLocator(10, integer=True))
        axis.tick_params(axis="x", labelbottom=False, labelsize=7, length=2)
        axis.set_ylabel(title, rotation=0, ha="right", va="center", fontsize=9, labelpad=4)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)

    def show(self, t: int, unit: int, before: np.ndarray | None, counts: bool) -> None:
        """The bars of step t; none for gates at a masked step."""
        for mark in self.marks:
            mark.set_x(unit - 0.5)
        after = self.empty.copy()
        if counts or before is not None:
            after[::2] = self.values[t]
        self.after.set_data(after)
        if before is not None:
            old = self.empty.copy()
            old[::2] = before
            self.before.set_data(old)
