"""Colours and figures shared by all pictures."""

from __future__ import annotations

import textwrap
from io import BytesIO
from typing import Any

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from rnn_ref.guard import guarded

# Okabe and Ito's palette, distinguishable with any common colour blindness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINE_STYLES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (8, 3)))  # and in print
UNIT_INTERVAL = "cividis"  # gates, 0 to 1: uniform in lightness and safe for colour-blind readers
SIGNED = "RdBu_r"  # candidates and states, zero in the middle
# Gates have the same colours in all pictures.
GATE_COLOURS = dict(
    zip(
        ("input", "forget", "candidate", "output", "update", "reset"),
        ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    )
)


STYLES = {"page": 1.0, "projector": 1.5}  # factor on type and lines
_chosen = [STYLES["page"]]


class style:
    """Choose the size of type and lines in pictures drawn from now on, or within a ``with`` statement.

    Parameters
    ----------
    name : {"page", "projector"}
        ``"projector"`` is readable from the back of a room, with pictures as wide in pixels and a little taller.
        Diagrams of cells, which are full of numbers, keep their size.

    Examples
    --------
    >>> import rnn_ref
    >>> curve = {"loss": [3.0, 2.0, 1.5]}
    >>> with rnn_ref.plot.style("projector"):
    ...     large = rnn_ref.plot.history(curve)
    >>> usual = rnn_ref.plot.history(curve)
    >>> float(large.dpi / usual.dpi), round(large.bbox.width) == round(usual.bbox.width)
    (1.5, True)
    """

    def __init__(self, name: str = "page"):
        if name not in STYLES:
            raise ValueError(f"plot.style: name={name!r}, but there are {' and '.join(map(repr, STYLES))}.")
        self._before = _chosen[0]
        _chosen[0] = STYLES[name]

    def __enter__(self) -> style:
        return self

    def __exit__(self, *exception) -> None:
        _chosen[0] = self._before


class Picture(Figure):
    """A figure that needs neither a window nor pyplot, and that a notebook shows as the value of a cell."""

    def _repr_png_(self) -> bytes:
        data = BytesIO()
        self.savefig(data, format="png")
        return data.getvalue()


def new_figure(width: float, height: float, *, fixed: bool = False) -> Picture:
    """An empty picture, with sizes in inches; ``fixed`` if letters have fixed positions between lines."""
    size = {"figsize": (width, height), "dpi": 120} if fixed else sized(width, height, 120)
    return Picture(**size, layout="constrained")


def larger() -> float:
    """The factor on type in the chosen style."""
    return _chosen[0]


def sized(width: float, height: float, dpi: float) -> dict:
    """Size and resolution in the chosen style: a smaller picture with more pixels per inch has larger type."""
    return {"figsize": (width / larger(), height / larger() ** 0.5), "dpi": dpi * larger()}


def wrap_titles(figure: Figure) -> None:
    """Break titles that are wider than the picture."""
    titles = [figure._suptitle] if figure.get_suptitle() else []
    titles += [axis.title for axis in figure.axes[:1] if not titles]
    for title in titles:
        letters = int(72 * figure.get_figwidth() / (0.55 * title.get_fontsize()))
        title.set_text(textwrap.fill(title.get_text(), letters))


def luminance(colour) -> float:
    """Relative luminance as WCAG defines it, 0 to 1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ink_on(colour) -> str:
    """Black or white, whichever contrasts more."""
    return "black" if luminance(colour) > 0.18 else "white"


def as_ink(colour) -> tuple[float, float, float]:
    """The colour, darkened for letters on white to a contrast of at least 4.5."""
    rgb = to_rgb(colour)
    while 1.05 / (luminance(rgb) + 0.05) < 4.5:
        rgb = tuple(0.97 * c for c in rgb)
    return rgb


def describe(figure: Any, text: str) -> Any:
    """Attach the alternative text."""
    if larger() > 1 and isinstance(figure, Figure):
        wrap_titles(figure)
    figure.rnn_ref_alt = text
    return figure


@guarded
def figure_alt(figure: Figure) -> str:
    """Alternative text of a picture made by ``rnn_ref.plot``: what it shows, for those who cannot see it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    str
    """
    if not hasattr(figure, "rnn_ref_alt"):
        raise ValueError("this figure was not made by rnn_ref.plot, so it has no alternative text.")
    return figure.rnn_ref_alt


def say_floor(axis, floor: float, ends: bool) -> None:
    """Say in the picture that curves end because they are not drawn below the floor."""
    if ends:
        axis.text(
            0.99, 0.02, f"values below {floor:.0e} are not drawn", transform=axis.transAxes, ha="right", va="bottom",
            fontsize=8,
        )  # fmt: skip


def need_some(reports, function: str) -> None:
    """Raise if there is nothing to draw; the notes of reports on custom cells say why."""
    if not reports:
        notes = " ".join(getattr(reports, "notes", []))
        raise ValueError(f"{function}: there is nothing to draw.{' ' if notes else ''}{notes}")


def only_layer(report, function: str, what: str):
    """The layer itself, or the only one in a mapping of layers: in a trace, the only recurrent one."""
    if not hasattr(report, "layers"):
        return report
    layers = getattr(report, "recurrent", report.layers)
    if len(layers) != 1:
        raise ValueError(f"{function} draws one layer; choose one of {what}[name]: {', '.join(layers) or 'none'}.")
    return next(iter(layers.values()))
