"""A picture with sliders: ipywidgets in a notebook, and only the picture everywhere else."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Callable
from html import escape
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rnn_ref.plotting.shared import figure_alt


def in_notebook() -> bool:
    """Whether there are widgets, and a kernel that they can talk to."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None and find_spec("ipywidgets") is not None


def png(figure: Figure) -> bytes:
    """The figure as a file, hardly compressed, as it only goes to the browser."""
    if not isinstance(figure.canvas, FigureCanvasAgg):
        FigureCanvasAgg(figure)  # kept with the figure, as it caches formulas: three times as fast from then on
    data = BytesIO()
    figure.savefig(data, format="png", pil_kwargs={"compress_level": 1})
    return data.getvalue()


def panel(draw: Callable[..., Figure], controls: dict, rows: list, write_page: Callable[..., Path]):
    """A picture below its controls, redrawn whenever one of them changes.

    Parameters
    ----------
    draw : function
        From the values of the controls, by name, to a figure.
    controls : dict of str to ipywidgets.Widget
    rows : list of ipywidgets.Widget
        How the controls are arranged.
    write_page : function
        Writes the same as an HTML file; it becomes the panel's ``save_html``.

    Returns
    -------
    ipywidgets.VBox
        Where widgets are not shown (a notebook on a web page, or in print), a static picture.
    """
    import ipywidgets

    shown = ipywidgets.HTML()
    encoded = ""

    class Panel(ipywidgets.VBox):
        def _repr_mimebundle_(self, **options):
            return super()._repr_mimebundle_(**options) | {"image/png": encoded}

        def save_html(self, path, **options) -> Path:
            """Write one HTML file with the sliders, which needs neither a kernel nor a network."""
            return write_page(path, **options)

    def redraw(_=None):
        nonlocal encoded
        figure = draw(**{name: control.value for name, control in controls.items()})
        encoded = b64encode(png(figure)).decode()
        width, height = figure.canvas.get_width_height()
        # ipywidgets.Image has no alternative text. Synchronous decoding avoids flicker between pictures.
        shown.value = (
            f'<img src="data:image/png;base64,{encoded}" alt="{escape(figure_alt(figure))}" decoding="sync" '
            f'width="{width}" height="{height}" style="max-width:100%;height:auto">'
        )

    for control in controls.values():
        control.observe(redraw, "value")
    redraw()
    return Panel([*rows, shown])
