"""The path of the hidden state through its space, projected to where it varies most."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from rnn_ref import checks
from rnn_ref.guard import guarded
from rnn_ref.inspection.projection import principal_components
from rnn_ref.plotting.shared import COLOURS, LINE_STYLES, describe, new_figure, only_layer
from rnn_ref.plotting.time_axis import sample_of, time_values

WHERE = "plot.trajectories"
MOST = 50  # the number of paths by default


@guarded
def trajectories(
    trace, samples=None, *, state: str = "hidden", labels=None, time=None, ax=None, title: str | None = None
) -> Figure:
    """Draw how a state moves over time in the plane of its first two principal components.

    A circle marks the state before the first step, a square the last one. Masked steps, over which a state does not
    move, are left out.

    Parameters
    ----------
    trace : LayerTrace, or a Trace with one recurrent layer
    samples : int or list of int, optional
        By default the first 50.
    state : str
        "hidden" or "cell".
    labels : list, (B,), optional
        A class for each sample of the trace: paths are coloured by class instead of by time.
    time : tuple of (str, ndarray (T,)), optional
        Label and values of time; by default step numbers.
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
    'Hidden state of “gru”, 3 samples'
    """
    layer = only_layer(trace, WHERE, "trace")
    if state not in layer.states:
        raise ValueError(
            f"{WHERE}: {layer.name} has no state {state!r}; there are {', '.join(layer.states) or 'none'}."
        )
    B, T = layer.states[state].shape[:2]
    chosen = range(min(B, MOST)) if samples is None else np.atleast_1d(samples)
    chosen = [sample_of(layer, checks.integer(sample, "samples", WHERE), WHERE) for sample in chosen]
    checks.unmasked(labels, "labels", WHERE)
    if labels is not None and not isinstance(labels, list | tuple | np.ndarray):
        raise TypeError(f"{WHERE}: labels must be a list with a class for each sample, got {labels!r}.")
    if labels is not None and len(labels) != B:
        raise ValueError(f"{WHERE}: labels has {len(labels)} entries, the trace has {B} samples.")
    time_label, values = time_values(layer, time, T, WHERE)
    paths = [_path(layer, state, sample) for sample in chosen]
    points, _, shares = principal_components(np.concatenate([path for path, _ in paths]))
    paths = list(zip(np.split(points, np.cumsum([len(path) for path, _ in paths])[:-1]), (steps for _, steps in paths)))
    axis = ax if ax is not None else new_figure(6.2, 5.2).subplots()
    thin = len(paths) > 10
    known = [] if labels is None else sorted({str(labels[sample]) for sample in chosen})
    if labels is None:
        _by_time(axis, paths, values, time_label, 0.8 if thin else 1.4)
    else:
        _by_class(axis, paths, [str(labels[sample]) for sample in chosen], known, 0.8 if thin else 1.4)
    for k, (path, _) in enumerate(paths):
        style = {"edgecolor": "black", "zorder": 3, "s": 20 if thin else 34, "linewidth": 0.8}
        end = "black" if labels is None else COLOURS[known.index(str(labels[chosen[k]])) % len(COLOURS)]
        axis.scatter(*path[0], marker="o", facecolor="white", label="" if k else "before the first step", **style)
        axis.scatter(*path[-1], marker="s", facecolor=end, label="" if k else "after the last step", **style)
    axis.autoscale()
    axis.set_aspect("equal", "datalim")
    axis.grid(alpha=0.3)
    for number, share, name in zip(("1st", "2nd"), shares, ("set_xlabel", "set_ylabel")):
        getattr(axis, name)(f"{number} principal component ({share:.0%} of variance)")
    many = f"{len(paths)} samples" if len(paths) > 1 else f"sample {chosen[0]}"
    axis.set_title(title or f"{state.capitalize()} state of “{layer.name}”, {many}", fontsize=11)
    axis.legend(frameon=False, fontsize=8, loc="best")
    spread = points.std(axis=0)
    return describe(
        axis.figure,
        f"Paths of the {state} state of {layer.name} over {T} time steps, {many}, in the plane of the first two "
        f"principal components, which hold {shares.sum():.0%} of the variance; standard deviations along them "
        f"{spread[0]:.2g} and {spread[1]:.2g}.",
    )


def _path(layer, state: str, sample: int) -> tuple[np.ndarray, np.ndarray]:
    """States of one sample, the initial one first, in order of computation, and the kept step of each."""
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


def _by_class(axis, paths, classes, known, width) -> None:
    styles = {
        name: {"color": COLOURS[k % len(COLOURS)], "linestyle": LINE_STYLES[k // len(COLOURS) % len(LINE_STYLES)]}
        for k, name in enumerate(known)
    }
    for name, style in styles.items():
        axis.plot([], [], linewidth=1.6, label=name, **style)
    for (path, _), own in zip(paths, classes):
        axis.plot(*path.T, linewidth=width, alpha=0.6, **styles[own])
