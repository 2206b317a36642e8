"""How often each unit's gates are nearly closed or nearly open."""

from __future__ import annotations

from matplotlib.figure import Figure

from rnn_ref.guard import guarded
from rnn_ref.plotting.named import colour_of
from rnn_ref.plotting.shared import describe, new_figure, only_layer


@guarded
def saturation(report, *, title: str | None = None) -> Figure:
    """Draw one circle per unit: fraction of time its gate was open (to the right) and closed (upwards).

    A unit at the far right always lets everything through, one at the top nothing, and one at the origin works in
    between; no unit can lie beyond the diagonal.

    Parameters
    ----------
    report : LayerSaturation, or a SaturationReport with one layer
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    References
    ----------
    Karpathy, Johnson, Li, "Visualizing and understanding recurrent networks", 2015, figure 3.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> lstm = rnn_ref.layers.LSTM(8, name="lstm")
    >>> figure = rnn_ref.plot.saturation(rnn_ref.saturation(lstm, np.ones((2, 10, 3))))
    >>> [axis.get_title() for axis in figure.axes]
    ['input gate', 'forget gate', 'output gate']
    """
    layer = only_layer(report, "plot.saturation", "report")
    if not layer.below:
        raise ValueError(f"plot.saturation: {layer.name} has no gates.")
    figure = new_figure(0.6 + 3.0 * len(layer.below), 3.7)
    axes = figure.subplots(1, len(layer.below), sharex=True, sharey=True, squeeze=False)[0]
    for axis, gate in zip(axes, layer.below):
        axis.plot([0, 100], [100, 0], color="0.6", linewidth=1)
        colour = colour_of(gate)
        axis.scatter(100 * layer.above[gate], 100 * layer.below[gate], s=42, color=colour, alpha=0.45, clip_on=False)
        axis.set(xlim=(0, 100), ylim=(0, 100), aspect="equal", xlabel=f"time above {layer.high:g}, open (%)")
        axis.set_title(f"{gate} gate", fontsize=10)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel(f"time below {layer.low:g}, closed (%)")
    figure.suptitle(title or f"Gate saturation in “{layer.name}”: one circle a unit", fontsize=11)
    means = "; ".join(
        f"{gate} open {layer.above[gate].mean():.0%}, closed {layer.below[gate].mean():.0%}" for gate in layer.below
    )
    return describe(
        figure,
        f"One circle for each of {len(layer.zero)} units by the time its gate is open or closed. Means: {means}.",
    )
