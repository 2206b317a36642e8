"""Text coloured by what a unit did while reading it, as in Karpathy et al. 2015."""

from __future__ import annotations

from html import escape

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from rnn_ref.guard import guarded
from rnn_ref.plotting.shared import SIGNED, UNIT_INTERVAL, Picture, describe, ink_on, larger, only_layer

WIDTH = 72  # characters in a line
CELL = (0.096, 0.225)  # inches, one character


class ColouredText(Picture):
    """A figure that a notebook shows as HTML: selectable text, with each token's number as a tooltip.

    Attributes
    ----------
    html : str
    """

    html = ""

    def _repr_html_(self) -> str:
        return self.html


@guarded
def text(
    tokens, activation, *, unit: int | None = None, sample: int = 0, array: str = "cell", title: str | None = None
) -> ColouredText:
    """Colour each token by the activation of a unit after reading it.

    The colours of signed numbers have white at zero; those of gates run from 0 to 1.

    Parameters
    ----------
    tokens : str or list of str
        T characters, or T words; a line break in a token breaks the line.
    activation : ndarray (T,), LayerTrace, or a Trace with one recurrent layer
    unit : int
        With a trace: which unit.
    sample : int
        With a trace: which sample.
    array : str
        With a trace: which gate or state; "hidden" for a layer that has no cell state.
    title : str, optional

    Returns
    -------
    ColouredText
        A figure, which notebooks show as HTML; ``.html`` is that HTML.

    References
    ----------
    Karpathy, Johnson and Fei-Fei, "Visualizing and Understanding Recurrent Networks", 2015,
    https://arxiv.org/abs/1506.02078

    Examples
    --------
    >>> import rnn_ref
    >>> picture = rnn_ref.plot.text("ab", [1.0, -1.0], title="one unit")
    >>> picture.html.count("<span")
    2
    """
    tokens = list(tokens)
    what, values, unit_interval = _values(only_layer(activation, "plot.text", "trace"), unit, sample, array)
    if len(tokens) != len(values):
        raise ValueError(f"plot.text: got {len(tokens)} tokens and {len(values)} activations; one each is needed.")
    if not tokens:
        raise ValueError("plot.text: there is no text to colour.")
    if not np.isfinite(values).all():
        raise ValueError(f"plot.text: the activation of token {int(np.argmin(np.isfinite(values)))} is not finite.")
    limit = 1.0 if unit_interval else float(np.abs(values).max()) or 1.0
    norm = Normalize(0 if unit_interval else -limit, limit)
    colours = colormaps[UNIT_INTERVAL if unit_interval else SIGNED](norm(values))
    gap = "" if all(len(token) == 1 for token in tokens) else " "
    title = title or what
    highest, lowest = int(np.argmax(values)), int(np.argmin(values))
    alt = (
        f"{len(tokens)} tokens coloured by {what}: highest, {values[highest]:.2f}, at {tokens[highest]!r} "
        f"(number {highest}), lowest, {values[lowest]:.2f}, at {tokens[lowest]!r} (number {lowest})."
    )
    figure = _draw(tokens, colours, gap, norm, UNIT_INTERVAL if unit_interval else SIGNED, what, title)
    figure.html = _html(tokens, values, colours, gap, title, alt)
    return describe(figure, alt)


def _values(activation, unit, sample, array) -> tuple[str, np.ndarray, bool]:
    """The name of what is shown, the numbers, and whether they always lie between 0 and 1."""
    if not hasattr(activation, "hidden"):
        values = np.asarray(activation, "float64")
        if values.ndim != 1:
            raise ValueError(f"plot.text: expected one number for each token, got an array of shape {values.shape}.")
        return "activation", values, False
    if unit is None:
        raise ValueError(f"plot.text: say which unit of {activation.name} to show: unit=0, for instance.")
    if array == "cell" and "cell" not in activation.states:
        array = "hidden"
    values = activation[array]
    for name, index, size in (("sample", sample, values.shape[0]), ("unit", unit, values.shape[2])):
        if not 0 <= index < size:
            raise ValueError(f"plot.text: {name}={index}, but {activation.name} has {name}s 0 to {size - 1}.")
    values = np.asarray(values[sample, :, unit], "float64")
    is_gate = array in activation.gates and array != "candidate"
    kind = " gate" if is_gate else (" state" if array in activation.states else "")
    what = f"{array}{kind} of unit {unit} in {activation.name}"
    return what, values, is_gate and values.min() >= 0 and values.max() <= 1


def _draw(tokens, colours, gap, norm, colour_map, what, title) -> ColouredText:
    places, lines = _place(tokens, gap)
    width, height = CELL
    columns = min(WIDTH / larger(), max(line_end for *_, line_end in places))
    size = (max(columns * width, 3.6) + 0.5, lines * height + 1.25)
    figure = ColouredText(figsize=size, dpi=120 * larger())
    above, below = 0.4 / size[1], 0.8 / size[1]
    axis = figure.add_axes((0.25 / size[0], below, 1 - 0.5 / size[0], 1 - above - below))
    axis.set(xlim=(0, (size[0] - 0.5) / width), ylim=(lines, 0))
    axis.axis("off")
    for token, colour, (column, line, _) in zip(tokens, colours, places):
        shown = token.replace("\n", "")
        axis.add_patch(Rectangle((column, line), max(len(shown), 0.4), 0.94, facecolor=colour, linewidth=0))
        for k, character in enumerate(shown):
            axis.text(
                column + k + 0.5, line + 0.47, character, family="monospace", fontsize=9, color=ink_on(colour),
                ha="center", va="center_baseline", parse_math=False,
            )  # fmt: skip
    figure.suptitle(title, fontsize=11, y=1 - 0.08 / size[1], va="top")
    bar_axis = figure.add_axes((0.25 / size[0], 0.5 / size[1], 3.0 / size[0], 0.12 / size[1]))
    bar = figure.colorbar(
        ScalarMappable(norm, colour_map), cax=bar_axis, orientation="horizontal", ticks=MaxNLocator(4)
    )
    bar.set_label(what, fontsize=8)
    bar.ax.tick_params(labelsize=8)
    return figure


def _place(tokens, gap) -> tuple[list[tuple[int, int, int]], int]:
    """Column, line and end of each token; the number of lines."""
    places, column, line = [], 0, 0
    for k, token in enumerate(tokens):
        length = len(token.replace("\n", ""))
        # Among characters, lines break before words that would not fit, or anywhere in words longer than a line.
        starts_word = gap or k == 0 or tokens[k - 1].isspace()
        needed = _word_length(tokens, k) if starts_word and not gap else length
        if column and (column + length > WIDTH / larger() or needed <= WIDTH / larger() < column + needed):
            column, line = 0, line + 1
        places.append((column, line, column + length))
        column += length + len(gap)
        if "\n" in token:
            column, line = 0, line + 1
    return places, places[-1][1] + 1


def _word_length(tokens, start: int) -> int:
    """Characters from here to the next blank."""
    end = start
    while end < len(tokens) and not tokens[end].isspace():
        end += 1
    return max(end - start, 1)


def _html(tokens, values, colours, gap, title, alt) -> str:
    spans = [
        f'<span title="{value:.3g}" style="background:{to_hex(colour)};color:{ink_on(colour)}">{escape(token)}</span>'
        for token, value, colour in zip(tokens, values, colours)
    ]
    return (
        f'<figure style="margin:0"><figcaption><b>{escape(title)}</b></figcaption>'
        f'<div role="img" aria-label="{escape(alt)}" '
        f'style="font-family:monospace;white-space:pre-wrap;line-height:1.5">{gap.join(spans)}</div></figure>'
    )
