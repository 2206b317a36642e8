"""Weight histograms, gate by gate."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rnn_ref.guard import guarded
from rnn_ref.plotting.shared import COLOURS, LINE_STYLES, describe, need_some, new_figure

BINS = 40


@guarded
def weights(reports, *, title: str | None = None) -> Figure:
    """Draw the distribution of each gate's weights: one column per gate, one row per weight.

    Parameters
    ----------
    reports : LayerWeights, or dict of str to LayerWeights
        From :func:`~rnn_ref.weight_report`; several reports on a layer, such as before and after training, are
        overlaid.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import rnn_ref
    >>> layer = rnn_ref.layers.GRU(8, input_shape=(10, 3), name="gru")
    >>> figure = rnn_ref.plot.weights(rnn_ref.weight_report(layer)["gru"])
    >>> [axis.get_title() for axis in figure.axes[:3]]
    ['update', 'reset', 'candidate']
    """
    need_some(reports, "plot.weights")
    labelled = {"": reports} if hasattr(reports, "gates") else dict(reports)
    first = next(iter(labelled.values()))
    gates = list(first)
    for label, report in labelled.items():
        if list(report) != gates:
            raise ValueError(
                f"plot.weights: {label!r} has the gates {', '.join(report)}, the first report {', '.join(gates)}; "
                "give reports of one layer."
            )
    names = list(dict.fromkeys(name for gate in gates for name in first[gate].arrays))
    figure = new_figure(1.2 + 2.4 * len(gates), 0.9 + 1.75 * len(names))
    axes = figure.subplots(len(names), len(gates), sharex="row", sharey="row", squeeze=False)
    for row, name in zip(axes, names):
        having = [gate for gate in gates if name in first[gate].arrays]
        everything = [report[gate].arrays[name].ravel() for report in labelled.values() for gate in having]
        bins = np.histogram_bin_edges(np.concatenate(everything), BINS)
        for axis, gate in zip(row, gates):
            if gate not in having:
                axis.text(0.5, 0.5, "none", transform=axis.transAxes, ha="center", va="center", color="0.4")
                continue
            axis.axvline(0, color="0.75", linewidth=0.8)
            for k, (label, report) in enumerate(labelled.items()):
                values = report[gate].arrays[name].ravel()
                axis.hist(
                    values,
                    bins,
                    weights=np.full(len(values), 100 / len(values)),
                    histtype="step" if len(labelled) > 1 else "stepfilled",
                    color=COLOURS[k % len(COLOURS)],
                    linestyle=LINE_STYLES[k % len(LINE_STYLES)],
                    linewidth=1.4,
                    label=label,
                )
            axis.grid(alpha=0.3)
        row[0].set_ylabel(f"{name.replace('_', ' ')}\n(% of weights)")
    figure.align_ylabels(axes[:, 0])
    for axis, gate in zip(axes[0], gates):
        axis.set_title(gate, fontsize=10)
    for axis in axes[-1]:
        axis.set_xlabel("value")
    if len(labelled) > 1:
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(title or f"Weights of “{first.name}”, gate by gate", fontsize=11)
    spread = "; ".join(
        " ".join(
            part for part in (label, f"recurrent kernel of {gate} {report[gate].recurrent_kernel.std():.2g}") if part
        )
        for label, report in labelled.items()
        for gate in gates
        if report[gate].recurrent_kernel is not None
    )
    return describe(
        figure,
        f"Histograms of {', '.join(name.replace('_', ' ') for name in names)} for the gates {', '.join(gates)} of "
        f"{first.name}. Standard deviations: {spread}.",
    )
