"""The results of a sweep: the mean over seeds at every point, its confidence interval, and every run."""

from __future__ import annotations

import numbers

import numpy as np
from matplotlib.figure import Figure

from rnn_ref.guard import guarded
from rnn_ref.plotting.shared import COLOURS, LINE_STYLES, describe, new_figure


@guarded
def sweep(
    found, metric: str | None = None, *, x: str | None = None, by: str | None = None, title: str | None = None
) -> Figure:
    """Draw the mean of a metric over the seeds against one argument of the grid, with one line per value of another.

    Every run is a faint dot; bars are 95 % bootstrap intervals of the mean.

    Parameters
    ----------
    found : Sweep
        From :func:`rnn_ref.sweep`.
    metric : str, optional
        By default the first that trainings returned.
    x : str, optional
        The argument along the axis; by default the last of the grid.
    by : str, optional
        The argument that distinguishes the lines; by default the other one in a grid of two.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no such metric or argument, a third argument is left, or every run failed.

    Examples
    --------
    >>> import rnn_ref
    >>> def train(units, rate, seed):
    ...     return {"loss": rate / units + seed / 1000}
    >>> found = rnn_ref.sweep(train, {"rate": [0.1, 0.2], "units": [2, 4]}, seeds=range(3), progress=False)
    >>> figure = rnn_ref.plot.sweep(found, "loss", x="units")
    >>> figure.axes[0].get_xlabel(), [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ('units', ['rate 0.1', 'rate 0.2'])
    """
    if not found.metrics:
        raise ValueError("plot.sweep: every run failed; print the sweep, or look at its errors.")
    metric = found.metrics[0] if metric is None else metric
    x, by = _axes(found.arguments, x, by)
    points = found.values(metric)
    places = list(dict.fromkeys(point[x] for point, _ in points))
    lines = list(dict.fromkeys(point[by] for point, _ in points)) if by else [None]
    scaled = all(isinstance(place, numbers.Real) and not isinstance(place, bool) for place in places)
    summary = {tuple(row[name] for name in found.arguments): row for row in found.summary()}

    figure = new_figure(6.4, 4.0)
    axis = figure.subplots()
    told = []
    for k, line in enumerate(lines):
        at, means, low, high = [], [], [], []
        shift = 0 if scaled else 0.12 * (k - (len(lines) - 1) / 2)
        for point, values in points:
            if (by and point[by] != line) or not len(values):
                continue
            row = summary[tuple(point.values())]
            place = (point[x] if scaled else places.index(point[x])) + shift
            axis.plot([place] * len(values), values, ".", color=COLOURS[k % 7], alpha=0.3, markersize=5)
            at.append(place)
            means.append(row[f"{metric} mean"])
            low.append(means[-1] - (means[-1] if row[f"{metric} low"] is None else row[f"{metric} low"]))
            high.append((means[-1] if row[f"{metric} high"] is None else row[f"{metric} high"]) - means[-1])
            name = "" if by is None else f"{by} {line}, "
            told.append(f"{name}{x} {point[x]}: {means[-1]:.3g} ({len(values)} runs)")
        order = np.argsort(at) if scaled else np.arange(len(at))
        at, means, low, high = (np.array(values)[order] for values in (at, means, low, high))
        axis.errorbar(
            at,
            means,
            [np.maximum(low, 0), np.maximum(high, 0)],
            label=None if by is None else f"{by} {line}",
            color=COLOURS[k % 7],
            linestyle=LINE_STYLES[k % 7] if scaled else "none",
            marker="o",
            capsize=4,
            linewidth=1.8,
        )
    if scaled:
        _scale(axis, places)
    else:
        axis.set_xticks(range(len(places)), [str(place) for place in places])
        axis.set_xlim(-0.5, len(places) - 0.5)
    axis.set_xlabel(x)
    axis.set_ylabel(metric.replace("_", " "))
    axis.grid(alpha=0.3)
    if by:
        axis.legend(frameon=False)
    seeds = len({row["seed"] for row in found.rows})
    axis.set_title(title or f"Mean over {seeds} seeds, with 95 % intervals; dots are runs", fontsize=11)
    return describe(figure, f"{metric} by {x}, mean over {seeds} seeds: {'; '.join(told)}.")


def _axes(arguments: list[str], x: str | None, by: str | None) -> tuple[str, str | None]:
    for name in (x, by):
        if name is not None and name not in arguments:
            raise ValueError(f"plot.sweep: {name!r} is no argument of the grid; it has {', '.join(arguments)}.")
    x = x or next((name for name in reversed(arguments) if name != by), None)
    rest = [name for name in arguments if name not in (x, by)]
    if by is None and len(rest) == 1:
        by = rest.pop()
    if x is None or x == by or rest:
        raise ValueError(
            f"plot.sweep: draws two arguments of a grid, x and by; it has {', '.join(arguments) or 'none'}. Sweep over "
            "fewer, or draw Sweep.frame()."
        )
    return x, by


def _scale(axis, places: list) -> None:
    """Use a logarithmic axis if values are positive and far apart, with a tick at each."""
    if min(places) > 0 and len(places) > 2 and max(places) / min(places) > 20:
        axis.set_xscale("log")
    axis.set_xticks(places, [f"{place:g}" for place in places])
    axis.minorticks_off()
