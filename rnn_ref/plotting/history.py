"""Loss and metrics over the epochs of a fit."""

from __future__ import annotations

from matplotlib.figure import Figure

from rnn_ref.guard import guarded
from rnn_ref.plotting.shared import COLOURS, describe, new_figure


@guarded
def history(history, *, title: str | None = None) -> Figure:
    """Draw what ``fit`` returned: one panel per quantity, with training and validation together.

    Parameters
    ----------
    history : History, or its ``history`` dict
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import rnn_ref
    >>> figure = rnn_ref.plot.history({"loss": [1.0, 0.5], "val_loss": [1.1, 0.7]})
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['training', 'validation']
    """
    curves = getattr(history, "history", history)
    names = [name for name in curves if not name.startswith("val_")]
    if not names:
        raise ValueError("plot.history: the history is empty; fit the model for at least one epoch.")
    figure = new_figure(4.2 * len(names), 3.4)
    axes = figure.subplots(1, len(names), squeeze=False)[0]
    for axis, name in zip(axes, names):
        for key, label, style, colour in (
            (name, "training", "-", COLOURS[0]),
            (f"val_{name}", "validation", "--", COLOURS[1]),
        ):
            if key in curves:
                epochs = range(1, len(curves[key]) + 1)
                marker = "o" if len(curves[key]) == 1 else None
                axis.plot(epochs, curves[key], style, label=label, color=colour, marker=marker, linewidth=1.8)
        axis.set_xlabel("epoch")
        axis.set_ylabel(name.replace("_", " "))
        axis.grid(alpha=0.3)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.legend(frameon=False)
    figure.suptitle(title or "Training", fontsize=11)
    ends = ", ".join(f"{name} from {curves[name][0]:.3g} to {curves[name][-1]:.3g}" for name in names)
    return describe(figure, f"Training over {len(curves[names[0]])} epochs: {ends}.")
