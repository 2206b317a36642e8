"""A cell at work, step by step, with a slider over time."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from rnn_ref import checks
from rnn_ref.guard import guarded
from rnn_ref.page import Control, save_page
from rnn_ref.plotting.cell_diagram import CellDiagram
from rnn_ref.plotting.pages import frame
from rnn_ref.plotting.panel import in_notebook, panel
from rnn_ref.plotting.shared import only_layer

WHERE = "plot.step_through"
MOST_FRAMES = 500  # most steps of a page, as each takes a third of a second to draw
INTERVAL = 400  # milliseconds per step when playing


@guarded
def step_through(
    trace, layer: str | None = None, sample: int = 0, unit: int = 0, *, tokens=None, title: str | None = None
):
    """Step through time: a slider and a play button move the diagram of a cell with its numbers.

    Parameters
    ----------
    trace : Trace or LayerTrace
        Of a SimpleRNN, LSTM or GRU, with all its time steps.
    layer : str, optional
        Which layer of the trace; not needed if only one is recurrent.
    sample : int
    unit : int
        The unit to start with.
    tokens : str or list of str, optional
        What was read at each step.
    title : str, optional
        Title before the time step, by default the layer's name.

    Returns
    -------
    ipywidgets.VBox, or matplotlib.figure.Figure
        Without a notebook, or without ipywidgets, the picture of the last step; see
        :func:`~rnn_ref.plotting.cell_diagram` for others. Either has ``.save_html(path, steps=None)``, which writes an
        HTML file under 3 MB with the slider and the play button, for this unit and all steps, or those in ``steps``.

    Raises
    ------
    ValueError
        If the layer has another kind of cell, or there is no such sample or unit.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> trace = rnn_ref.trace(rnn_ref.layers.GRU(4, name="memory"), np.ones((1, 9, 2)))
    >>> picture = rnn_ref.plot.step_through(trace, unit=2)
    >>> rnn_ref.plot.figure_alt(picture)
    'Time step 8 of unit 2 of memory (GRU): ...'
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     picture.save_html(f"{folder}/memory.html", steps=range(2)).name
    'memory.html'
    """
    chosen = trace[layer] if layer is not None else only_layer(trace, WHERE, "trace")
    if not hasattr(chosen, "gates"):
        raise ValueError(f"{WHERE}: layer={layer!r} names an array, not a layer; there are {', '.join(trace)}.")
    if not chosen.recurrent:
        raise ValueError(f"{WHERE}: {chosen.name} ({chosen.layer_class}) is not recurrent, it has no steps.")
    diagram = CellDiagram(chosen, sample, tokens=tokens, title=title, where=WHERE)
    first, last = (diagram.steps - 1, 0) if diagram.backwards else (0, diagram.steps - 1)
    write_page = partial(_write_page, chosen, diagram.sample, unit, tokens, title)
    still = diagram.show(last, unit)
    still.write_page = write_page
    if not in_notebook():
        return still

    import ipywidgets

    wide = ipywidgets.Layout(width="420px")
    step = ipywidgets.IntSlider(value=first, min=0, max=diagram.steps - 1, description="step", layout=wide)
    units = ipywidgets.IntSlider(value=unit, min=0, max=diagram.units - 1, description="unit")
    play = ipywidgets.Play(
        value=first, min=0, max=diagram.steps - 1, step=-1 if diagram.backwards else 1, interval=INTERVAL
    )
    ipywidgets.jslink((play, "value"), (step, "value"))
    return panel(
        lambda t, unit: diagram.show(t, unit),
        {"t": step, "unit": units},
        [ipywidgets.HBox([play, step, units])],
        write_page,
    )


def _write_page(layer, sample: int, unit: int, tokens, title: str | None, path, *, steps=None) -> Path:
    """The page of one unit, with pictures of its own, so that the one on display is not changed."""
    where = f"{WHERE}: save_html"
    diagram = CellDiagram(layer, sample, tokens=tokens, title=title, where=where)
    steps = range(diagram.steps) if steps is None else _chosen(steps, diagram.steps, where)
    if len(steps) > MOST_FRAMES:
        raise ValueError(
            f"{where}: {len(steps)} time steps are too many for a page, which can hold {MOST_FRAMES}; choose some: "
            f"steps=range({MOST_FRAMES})."
        )
    frames = {(k,): frame(diagram.show(t, unit)) for k, t in enumerate(steps)}
    start, plays = (len(steps) - 1, -1) if diagram.backwards else (0, 1)
    return save_page(
        path,
        frames,
        [Control("time step", tuple(map(str, steps)), start=start, plays=plays)],
        title=f"{diagram.lead}, unit {unit}, step by step",
        where=where,
        advice="choose fewer steps, such as steps=range(50)",
    )


def _chosen(steps, T: int, where: str) -> list[int]:
    if not isinstance(steps, range | list | tuple | np.ndarray):
        raise TypeError(f"{where}: steps must be a list or range of time steps, got {steps!r}.")
    steps = [checks.integer(step, "steps", where) for step in steps]
    if not steps:
        raise ValueError(f"{where}: steps names no time step; there are 0 to {T - 1}.")
    for step in steps:
        if not 0 <= step < T:
            raise ValueError(f"{where}: steps has {step}, but there are 0 to {T - 1}.")
    return sorted(set(steps))
