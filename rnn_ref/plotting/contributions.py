"""The time steps that a weight's gradient comes from."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rnn_ref.guard import guarded
from rnn_ref.plotting.shared import COLOURS, LINE_STYLES, describe, new_figure, only_layer, say_floor
from rnn_ref.plotting.time_axis import whole_steps


@guarded
def contributions(flow, *, time=None, title: str | None = None, floor: float = 1e-16) -> Figure:
    """Draw each time step's contribution to the gradient of every weight.

    Above, its norm on a logarithmic scale; below, its share of the gradient, negative where a step pulls against the
    sum. The shares of a weight add up to 1.

    Parameters
    ----------
    flow : LayerFlow, or a GradientFlow with one layer
    time : tuple of (str, ndarray (T,)), optional
        Label and values of the time axis; by default step numbers.
    title : str, optional
    floor : float
        Norms below this value are not drawn.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> model = rnn_ref.Sequential([rnn_ref.layers.GRU(4), rnn_ref.layers.Dense(1)])
    >>> flow = rnn_ref.gradient_flow(model, np.ones((2, 30, 3)), np.ones((2, 1)))
    >>> [line.get_label() for line in rnn_ref.plot.contributions(flow).axes[0].lines]
    ['kernel', 'recurrent kernel', 'bias']
    """
    layer = only_layer(flow, "plot.contributions", "flow")
    norms, shares = layer.contribution_norms(), layer.contribution_shares()
    if not norms:
        raise ValueError(f"plot.contributions: {layer.name} has no weights.")
    T = layer.dh.shape[1]
    label, values = time or ("time step", np.arange(T))
    if len(values) != T:
        raise ValueError(f"plot.contributions: time has {len(values)} values, the flow has {T} time steps.")
    figure = new_figure(7.5, 5.2)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1.3, 1))
    for k, name in enumerate(norms):
        look = {"color": COLOURS[k % len(COLOURS)], "linestyle": LINE_STYLES[k % len(LINE_STYLES)], "linewidth": 1.8}
        look["label"] = name.replace("_", " ")
        top.semilogy(values, np.where(norms[name] >= floor, norms[name], np.nan), **look)
        bottom.plot(values, 100 * shares[name], **look)
    top.set_ylabel(r"norm $\|\partial L/\partial W$ from step $t\,\|$")
    figure.legend(*top.get_legend_handles_labels(), loc="outside lower center", ncols=len(norms), frameon=False)
    bottom.axhline(0, color="0.5", linewidth=0.8)
    bottom.set_ylabel("share of gradient (%)")
    bottom.set_xlabel(label)
    whole_steps(bottom, values)
    say_floor(top, floor, any((norm < floor).any() for norm in norms.values()))
    for axis in (top, bottom):
        axis.grid(alpha=0.3)
    figure.suptitle(title or f"“{layer.name}”: where in time the weight gradients come from", fontsize=11)
    largest = "; ".join(f"{name} mostly from step {int(np.argmax(norm))} of {T}" for name, norm in norms.items())
    return describe(
        figure,
        f"Two curves by time step for every weight of {layer.name}: norm of the step's part of the gradient on a log "
        f"scale, and its share of the gradient. {largest}.",
    )
