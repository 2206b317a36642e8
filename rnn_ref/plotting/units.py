"""One unit over time: its gates, and the states they produce."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rnn_ref.guard import guarded
from rnn_ref.plotting.named import colour_of
from rnn_ref.plotting.shared import LINE_STYLES, describe, new_figure, only_layer
from rnn_ref.plotting.time_axis import sample_of, time_values, whole_steps, write_tokens

WHERE = "plot.unit"


@guarded
def unit(trace, unit: int, sample: int = 0, *, time=None, tokens=None, title: str | None = None) -> Figure:
    """Draw the gates of one unit over time, and below them its candidate and states.

    Parameters
    ----------
    trace : LayerTrace, or a Trace with one recurrent layer
    unit : int
    sample : int
    time : tuple of (str, ndarray (T,)), optional
        Label and values of the time axis; by default step numbers.
    tokens : str or list of str, optional
        What was read at each step, written under the axis.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> seen = rnn_ref.trace(rnn_ref.layers.LSTM(4, name="memory"), np.ones((1, 9, 2)))
    >>> figure = rnn_ref.plot.unit(seen, 3, tokens="sunspots!")
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['input', 'forget', 'output']
    """
    layer = only_layer(trace, WHERE, "trace")
    sample = sample_of(layer, sample, WHERE)
    curves = layer.gates | layer.states
    if not curves:
        raise ValueError(f"{WHERE}: no gate or state of {layer.name} was kept.")
    T, H = next(iter(curves.values())).shape[1:3]
    if not 0 <= unit < H:
        raise ValueError(f"{WHERE}: unit={unit}, but {layer.name} has units 0 to {H - 1}.")
    label, values = time_values(layer, time, T, WHERE)
    curves = {name: array[sample, :, unit] for name, array in curves.items()}
    if layer.mask is not None:  # a gap at masked steps, where nothing happens
        curves = {name: np.where(layer.mask[sample], curve, np.nan) for name, curve in curves.items()}
    upper = [name for name in layer.gates if name != "candidate"]
    lower = [name for name in curves if name not in (*upper, "cell")]
    groups = [(upper, "gate\n0 closed, 1 open"), (lower, "value"), (["cell"] if "cell" in curves else [], "value")]
    groups = [(names, what) for names, what in groups if names]  # the cell state is unbounded, and has its own scale
    figure = new_figure(9, 1.0 + 1.7 * len(groups))
    axes = figure.subplots(len(groups), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (names, what) in zip(axes, groups):
        for k, name in enumerate(names):
            colour = colour_of(name)
            single = {"marker": "."} if T < 40 else {}
            axis.plot(values, curves[name], color=colour, linestyle=LINE_STYLES[k], linewidth=1.4, label=name, **single)
        bounded = names is upper and all(np.nanmin(curves[n]) >= 0 and np.nanmax(curves[n]) <= 1 for n in names)
        if bounded:
            axis.set_ylim(-0.04, 1.04)
        else:
            axis.axhline(0, color="0.6", linewidth=0.8, zorder=0)
        axis.set_ylabel(what if bounded else "value")
        axis.margins(x=0.01)
        axis.grid(alpha=0.3)
        axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)
    axes[-1].set_xlabel(label)
    whole_steps(axes[-1], values)
    if tokens is not None:
        write_tokens(axes[-1], values, tokens, WHERE)
    figure.suptitle(title or f"Unit {unit} of “{layer.name}”", fontsize=11)
    means = ", ".join(f"{name} {np.nanmean(curve):.2f}" for name, curve in curves.items())
    return describe(
        figure, f"Curves over {T} time steps of unit {unit} of {layer.name}: {', '.join(curves)}. Means: {means}."
    )
