"""Frames of the pages that :mod:`rnn_ref.page` writes: figures as SVG inside HTML."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from rnn_ref.page import Frame
from rnn_ref.plotting.shared import Picture, figure_alt

# Letters as shapes, to look the same everywhere. A fixed salt, so that equal elements of frames get equal names.
OPTIONS = {"svg.fonttype": "path", "svg.hashsalt": "rnn_ref"}
# Not needed in HTML: the prologue, namespaces, metadata and comments.
LEFT_OUT = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>|<!--.*?-->| xmlns(:xlink)?=\"[^\"]*\"", re.DOTALL)


class PagePicture(Picture):
    """A picture drawn for one position of its sliders, which can be saved with all of them."""

    write_page: Callable[..., Path]

    def save_html(self, path, **options) -> Path:
        """Write one HTML file with the sliders, which needs neither a kernel nor a network.

        For its arguments see the function that made the picture, :func:`~rnn_ref.plot.step_through` or
        :func:`~rnn_ref.plot.explore_gradient_flow`.
        """
        return self.write_page(path, **options)


def frame(figure: Figure) -> Frame:
    """The figure as it is now."""
    text = StringIO()
    with matplotlib.rc_context(OPTIONS):
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = LEFT_OUT.sub("", text.getvalue()).replace("xlink:href", "href")
    svg = re.sub(r"<svg[^>]*>", lambda match: re.sub(r' (width|height)="[^"]*"', "", match[0]), svg, count=1)
    least = 65 * figure.get_figwidth()  # pixels; narrower, letters are too small, so that a telephone scrolls
    svg = svg.replace("<svg", f'<svg aria-hidden="true" style="min-width:{least:.0f}px"', 1)
    return Frame("\n".join(line for line in svg.split("\n") if line.strip()), figure_alt(figure))
