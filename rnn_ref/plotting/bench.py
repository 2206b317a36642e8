"""The benchmark's result: how many times as long as rnn_ref the others take."""

from __future__ import annotations

from matplotlib.figure import Figure

from rnn_ref.plotting.style import COLOURS, describe, new_figure

MARKERS = "osD^vPX"
NAMES = {"infer": "inference", "train": "training step"}


def bench(report: dict) -> Figure:
    """Draw the time of each contender over that of rnn_ref: a row of panels for each cell.

    Parameters
    ----------
    report : dict
        From ``rnn-ref bench cpu`` (``bench-cpu.json``).

    Returns
    -------
    matplotlib.figure.Figure
    """
    results = report["results"]
    cells = list(dict.fromkeys(entry["cell"] for entry in results))
    cases = list(dict.fromkeys(tuple(entry["case"]) for entry in results))
    peers = list(dict.fromkeys(n for entry in results for n in entry["times"] if n not in ("rnn_ref", "NumPy loop")))
    figure = new_figure(9.5, 0.9 + len(cells) * (0.8 + 0.26 * len(cases)))
    axes = figure.subplots(len(cells), len(NAMES), sharex=True, sharey=True, squeeze=False)
    slowest = 1.0
    for row, cell in zip(axes, cells):
        for axis, (what, title) in zip(row, NAMES.items()):
            axis.set_title(f"{cell}, {title}", fontsize=10)
            axis.axvline(1, color="black", linewidth=1)
            for k, peer in enumerate(peers):
                points = [
                    (
                        entry["times"][peer]["median"] / entry["times"]["rnn_ref"]["median"],
                        cases.index((*entry["case"],)),
                    )
                    for entry in results
                    if entry["cell"] == cell and entry["what"] == what and peer in entry["times"]
                ]
                slowest = max(slowest, *(x for x, _ in points)) if points else slowest
                x, y = zip(*points) if points else ((), ())
                axis.scatter(x, y, s=26, color=COLOURS[k % len(COLOURS)], marker=MARKERS[k % len(MARKERS)], label=peer)
            axis.set_xscale("log")
            axis.grid(axis="x", which="both", alpha=0.25)
    axes[0, 0].set_yticks(range(len(cases)), [", ".join(map(str, case)) for case in cases], fontsize=8)
    axes[0, 0].invert_yaxis()
    for axis in axes[:, 0]:
        axis.set_ylabel("batch, time,\nfeatures, units", fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel("time / time of rnn_ref", fontsize=9)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(peers), fontsize=9)
    machine = report["machine"]
    return describe(
        figure,
        f"Times of {', '.join(peers)} over that of rnn_ref for {', '.join(cells)} in {len(cases)} cases, up to "
        f"{slowest:.0f}; right of 1 rnn_ref is faster. {machine['processor']}, {machine['cores']} cores, "
        f"{machine['date']}.",
    )
