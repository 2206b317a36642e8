"""A cell at work, step by step, with a slider over time."""

from __future__ import annotations

from rnn_ref.guard import guarded
from rnn_ref.plotting.cell_diagram import CellDiagram
from rnn_ref.plotting.panel import in_notebook, panel
from rnn_ref.plotting.style import only_layer

WHERE = "plot.step_through"
INTERVAL = 400  # milliseconds a step, when it plays


@guarded
def step_through(trace, layer: str | None = None, sample: int = 0, unit: int = 0, *, tokens=None):
    """Step through time: a slider and a play button move the diagram of a cell with its numbers.

    Parameters
    ----------
    trace : Trace or LayerTrace
        Of a SimpleRNN, LSTM or GRU, with all its time steps.
    layer : str, optional
        Which layer of the trace; not needed where only one is recurrent.
    sample : int
    unit : int
        The unit to begin with.
    tokens : str or list of str, optional
        What was read at each step.

    Returns
    -------
    ipywidgets.VBox, or matplotlib.figure.Figure
        Where there is no notebook, or no ipywidgets, the picture of the step computed last; see
        :func:`~rnn_ref.plotting.cell_diagram` for others.

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
    """
    chosen = trace[layer] if layer is not None else only_layer(trace, WHERE, "trace")
    if not hasattr(chosen, "gates"):
        raise ValueError(f"{WHERE}: layer={layer!r} names an array, not a layer; there are {', '.join(trace)}.")
    if not chosen.recurrent:
        raise ValueError(f"{WHERE}: {chosen.name} ({chosen.layer_class}) is not recurrent, it has no steps.")
    diagram = CellDiagram(chosen, sample, tokens=tokens, where=WHERE)
    first, last = (diagram.steps - 1, 0) if diagram.backwards else (0, diagram.steps - 1)
    still = diagram.show(last, unit)
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
    )
