"""The benchmark's result in one picture."""

from __future__ import annotations

from matplotlib.figure import Figure

from rnn_ref.plotting.shared import COLOURS, LINE_STYLES, describe, new_figure

NAMES = {"infer": "inference", "train": "training step"}
# The same colour and marker for a library in all panels. Colours mean libraries: cells are told apart by markers.
LIBRARIES = ("PyTorch", "JAX", "Keras (JAX)", "Keras (PyTorch)", "Keras (TensorFlow)", "rnn_ref")
STYLES = {
    name: {"color": colour, "marker": marker}
    for name, colour, marker in zip(LIBRARIES, (*COLOURS[:5], COLOURS[6]), "osD^vX")
}
CELLS = {"SimpleRNN": "o", "GRU": "s", "LSTM": "^"}
GREYS = {"SimpleRNN": "0.65", "GRU": "0.4", "LSTM": "0"}
SHARES = {"infer": "white", "train": "black"}
SMALL = 8


def bench(report: dict) -> Figure:
    """Draw the parts that a report has.

    Speed: the time of each peer over rnn_ref's, for each cell and case, and the fraction of the machine's peak for
    matrix products that rnn_ref reaches. Then ``fit``, variants, the first training step and memory; then how time
    grows.

    Parameters
    ----------
    report : dict
        From ``rnn-ref bench cpu --json``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    cells = list(dict.fromkeys(entry["cell"] for entry in report.get("cases", ())))
    small = [part for part in SMALL_PANELS if report.get(part)]
    heights = {"cases": 0.5 + 1.8 * len(cells), "small": 2.8, "scaling": 3.3}
    there = {"cases": cells, "small": small, "scaling": report.get("scaling")}
    blocks = {name: height for name, height in heights.items() if there[name]}
    figure = new_figure(12, 0.4 + sum(blocks.values()))
    parts = figure.subfigures(len(blocks), 1, squeeze=False, height_ratios=list(blocks.values()))[:, 0]
    for part, name in zip(parts, blocks):
        if name == "cases":
            draw_speed(part.subplots(len(cells), 3, sharey="row", squeeze=False), cells, report["cases"])
        elif name == "scaling":
            draw_growth(part.subplots(1, 3), report["scaling"]["sizes"])
        else:
            for axis, which in zip(part.subplots(1, len(small), squeeze=False)[0], small):
                SMALL_PANELS[which](axis, report[which])
    add_legend(figure)
    machine = report["machine"]
    return describe(
        figure,
        f"rnn_ref beside other libraries on {machine['processor']}, {machine['cores']} cores, {machine['date']}. "
        + " ".join(in_words(report)),
    )


def in_words(report: dict) -> list[str]:
    said = []
    for what, name in NAMES.items():
        best = [
            min(e["ratios"].values(), key=lambda r: r["median"])["median"]
            for e in report.get("cases", ())
            if e["what"] == what and e["ratios"]
        ]
        if best:
            said.append(f"The fastest of them takes {min(best):.2f} to {max(best):.2f} times as long, {name}.")
    return said


def draw_speed(axes, cells: list[str], results: list[dict]) -> None:
    """Times over rnn_ref's in inference and training, and the fraction of the peak, one row of panels per cell."""
    for panels, cell in zip(axes, cells):
        entries = [entry for entry in results if entry["cell"] == cell]
        cases = [", ".join(map(str, case)) for case in dict.fromkeys(tuple(entry["case"]) for entry in entries)]
        for axis, what in zip(panels, NAMES):
            axis.sharex(axes[0, 0])
            draw_ratios(axis, [entry for entry in entries if entry["what"] == what], cases)
            axis.set_title(f"{cell}, {NAMES[what]}", fontsize=10)
        for what, colour in SHARES.items():
            shares = [100 * e.get("share_of_peak", float("nan")) for e in entries if e["what"] == what]
            panels[2].scatter(
                shares, range(len(shares)), facecolor=colour, edgecolor="black", s=26, label=f"rnn_ref, {NAMES[what]}"
            )
        panels[2].set_title(f"{cell}, share of the machine's peak", fontsize=10)
        panels[2].set_xlim(0, 105 * max(1, *(entry.get("share_of_peak", 0) for entry in results)))
        rows(panels[2], cases)
        panels[0].set_ylabel("batch, time,\nfeatures, units", fontsize=SMALL + 1)
    for axis in axes[-1, :2]:
        axis.set_xlabel("time / time of rnn_ref", fontsize=SMALL + 1)
    axes[-1, 2].set_xlabel("rnn_ref, % of the rate of a large matrix product", fontsize=SMALL + 1)


def draw_ratios(axis, entries: list[dict], labels: list[str]) -> None:
    """A row for each entry: the time of each peer as a multiple of rnn_ref's, from the least to the greatest round."""
    axis.axvline(1, color="black", linewidth=1)
    for name, style in STYLES.items():
        points = [(e["ratios"][name], y) for y, e in enumerate(entries) if name in e["ratios"]]
        if points:
            ratios, y = zip(*points)
            x = [r["median"] for r in ratios]
            spread = [[r["median"] - r["least"] for r in ratios], [r["greatest"] - r["median"] for r in ratios]]
            axis.errorbar(x, y, xerr=spread, linestyle="", markersize=5, elinewidth=1, label=name, **style)
    axis.set_xscale("log")
    plain_log(axis.xaxis)
    rows(axis, labels)


def rows(axis, labels: list[str]) -> None:
    axis.set_yticks(range(len(labels)), labels, fontsize=SMALL)
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.tick_params(axis="x", labelsize=SMALL)
    axis.grid(axis="x", which="major", alpha=0.3)


def plain_log(axis) -> None:
    """Ticks as 1, 10, 100, not as powers of ten."""
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(lambda value, _: "")


def draw_fit(axis, results: list[dict]) -> None:
    draw_ratios(axis, results, [entry["model"] for entry in results])
    axis.set_title("fit, an epoch", fontsize=10)
    axis.set_xlabel("time / time of rnn_ref", fontsize=SMALL + 1)


def draw_variants(axis, results: list[dict]) -> None:
    names = list(dict.fromkeys(entry["variant"] for entry in results))
    axis.axvline(1, color="black", linewidth=1)
    for cell, marker in CELLS.items():
        for what, fill in SHARES.items():
            found = [e for e in results if e["cell"] == cell and e["what"] == what]
            axis.scatter(
                [e["over_predicted"] for e in found],
                [names.index(e["variant"]) + 0.2 * (list(CELLS).index(cell) - 1) for e in found],
                s=20,
                marker=marker,
                facecolor=fill,
                edgecolor="black",
                linewidth=0.8,
                label=cell if what == "train" else None,
            )
    axis.set_title("variants", fontsize=10)
    axis.set_xlabel("time / predicted from the plain layer\n(open: inference, filled: training)", fontsize=SMALL + 1)
    axis.set_xlim(left=0)
    rows(axis, [name.replace(" ", "\n") for name in names])
    axis.set_ylim(len(names) + 0.4, -0.6)  # below the last row, room for the legend
    axis.legend(fontsize=SMALL - 1, loc="lower center", ncols=3, borderpad=0.2, handletextpad=0, columnspacing=0.5)


def draw_start(axis, results: list[dict]) -> None:
    names = [entry["name"] for entry in results]
    for y, entry in enumerate(results):
        colour = STYLES[entry["name"]]["color"]
        axis.barh(y, entry["first_step"]["median"], color=colour, height=0.6, alpha=0.45)
        axis.barh(y, entry["import"]["median"], color=colour, height=0.6)
    axis.set_title("first training step", fontsize=10)
    axis.set_xlabel("s from the start of the process\n(dark: import)", fontsize=SMALL + 1)
    rows(axis, names)


def draw_memory(axis, results: dict) -> None:
    for y, (name, size) in enumerate(results["fit"].items()):
        axis.barh(y, size / 1e6, color=STYLES[name]["color"], height=0.6)
    axis.set_title("memory of a fit", fontsize=10)
    axis.set_xlabel("MB at most", fontsize=SMALL + 1)
    rows(axis, list(results["fit"]))


def draw_growth(panels, sizes: list[dict]) -> None:
    """Seconds over batch, time steps and units, with the fitted exponents."""
    for axis, name in zip(panels, ("batch", "time", "units")):
        for entry in (e for e in sizes if e["axis"] == name):
            n, seconds = zip(*entry["points"])
            exponent = "" if entry["exponent"] is None else f" {entry['exponent']:.2f}"
            axis.plot(
                n,
                [1e3 * s for s in seconds],
                color=GREYS[entry["cell"]],
                linestyle=LINE_STYLES[entry["what"] == "train"],
                marker=CELLS[entry["cell"]],
                markersize=4,
                label=f"{entry['cell']}{exponent}",
            )
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xticks(sorted({n for e in sizes if e["axis"] == name for n, _ in e["points"]}))
        plain_log(axis.xaxis)
        plain_log(axis.yaxis)
        axis.tick_params(labelsize=SMALL)
        axis.grid(alpha=0.3)
        axis.set_xlabel({"time": "time steps"}.get(name, name), fontsize=SMALL + 1)
        axis.legend(
            fontsize=SMALL - 1,
            title="exponents (solid: inference, dashed: training step)",
            title_fontsize=SMALL - 1,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.22),
            ncols=3,
            handlelength=3,
            frameon=False,
        )
    panels[0].set_ylabel("rnn_ref, ms", fontsize=SMALL + 1)


def add_legend(figure) -> None:
    handles = {}
    for axis in figure.axes:
        handles |= dict(zip(*axis.get_legend_handles_labels()[::-1]))
    names = [name for name in (*STYLES, *(f"rnn_ref, {what}" for what in NAMES.values())) if name in handles]
    if names:
        figure.legend(
            [handles[n] for n in names], names, loc="outside upper center", ncols=len(names), fontsize=SMALL + 1
        )


SMALL_PANELS = {"fit": draw_fit, "variants": draw_variants, "start": draw_start, "memory": draw_memory}
