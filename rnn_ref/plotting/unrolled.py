"""A recurrent layer unrolled over a few steps: the computation graph of one unit, with numbers on its edges."""

from __future__ import annotations

from matplotlib.figure import Figure

from rnn_ref.guard import guarded
from rnn_ref.plotting.cell_drawing import INK, INPUT, LEFT, RIGHT, STEP, Pen, cell_numbers, drawing_of, features
from rnn_ref.plotting.shared import describe, new_figure, only_layer

MOST = 8  # steps


@guarded
def unrolled(
    trace, unit: int = 0, sample: int = 0, *, start: int = 0, steps: int = 4, ax=None, title: str | None = None
) -> Figure:
    """Draw the computation graph of one unit over a few time steps, with its numbers on the edges.

    The pre-activations of the gates also depend on the other units: through ``U``, on all of h_{t-1}. Everything else
    is this unit's own.

    Parameters
    ----------
    trace : LayerTrace of a SimpleRNN, LSTM or GRU, or a Trace with one such layer
        Of a layer that reads forwards, and over steps that are not masked.
    unit, sample : int
    start : int
        The first step drawn.
    steps : int
        How many, at most 8.
    ax : matplotlib.axes.Axes, optional
        Draw here instead of in a new figure.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> trace = rnn_ref.trace(rnn_ref.layers.SimpleRNN(2, name="rnn"), np.ones((1, 5, 1)))
    >>> figure = rnn_ref.plot.unrolled(trace, unit=1, steps=3)
    >>> figure.axes[0].get_title()
    'Unit 1 of “rnn”, time steps 0 to 2'
    """
    layer = only_layer(trace, "plot.unrolled", "trace")
    B, T, H = layer.hidden.shape
    for name, index, size in (("sample", sample, B), ("unit", unit, H), ("start", start, T)):
        if not 0 <= index < size:
            raise ValueError(f"plot.unrolled: {name}={index}, but {layer.name} has {name}s 0 to {size - 1}.")
    if not 1 <= steps <= MOST:
        raise ValueError(f"plot.unrolled: steps={steps}; from 1 to {MOST} can be drawn.")
    steps = min(steps, T - start)
    if layer.go_backwards:
        raise ValueError(
            f"plot.unrolled: in {layer.name}, which reads backwards, a step does not follow from the step before it; "
            "plot.step_through draws it."
        )
    draw, top = drawing_of(layer, "plot.unrolled")
    width, height = steps * STEP + 0.9, top + 1.3
    axis = ax if ax is not None else new_figure(width, height + 0.4, fixed=True).subplots()
    axis.set(xlim=(-0.65, width - 0.65), ylim=(-0.95, height - 0.95), aspect="equal")
    axis.axis("off")
    for k in range(steps):
        pen = Pen(axis, k * STEP, start + k, k == steps - 1)
        pen.box(LEFT, 0.25, RIGHT, top)
        pen.label((LEFT + RIGHT) / 2, top + 0.07, f"step {start + k}", weight="bold")
        pen.arrow([(INPUT, -0.2), (INPUT, 0.25)])
        pen.label(INPUT, -0.25, f"$x_{{{start + k}}}$ = {features(layer.inputs[sample, start + k])}", va="top")
        draw(pen, cell_numbers(layer, sample, unit, start + k, "plot.unrolled"))
    reads = "The gates read" if layer.gates else "The sum reads"
    activation = "" if "update" in layer.gates else " $φ$: the activation."
    axis.text(
        LEFT, -0.6, rf"{reads} $x_t$ and the hidden states $h_{{t-1}}$ of all units.{activation}",
        fontsize=8, color=INK, va="top",
    )  # fmt: skip
    axis.set_title(title or f"Unit {unit} of “{layer.name}”, time steps {start} to {start + steps - 1}", fontsize=11)
    hidden = ", ".join(f"{h:.2f}" for h in layer.hidden[sample, start : start + steps, unit])
    return describe(
        axis.figure,
        f"Computation graph of unit {unit} of {layer.name}, unrolled over time steps {start} to {start + steps - 1}, "
        f"with the values of inputs, gates and states on the edges; the hidden state is {hidden}.",
    )
