"""The benchmark's result as tables for a README."""

from __future__ import annotations

from rnn_ref.bench.cases import disagree, machine_peak
from rnn_ref.bench.goals import goals
from rnn_ref.bench.turns import best_peer


def markdown(report: dict) -> str:
    """Every part of the report: a line about the machine, tables, and the goals."""
    sections = [about(report["machine"])]
    sections += [table(report[part]) for part, table in TABLES.items() if report.get(part)]
    rows = [
        [g.text, f"{g.reached:.3g}", f"{g.sign} {g.bound:.3g}", "yes" if g.met else "**no**"] for g in goals(report)
    ]
    return "\n\n".join([*sections, rows_of(["goal", "reached", "bound", "met"], rows, left=1)]) + "\n"


def rows_of(head: list[str], rows: list[list[str]], left: int) -> str:
    """A table, so many columns aligned left."""
    ruler = "|" + "---|" * left + "---:|" * (len(head) - left)
    return "\n".join([f"| {' | '.join(head)} |", ruler, *(f"| {' | '.join(row)} |" for row in rows)])


def about(machine: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    processor = [machine["processor"], f"{machine['cores']} cores"]
    if "vector_bytes" in machine:
        processor += [f"vectors of {machine['vector_bytes']} bytes", *machine["caches"]]
    return f"{machine['date']}, {', '.join(processor)}; {versions}."


def cases(results: list[dict]) -> str:
    names = list(dict.fromkeys(name for entry in results for name in entry["times"]))
    pairs: dict[tuple, list[dict]] = {}
    for entry in results:
        pairs.setdefault((entry["cell"], *entry["case"]), []).append(entry)
    rows = []
    for (cell, *case), entries in pairs.items():
        times = [[milliseconds(e["times"][n]["median"]) if n in e["times"] else "–" for e in entries] for n in names]
        best = [times_as_long(best_peer(e)) + " (!)" * disagree(e) for e in entries]
        share = [f"{e['share_of_peak']:.0%}" if "share_of_peak" in e else "–" for e in entries]
        rows.append([cell, ", ".join(map(str, case)), *map(" / ".join, [*times, best, share])])
    return (
        f"Milliseconds, inference / training step; the peak is {machine_peak(results) / 1e9:.0f} GFLOP/s, a large "
        "float32 matrix product. (!): processes of rnn_ref disagree.\n\n"
        + rows_of(["cell", "B, T, F, H", *names, "best peer / rnn_ref", "of the peak"], rows, left=2)
    )


def fit(results: list[dict]) -> str:
    names = list(dict.fromkeys(name for entry in results for name in entry["times"]))
    rows = [
        [
            entry["model"],
            *(f"{milliseconds(entry['times'][n]['median'])} ({1e3 * entry['first'][n]:.0f})" for n in names),
            times_as_long(best_peer(entry, "Keras")),
        ]
        for entry in results
    ]
    title = "`fit`, milliseconds an epoch (the first, with building and compiling):"
    return f"{title}\n\n" + rows_of(["model", *names, "best Keras / rnn_ref"], rows, left=1)


def start(results: list[dict]) -> str:
    rows = [
        [
            e["name"],
            f"{e['import']['median']:.2f}",
            f"{e['first_step']['median']:.2f}" + (f" (nothing compiled: {e['cold']:.1f})" if "cold" in e else ""),
        ]
        for e in results
    ]
    return "Seconds:\n\n" + rows_of(["", "import", "process start to first training step"], rows, left=1)


def memory(results: dict) -> str:
    fitted = rows_of(list(results["fit"]), [[f"{size / 1e6:.0f}" for size in results["fit"].values()]], left=0)
    text = f"Peak memory of a process that fits the LSTM, MB:\n\n{fitted}"
    if not results["inference"]:
        return text
    lengths = list(dict.fromkeys(e["case"][1] for e in results["inference"]))
    by_row: dict[tuple, list[str]] = {}
    for e in results["inference"]:
        by_row.setdefault((e["cell"], e["outputs"]), []).append(f"{e['bytes'] / 1e6:.2f}")
    rows = [[*key, *sizes] for key, sizes in by_row.items()]
    table = rows_of(["cell", "outputs", *(f"T = {T}" for T in lengths)], rows, left=2)
    return f"{text}\n\nMemory of inference beyond input and output, MB:\n\n{table}"


def scaling(results: dict) -> str:
    by_row: dict[tuple, list[str]] = {}
    for e in results["sizes"]:
        shown = "–" if e["exponent"] is None else f"{e['exponent']:.2f}"
        by_row.setdefault((e["cell"], NAMES[e["what"]]), []).append(shown)
    speedups = {(e["name"], e["cell"], NAMES[e["what"]]): f"{e['speedup']:.2f}" for e in results["threads"]}
    names = list(dict.fromkeys(name for name, *_ in speedups))
    rows = [[*key, *exponents, *(speedups.get((n, *key), "–") for n in names)] for key, exponents in by_row.items()]
    head = ["cell", "", "batch", "time", "units", *(f"two cores, {n}" for n in names)]
    title = "Exponents of the time in batch, time steps and units; how many times as fast two cores are as one:"
    return f"{title}\n\n" + rows_of(head, rows, left=2)


def variants(results: list[dict]) -> str:
    names = list(dict.fromkeys(e["variant"] for e in results))
    by_row: dict[tuple, dict[str, str]] = {}
    for e in results:
        key = (e["cell"], ", ".join(map(str, e["case"])), NAMES[e["what"]])
        by_row.setdefault(key, {})[e["variant"]] = f"{e['over_predicted']:.2f}"
    rows = [[*key, *(found.get(name, "–") for name in names)] for key, found in by_row.items()]
    title = "Variants: time over the plain layer's, over what the number of operations predicts:"
    return f"{title}\n\n" + rows_of(["cell", "B, T, F, H", "", *names], rows, left=3)


def cliffs(results: list[dict]) -> str:
    rows = [
        [e["cell"], NAMES[e["what"]], e["axis"], ", ".join(f"{n} ({over:.2f})" for n, over in e["cliffs"]) or "none"]
        for e in results
    ]
    title = "Sizes that take longer than their neighbours let expect, and how many times as long:"
    return f"{title}\n\n" + rows_of(["cell", "", "along", "sizes"], rows, left=4)


def times_as_long(best: tuple[str, dict] | None) -> str:
    """With the least and the greatest round in brackets."""
    return "{median:.2f} ({least:.2f}–{greatest:.2f})".format(**best[1]) if best else "–"


def milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g}"


NAMES = {"infer": "inference", "train": "training"}
TABLES = {
    "cases": cases,
    "random": cases,
    "fit": fit,
    "start": start,
    "memory": memory,
    "scaling": scaling,
    "variants": variants,
    "cliffs": cliffs,
}
