"""Where parameters are: every weight as a rectangle to scale, whose area is its number of parameters."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from rnn_ref.guard import guarded
from rnn_ref.inspection import derive_parameters
from rnn_ref.plotting.named import colour_of
from rnn_ref.plotting.shared import GATE_COLOURS, as_ink, describe, new_figure

BLOCKS, LEFT, RIGHT = 5.2, 0.9, 2.9  # inches: the widest weight, and margins for its labels
TALLEST = 5.0  # inches, all weights stacked
COARSEST = 4  # parameters per inch, so that small layers stay small
LINE = 0.19  # inches, a line of text
GAP = 0.12
PLAIN = "#999999"  # weights that belong to no gate


@dataclass
class _Weight:
    """A term as a rectangle: rows and columns in parameters, of all gates together."""

    label: str
    rows: int
    columns: int
    gates: tuple[str, ...]
    left: str


@guarded
def parameters(what, *, ax=None, title: str | None = None) -> Figure:
    """Draw every weight as a rectangle of its true proportions, one block per gate, all to one scale.

    A matrix has as many rows as inputs and as many columns as outputs, and a bias is one row, so that the area of a
    rectangle is its number of parameters. Long matrices without gates are laid on their side.

    Parameters
    ----------
    what : Layer, model, or what :func:`rnn_ref.derive_parameters` returned
        Layers without parameters are left out.
    ax : matplotlib.axes.Axes, optional
        Draw here instead of in a new figure.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import rnn_ref
    >>> figure = rnn_ref.plot.parameters(rnn_ref.layers.GRU(64, input_shape=(None, 5)))
    >>> len(figure.axes[0].patches)  # three gates in each of four weights, and the square that shows the scale
    13
    """
    derivation = what if hasattr(what, "terms") else derive_parameters(what)
    layers = [(part, [_weight(part, term) for term in part.terms]) for part in derivation.leaves() if part.total]
    if not layers:
        raise ValueError(f"plot.parameters: {derivation.name} has no parameters to draw.")
    weights = [weight for _, found in layers for weight in found]
    widest, tallest = max(w.columns for w in weights), sum(w.rows for w in weights)
    scale = max(widest / BLOCKS, tallest / TALLEST, COARSEST)  # parameters per inch

    top, places = 0.1, []
    for part, found in layers:
        heading = top if len(layers) > 1 else None
        top += LINE + 0.08 if len(layers) > 1 else 0
        named = bool(found[0].gates) and found[0].columns / len(found[0].gates) / scale >= 0.8
        top += LINE if named else 0
        for k, weight in enumerate(found):
            places.append((part, heading if k == 0 else None, weight, top, named and k == 0))
            top += max(weight.rows / scale, LINE) + GAP
        top += 0.12
    unnamed = [g for p, _, w, _, _ in places for g in w.gates if w.columns / len(w.gates) / scale < 0.8]
    legend = list(dict.fromkeys(sorted(unnamed, key=[*GATE_COLOURS, *unnamed].index)))
    count, side = _scale_square(scale)
    height = top + side + 0.1 + (0.35 if legend else 0)

    width = LEFT + max(widest / scale, 2.5) + RIGHT
    axis = ax if ax is not None else new_figure(width, height + 0.5, fixed=True).subplots()
    axis.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    axis.axis("off")
    for part, heading, weight, y, named in places:
        if heading is not None:
            axis.text(0.05, heading, _heading(part), va="top", fontsize=9, weight="bold")
        _draw(axis, weight, y, scale, named)
    axis.add_patch(Rectangle((LEFT, top), side, side, facecolor="none", edgecolor="black", linewidth=0.8))
    words = "1 parameter" if count == 1 else f"{count:,} parameters"
    axis.text(LEFT + side + 0.08, top + side / 2, f"this area: {words}", va="center", fontsize=8)
    if legend:
        handles = [Patch(facecolor=colour_of(gate), label=f"{gate} gate" if gate != "candidate" else gate)
                   for gate in legend]  # fmt: skip
        axis.legend(handles=handles, loc="lower left", ncols=len(handles), frameon=False, fontsize=8)
    default = f"{derivation.name} ({derivation.kind}): {derivation.total:,} parameters, to scale"
    axis.set_title(title or default, fontsize=11, pad=8)
    shares = ", ".join(f"{term.name} {term.count:,}" for term in derivation.terms)
    return describe(
        axis.figure,
        f"The weights of {derivation.name} as rectangles to scale, area being number of parameters: {shares}; "
        f"{derivation.total:,} in all.",
    )


def _weight(part, term) -> _Weight:
    *leading, columns = term.sizes or (1,)
    rows = 1
    for size in leading:
        rows *= size
    symbol = str(term.shape[0]) + " = " if len(term.shape) > 1 and not term.shape[0].is_Integer else ""
    numbers = " × ".join(f"{n:,}" for n in term.sizes) or "1"
    each = f"{numbers} × {term.blocks} gates = " if term.gates else (f"{numbers} = " if len(term.sizes) > 1 else "")
    label = f"{term.name.replace('_', ' ')}: {each}{term.count:,}"
    if not term.gates and rows > 4 * columns:
        return _Weight(label, columns, rows, (), "")
    return _Weight(label, rows, columns * term.blocks, term.gates, f"{symbol}{rows:,}" if rows > 1 else "")


def _heading(part) -> str:
    return f"{part.name} ({part.kind}): {part.total:,}"


def _draw(axis, weight: _Weight, y: float, scale: float, named: bool) -> None:
    """One weight, its top at ``y`` inches."""
    gates = weight.gates or (None,)
    width, height = weight.columns / len(gates) / scale, weight.rows / scale
    for k, gate in enumerate(gates):
        colour = colour_of(gate) if gate else PLAIN
        # A white line between blocks, unless they are so thin that it would cover them.
        line = 0.8 if min(width, height) > 0.06 else 0
        axis.add_patch(
            Rectangle((LEFT + k * width, y), width, height, facecolor=colour, edgecolor="white", linewidth=line)
        )
        if named:
            axis.text(
                LEFT + (k + 0.5) * width, y - 0.03, f"{gate} ({weight.columns // len(gates):,})",
                ha="center", va="bottom", fontsize=8, color=as_ink(colour), weight="bold",
            )  # fmt: skip
    middle = y + height / 2
    axis.text(LEFT - 0.08, middle, weight.left, ha="right", va="center", fontsize=8)
    axis.text(LEFT + weight.columns / scale + 0.1, middle, weight.label, va="center", fontsize=8)


def _scale_square(scale: float) -> tuple[int, float]:
    """A round number of parameters, and the side in inches of a square that holds them."""
    count = 1
    while (count * 10) ** 0.5 / scale <= 0.45:
        count *= 10
    return count, count**0.5 / scale
