"""Gates and states of one sample as heatmaps: time to the right, one row per unit."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rnn_ref.guard import guarded
from rnn_ref.plotting.named import title_of
from rnn_ref.plotting.shared import COLOURS, SIGNED, UNIT_INTERVAL, describe, new_figure, only_layer
from rnn_ref.plotting.time_axis import sample_of, time_values, whole_steps, write_tokens

WHERE = "plot.gates"


@guarded
def gates(trace, sample: int = 0, *, time=None, series=None, tokens=None, title: str | None = None) -> Figure:
    """Draw every gate and state of one sample.

    Gates in 0..1 share one scale, candidates and hidden states another; the unbounded cell state has its own. Signed
    quantities have zero in the middle. Masked steps are left blank.

    Parameters
    ----------
    trace : LayerTrace, or a Trace with one recurrent layer
    sample : int
    time : tuple of (str, ndarray (T,)), optional
        Label and values of the time axis; by default step numbers.
    series : tuple of (str, ndarray (T,)), optional
        Label and values of a curve drawn above the gates.
    tokens : str or list of str, optional
        What was read at each step, written under the axis.
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
    layer = only_layer(trace, WHERE, "trace")
    sample = sample_of(layer, sample, WHERE)
    panels = {name: _rows(array[sample], layer.mask, sample) for name, array in (layer.gates | layer.states).items()}
    if not panels:
        raise ValueError(f"{WHERE}: no gate or state of {layer.name} was kept.")
    H, T = next(iter(panels.values())).shape
    label, values = time_values(layer, time, T, WHERE)
    if series is not None and (not isinstance(series, tuple | list) or len(series) != 2):
        raise TypeError(f"{WHERE}: series must be a label and {T} values, got {series!r}.")
    if series is not None and len(series[1]) != T:
        raise ValueError(f"{WHERE}: series has {len(series[1])} values, the trace has {T} time steps.")
    half = (values[-1] - values[0]) / (T - 1) / 2 if T > 1 else 0.5
    extent = (values[0] - half, values[-1] + half, H - 0.5, -0.5)

    rows = len(panels) + (series is not None)
    figure = new_figure(9, 1.1 + 1.15 * rows)
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    if series is not None:
        axes[0].plot(values, series[1], color=COLOURS[0], linewidth=1.3)
        axes[0].set_ylabel(series[0])
        axes[0].margins(x=0)
    groups: dict[str, list] = {}
    for name, array in panels.items():
        groups.setdefault(_group(name, array), []).append((name, array))
    place = rows - len(panels)
    for kind in sorted(groups, key=list(BARS).index):
        colours, bound = BARS[kind]
        arrays = [array for _, array in groups[kind]]
        limit = bound or max(float(np.ma.filled(np.abs(array), 0).max()) for array in arrays) or 1.0
        lowest = 0 if colours == UNIT_INTERVAL else -limit
        own_axes = axes[place : place + len(arrays)]
        for axis, (name, array) in zip(own_axes, groups[kind]):
            image = axis.imshow(
                array, aspect="auto", extent=extent, cmap=colours, vmin=lowest, vmax=limit, interpolation="nearest"
            )
            axis.set_title(title_of(layer, name), fontsize=9, loc="left", pad=3)
            axis.set_ylabel("unit")
            axis.set_yticks([0, H - 1] if H > 1 else [0])
        bar = figure.colorbar(image, ax=list(own_axes), pad=0.01, aspect=12 * len(arrays), fraction=0.06)
        bar.set_label("0 closed, 1 open" if colours == UNIT_INTERVAL else "signed value")
        place += len(arrays)
    axes[-1].set_xlabel(label)
    whole_steps(axes[-1], values)
    if tokens is not None:
        write_tokens(axes[-1], values, tokens, WHERE)
    figure.suptitle(title or f"Inside “{layer.name}”: every gate and state of {H} units", fontsize=11)
    means = ", ".join(f"{n} {panels[n].mean():.2f}" for n in layer.gates)
    return describe(
        figure,
        f"Heatmaps of {', '.join(panels)} of the layer {layer.name}: {H} units over {T} time steps."
        + (f" Means: {means}." if means else ""),
    )


# Colours of panels that share a colour bar, and its largest value (None: from the data).
BARS = {
    "open": (UNIT_INTERVAL, 1.0),
    "bounded": (SIGNED, 1.0),
    "unbounded": (SIGNED, None),
}


def _group(name: str, array: np.ndarray) -> str:
    """Gates in 0..1, candidates and hidden states in -1..1, if their activations are so bounded; others unbounded."""
    largest = np.abs(array).max()
    if name not in ("candidate", "hidden", "cell") and array.min() >= 0 and largest <= 1:
        return "open"
    return "bounded" if name != "cell" and largest <= 1 else "unbounded"


def _rows(array: np.ndarray, mask, sample: int) -> np.ndarray:
    """``(T, ...)`` -> ``(H, T)``, with masked steps masked."""
    array = array.reshape(len(array), -1).T
    return array if mask is None else np.ma.array(array, mask=np.broadcast_to(~mask[sample], array.shape))
