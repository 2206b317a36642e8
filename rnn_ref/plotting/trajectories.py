"""The way of the hidden state through its space, seen from where it varies most."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from rnn_ref.inspection.projection import principal_components
from rnn_ref.plotting.style import COLOURS, LINE_STYLES, describe, new_figure, only_layer
from rnn_ref.plotting.time_axis import sample_of, time_values

WHERE = "plot.trajectories"
MOST = 50  # paths, where none are chosen


def trajectories(
    trace, samples=None, *, state: str = "hidden", labels=None, time=None, ax=None, title: str | None = None
) -> Figure:
    """Draw how a state moves over time, in the plane of its two first principal components.

    A circle marks the state before the first step, a square the last one. Masked steps, over which a state stands
    still, count for nothing.

    Parameters
    ----------
    trace : LayerTrace, or a Trace with one recurrent layer
    samples : int or list of int, optional
        The first 50 when absent.
    state : str
        "hidden" or "cell".
    labels : list, (B,), optional
        A class for each sample of the trace: paths have the colour of their class instead of that of the time.
    time : tuple of (str, ndarray (T,)), optional
        Label and values of time; step numbers when absent.
    ax : matplotlib.axes.Axes, optional
        Draw here instead of in a new figure.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> x = np.random.default_rng(0).normal(size=(3, 20, 2))
    >>> figure = rnn_ref.plot.trajectories(rnn_ref.trace(rnn_ref.layers.GRU(5, name="gru"), x))
    >>> figure.axes[0].get_title()
    'Hidden state of gru, 3 samples'
    """
    layer = only_layer(trace, WHERE, "trace")
    if state not in layer.states:
        raise ValueError(
            f"{WHERE}: {layer.name} has no state {state!r}; there are {', '.join(layer.states) or 'none'}."
        )
    B, T = layer.states[state].shape[:2]
    chosen = range(min(B, MOST)) if samples is None else np.atleast_1d(samples)
    chosen = [sample_of(layer, int(sample), WHERE) for sample in chosen]
    if labels is not None and len(labels) != B:
        raise ValueError(f"{WHERE}: labels has {len(labels)} entries, the trace has {B} samples.")
    time_label, values = time_values(layer, time, T, WHERE)
    paths = [_path(layer, state, sample) for sample in chosen]
    points, _, shares = principal_components(np.concatenate([path for path, _ in paths]))
    paths = list(zip(np.split(points, np.cumsum([len(path) for path, _ in paths])[:-1]), (steps for _, steps in paths)))
    axis = ax if ax is not None else new_figure(6.2, 5.2).subplots()
    thin = len(paths) > 10
    if labels is None:
        _by_time(axis, paths, values, time_label, 0.8 if thin else 1.4)
    else:
        _by_class(axis, paths, [labels[sample] for sample in chosen], 0.8 if thin else 1.4)
    for k, (path, _) in enumerate(paths):
        style = {"facecolor": "white", "edgecolor": "black", "zorder": 3, "s": 14 if thin else 34, "linewidth": 0.8}
        axis.scatter(*path[0], marker="o", label="before the first step" if k == 0 else None, **style)
        axis.scatter(
            *path[-1], marker="s", label="after the last step" if k == 0 else None, **(style | {"facecolor": "black"})
        )
    axis.autoscale()
    axis.set_aspect("equal", "datalim")
    axis.grid(alpha=0.3)
    for number, share, name in zip(("1st", "2nd"), shares, ("set_xlabel", "set_ylabel")):
        getattr(axis, name)(f"{number} principal component ({share:.0%} of variance)")
    many = f"{len(paths)} samples" if len(paths) > 1 else f"sample {chosen[0]}"
    axis.set_title(title or f"{state.capitalize()} state of {layer.name}, {many}", fontsize=11)
    axis.legend(frameon=False, fontsize=8, loc="best")
    end = points.std(axis=0)
    return describe(
        axis.figure,
        f"Paths of the {state} state of {layer.name} over {T} time steps, {many}, in the plane of the first two "
        f"principal components, which hold {shares.sum():.0%} of the variance; standard deviations along them "
        f"{end[0]:.2g} and {end[1]:.2g}.",
    )


def _path(layer, state: str, sample: int) -> tuple[np.ndarray, np.ndarray]:
    """States of one sample with the initial one in front, in the order they came, and which kept step each is."""
    states, steps = layer.states[state][sample], np.arange(layer.states[state].shape[1])
    if layer.mask is not None:
        steps = steps[layer.mask[sample]]
    if layer.go_backwards:
        steps = steps[::-1]
    path = np.concatenate([layer.initial_states[state][sample][None], states[steps]])
    return path.reshape(len(path), -1), steps


def _by_time(axis, paths, values, label, width) -> None:
    norm = Normalize(float(values[0]), float(values[-1]) if len(values) > 1 else float(values[0]) + 1)
    for path, steps in paths:
        lines = LineCollection(np.stack([path[:-1], path[1:]], axis=1), cmap="cividis", norm=norm, linewidths=width)
        lines.set_array(np.asarray(values, "float64")[steps])
        axis.add_collection(lines)
    axis.figure.colorbar(ScalarMappable(norm, colormaps["cividis"]), ax=axis, fraction=0.05, pad=0.02).set_label(label)


def _by_class(axis, paths, classes, width) -> None:
    known = sorted(set(classes), key=str)
    named = set()
    for (path, _), own in zip(paths, classes):
        k, label = known.index(own), None if own in named else str(own)
        named.add(own)
        axis.plot(
            *path.T, color=COLOURS[k % len(COLOURS)], linestyle=LINE_STYLES[k // len(COLOURS) % len(LINE_STYLES)],
            linewidth=width, alpha=0.7, label=label,
        )  # fmt: skip
