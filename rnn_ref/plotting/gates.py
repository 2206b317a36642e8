"""Gates and states of one sample as heatmaps: time to the right, one row a unit."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rnn_ref.plotting.style import COLOURS, SIGNED, UNIT_INTERVAL, describe, new_figure

SYMBOLS = {
    "input": "input gate $i$",
    "forget": "forget gate $f$",
    "candidate": "candidate $g$",
    "output": "output gate $o$",
    "update": "update gate $z$",
    "reset": "reset gate $r$",
    "hidden": "hidden state $h$",
    "cell": "cell state $c$",
}


def gates(trace, sample: int = 0, *, time=None, series=None, title: str | None = None) -> Figure:
    """Draw every gate and state of one sample.

    Gates in 0..1 share one scale, candidates and hidden states another; the cell state, which has no bound, has its
    own. Signed quantities have zero in the middle.

    Parameters
    ----------
    trace : LayerTrace, or a Trace with one layer
    sample : int
    time : tuple of (str, ndarray (T,)), optional
        Label and values of the time axis; step numbers when absent.
    series : tuple of (str, ndarray (T,)), optional
        Label and values of a curve drawn above the gates.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> model = rnn_ref.Sequential([rnn_ref.layers.LSTM(4), rnn_ref.layers.Dense(1)])
    >>> figure = rnn_ref.plot.gates(rnn_ref.trace(model, np.ones((1, 9, 2))))
    >>> len(figure.axes)  # six panels, three colour bars
    9
    """
    layer = _only_layer(trace)
    panels = layer.gates | layer.states
    B, T, H = layer.hidden.shape
    if not 0 <= sample < B:
        raise ValueError(f"plot.gates: sample={sample}, but the trace holds samples 0 to {B - 1}.")
    label, values = time or ("time step", np.arange(T))
    for what, array in (("time", values), ("series", series[1] if series else values)):
        if len(array) != T:
            raise ValueError(f"plot.gates: {what} has {len(array)} values, the trace has {T} time steps.")
    half = (values[-1] - values[0]) / (T - 1) / 2 if T > 1 else 0.5
    extent = (values[0] - half, values[-1] + half, H + 0.5, 0.5)

    rows = len(panels) + (series is not None)
    figure = new_figure(9, 1.1 + 1.15 * rows)
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    if series is not None:
        axes[0].plot(values, series[1], color=COLOURS[0], linewidth=1.3)
        axes[0].set_ylabel(series[0])
        axes[0].margins(x=0)
    groups: dict[str, list] = {}
    for name, array in panels.items():
        groups.setdefault(_group(name, array[sample]), []).append((name, array[sample].T))
    place = rows - len(panels)
    for label_of_bar in sorted(groups, key=list(BARS).index):
        colours, bound = BARS[label_of_bar]
        arrays = [array for _, array in groups[label_of_bar]]
        limit = bound or max(float(np.abs(array).max()) for array in arrays) or 1.0
        lowest = 0 if colours == UNIT_INTERVAL else -limit
        own_axes = axes[place : place + len(arrays)]
        for axis, (name, array) in zip(own_axes, groups[label_of_bar]):
            image = axis.imshow(
                array, aspect="auto", extent=extent, cmap=colours, vmin=lowest, vmax=limit, interpolation="nearest"
            )
            axis.set_title(SYMBOLS[name], fontsize=9, loc="left", pad=3)
            axis.set_ylabel("unit")
            axis.set_yticks([1, H] if H > 1 else [1])
        bar = figure.colorbar(image, ax=list(own_axes), pad=0.01, aspect=12 * len(arrays), fraction=0.06)
        bar.set_label(label_of_bar)
        place += len(arrays)
    axes[-1].set_xlabel(label)
    figure.suptitle(title or f"Inside {layer.name}: every gate and state of {H} units", fontsize=11)
    means = ", ".join(f"{n} {a[sample].mean():.2f}" for n, a in layer.gates.items())
    return describe(
        figure,
        f"Heatmaps of {', '.join(panels)} of the layer {layer.name}: {H} units over {T} time steps."
        + (f" Means: {means}." if means else ""),
    )


# Label of a colour bar: its colours, and the largest value (None: that of the data).
BARS = {
    "0 closed, 1 open": (UNIT_INTERVAL, 1.0),
    "value": (SIGNED, 1.0),
    "signed value": (SIGNED, None),
}


def _group(name: str, array: np.ndarray) -> str:
    """Gates lie in 0..1, candidates and hidden states in -1..1, if their activations say so; cell states anywhere."""
    largest = np.abs(array).max()
    if name not in ("candidate", "hidden", "cell") and array.min() >= 0 and largest <= 1:
        return "0 closed, 1 open"
    return "value" if name != "cell" and largest <= 1 else "signed value"


def _only_layer(trace):
    if not hasattr(trace, "layers"):
        return trace
    if len(trace.layers) != 1:
        raise ValueError(f"plot.gates draws one layer; choose one of trace[name]: {', '.join(trace.layers)}.")
    return next(iter(trace.layers.values()))
