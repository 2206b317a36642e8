"""Why gradients vanish, with sliders for what determines it."""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnn_ref.guard import guarded
from rnn_ref.inspection.exploring import CELLS, untrained_flow
from rnn_ref.page import Control, save_page
from rnn_ref.plotting.pages import PagePicture, frame
from rnn_ref.plotting.panel import in_notebook, panel
from rnn_ref.plotting.shared import COLOURS, LINE_STYLES, describe

LOWEST, HIGHEST = 1e-12, 1e6  # of the axis, which stays fixed while the curve moves
LONGEST = 400
# Values on a page, which holds a picture for each combination:
LENGTHS, SCALES, BIASES = (25, 100, 400), (0.5, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5), (0.0, 1.0, 2.0, 3.0, 5.0)


@guarded
def explore_gradient_flow(cell: str = "LSTM", length: int = 100, scale: float = 1.0, forget_bias: float = 1.0):
    """Explore how far back the gradient of an untrained layer reaches.

    Parameters
    ----------
    cell : str
        "SimpleRNN", "LSTM" or "GRU".
    length : int
        Time steps, 2 to 400.
    scale : float
        Factor on the recurrent weights, which start orthogonal.
    forget_bias : float
        LSTM: bias of the forget gates.
        These are the initial values; in a notebook, sliders change them.

    Returns
    -------
    ipywidgets.VBox, or matplotlib.figure.Figure
        Without a notebook, or without ipywidgets, the picture for these values. Either has ``.save_html(path)``, which
        writes an HTML file under 3 MB with sliders over some values of all four, and a play button.

    Examples
    --------
    >>> import rnn_ref
    >>> picture = rnn_ref.plot.explore_gradient_flow("SimpleRNN", scale=0.9)
    >>> print(rnn_ref.plot.figure_alt(picture))
    Gradient norm in an untrained SimpleRNN, recurrent weights × 0.90: ...
    """
    if cell not in CELLS:
        raise ValueError(f"plot.explore_gradient_flow: cell={cell!r}, but there are {', '.join(CELLS)}.")
    if not 2 <= length <= LONGEST:
        raise ValueError(f"plot.explore_gradient_flow: length={length}; from 2 to {LONGEST} can be drawn.")
    picture = _Curve()
    write_page = partial(_write_page, cell, length, scale, forget_bias)
    if not in_notebook():
        figure = picture.draw(cell, length, scale, forget_bias)
        figure.write_page = write_page
        return figure

    import ipywidgets

    def slider(kind, value, low, high, description, **options):
        style = {"description_width": "initial"}
        return kind(value=value, min=low, max=high, description=description, style=style, **options)

    controls = {
        "cell": ipywidgets.ToggleButtons(options=list(CELLS), value=cell, style={"button_width": "auto"}),
        "scale": slider(ipywidgets.FloatSlider, scale, 0.1, max(2.0, scale), "recurrent weights ×", step=0.05),
        "length": slider(ipywidgets.IntSlider, length, 2, LONGEST, "steps"),
        "forget_bias": slider(
            ipywidgets.FloatSlider, forget_bias, min(-2.0, forget_bias), max(8.0, forget_bias), "forget bias", step=0.1
        ),
    }
    bias = controls["forget_bias"]

    def only_lstm(_=None):
        bias.disabled = controls["cell"].value != "LSTM"

    controls["cell"].observe(only_lstm, "value")
    only_lstm()
    rows = [controls["cell"], ipywidgets.HBox([controls["scale"], controls["length"], bias])]
    return panel(picture.draw, controls, rows, write_page)


def _write_page(cell: str, length: int, scale: float, forget_bias: float, path) -> Path:
    picture = _Curve()
    cells = tuple(CELLS)
    lengths, scales, biases = (
        sorted({*values, value}) for values, value in ((LENGTHS, length), (SCALES, scale), (BIASES, forget_bias))
    )
    frames = {}
    for (c, kind), (s, by), (n, long) in product(enumerate(cells), enumerate(scales), enumerate(lengths)):
        for b, bias in enumerate(biases):
            if kind == "LSTM" or b == 0:
                drawn = frame(picture.draw(kind, long, by, bias))
            frames[c, s, n, b] = drawn
    return save_page(
        path,
        frames,
        [
            Control("cell", cells, start=cells.index(cell), choice=True),
            Control("recurrent weights ×", tuple(f"{x:g}" for x in scales), scales.index(scale), plays=1),
            Control("steps", tuple(map(str, lengths)), lengths.index(length)),
            Control(
                "forget bias", tuple(f"{x:g}" for x in biases), biases.index(forget_bias),
                only=(0, cells.index("LSTM")),
            ),
        ],
        title="How far back the gradient of an untrained layer reaches",
        where="plot.explore_gradient_flow: save_html",
        advice="this is a fault of rnn_ref",
    )  # fmt: skip


@lru_cache(maxsize=512)
def _shares(cell: str, length: int, scale: float, forget_bias: float) -> np.ndarray:
    """Norms relative to that of the last step."""
    norm = untrained_flow(cell, length=length, scale=scale, forget_bias=forget_bias).norm
    return norm / norm[-1]


class _Curve:
    """A picture that is laid out once; updating only its curves takes a third of the time of a new one."""

    def __init__(self):
        self.figure = PagePicture(figsize=(7.5, 4.2), dpi=100)
        axis = self.axis = self.figure.add_axes((0.11, 0.125, 0.86, 0.76))
        self.curves = {
            name: axis.semilogy([], [], color=colour, linestyle=style)[0]
            for name, colour, style in zip(CELLS, COLOURS, LINE_STYLES)
        }
        axis.axhline(1, color="0.5", linewidth=0.8)
        axis.set_ylim(LOWEST, HIGHEST)
        axis.set_yticks(10.0 ** np.arange(-12, 7, 3))
        axis.minorticks_off()
        axis.set_xlabel("time step, counted back from the loss")
        axis.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axis.set_ylabel(r"$\|\partial L/\partial h_t\|$, relative to the last step's")
        axis.grid(alpha=0.3)

    def draw(self, cell: str, length: int, scale: float, forget_bias: float) -> Figure:
        for name, curve in self.curves.items():  # thin lines for the other cells, an LSTM with Keras's bias
            bias = forget_bias if name == cell else 1.0
            shown = _shares(name, length, scale, bias if name == "LSTM" else 1.0)
            curve.set_data(np.arange(-length, 0), np.where(shown > 0, shown, np.nan))
            curve.set(linewidth=2.4 if name == cell else 1.0, alpha=1.0 if name == cell else 0.6)
            curve.set_label(f"{name}, forget bias {bias:.1f}" if name == "LSTM" else name)
        share = _shares(cell, length, scale, forget_bias if cell == "LSTM" else 1.0)
        self.axis.legend(frameon=False, fontsize=9, loc="upper left", ncols=3)
        self.axis.set_xlim(-length - (length - 1) * 0.02, -1 + (length - 1) * 0.02)
        what = f"untrained {cell}, recurrent weights × {scale:.2f}"
        what += f", forget bias {forget_bias:.1f}" if cell == "LSTM" else ""
        self.axis.set_title(f"{what[0].upper()}{what[1:]}\n{length - 1} steps back: {share[0]:.1e}", fontsize=11)
        return describe(
            self.figure,
            f"Gradient norm in an {what}: {share[0]:.1e} of the last step's {length - 1} steps before the loss; "
            f"at most {share.max():.1e}, at least {share.min():.1e}.",
        )
