"""Forecasts of a series against the actual values."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rnn_ref.guard import guarded
from rnn_ref.plotting.shared import COLOURS, LINE_STYLES, describe, new_figure


@guarded
def forecast(time, truth, forecasts: dict[str, np.ndarray], *, ylabel: str, title: str | None = None) -> Figure:
    """Draw a series, forecasts of it, and the error of each.

    Parameters
    ----------
    time : tuple of (str, ndarray (N,))
        Label and values of the time axis.
    truth : ndarray, (N,)
    forecasts : dict of str to ndarray, (N,)
    ylabel : str
        What is forecast, with its unit.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> t = np.arange(5)
    >>> figure = rnn_ref.plot.forecast(("year", t), t**2, {"a guess": t**2 + 1}, ylabel="value")
    >>> len(figure.axes)
    2
    """
    label, values = time
    figure = new_figure(9, 5)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    above.plot(values, truth, color="black", linewidth=1.6, label="observed")
    below.axhline(0, color="black", linewidth=0.8)
    for k, (name, array) in enumerate(forecasts.items()):
        look = {"color": COLOURS[k % len(COLOURS)], "linestyle": LINE_STYLES[k % len(LINE_STYLES)], "linewidth": 1.3}
        above.plot(values, array, label=name, **look)
        below.plot(values, np.asarray(array) - truth, **look)
    above.set_ylabel(ylabel)
    below.set_ylabel("forecast − observed")
    below.set_xlabel(label)
    above.legend(frameon=False, ncols=2 + len(forecasts), loc="upper center", bbox_to_anchor=(0.5, 1.15), fontsize=9)
    for axis in (above, below):
        axis.grid(alpha=0.3)
        axis.margins(x=0.01)
    figure.suptitle(title or "Forecasts", fontsize=11)
    errors = ", ".join(f"{n} {np.sqrt(np.mean((np.asarray(a) - truth) ** 2)):.3g}" for n, a in forecasts.items())
    return describe(figure, f"{ylabel} over {len(truth)} points with forecasts; root mean squared errors: {errors}.")
