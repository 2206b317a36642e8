"""Part ``cases``: inference and a training step of every cell and case, beside the machine's matrix-product peak.

Where memory lies can decide how fast a process is, and stays the same for as long as it lives; so everyone is measured
in several.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from statistics import median

import numpy as np

from rnn_ref.bench.contenders.problem import Problem
from rnn_ref.bench.contenders.worker import sample
from rnn_ref.bench.process import CONTENDERS, Contender, Process
from rnn_ref.bench.settings import Settings
from rnn_ref.bench.turns import best_peer, in_turn, ratio, spread, to_peers

WHAT = ("infer", "train")
PRODUCTS = {"NumPy": Contender("numpy", "product"), "PyTorch": Contender("torch", "product")}
# float32, 100 steps, four libraries. What was learned is a difference of two kernels, which costs digits.
TOLERANCES = {"infer": 1e-4, "learned": 1e-2}
SCATTER = 1.3  # between processes: more is marked


def run(names: list[str], settings: Settings, say=print) -> list[dict]:
    """Measure, and say each line of the table as soon as it is known.

    Returns
    -------
    list of dict
        For each ``cell``, ``case`` and ``what``: the ``times`` of each contender; ``ratios``, how many times as long
        the peers took; ``peak``, operations a second of a large matrix product in the same rounds, and
        ``share_of_peak``, what rnn_ref reached of it; ``scatter``, see :func:`entry`.
    """
    return run_problems(
        [Problem(cell, *case) for cell in settings.cells for case in settings.cases], names, settings, say
    )


def run_problems(problems: list[Problem], names: list[str], settings: Settings, say=print) -> list[dict]:
    """Measure these in several fresh processes of everyone, one after the other: in each, memory lies elsewhere."""
    seconds: dict[tuple, list[dict]] = {(problem, what): [] for problem in problems for what in WHAT}
    results = []
    for k in range(settings.processes):
        with ExitStack() as stack:
            contenders = {name: stack.enter_context(Process(CONTENDERS[name])) for name in names}
            products = [stack.enter_context(Process(product)) for product in PRODUCTS.values() if product.installed]
            for problem in problems:
                if k == 0:
                    check(contenders, problem)
                for what in WHAT:
                    seconds[problem, what].append(measure(contenders, products, problem, what, settings))
                    if k == settings.processes - 1:
                        results.append(entry(problem, what, seconds[problem, what], settings.product))
                        say(line(results[-1]))
    return results


def check(contenders: dict[str, Process], problem: Problem) -> None:
    """Same outputs, and same change of the recurrent kernel by one step, before anything is timed."""
    before = problem.draw()[2][1].ravel()
    before = before[sample(before.size)]
    expected: dict[str, np.ndarray] = {}
    for name, contender in contenders.items():
        ask = partial(contender.ask, "layer", problem)
        found = {"infer": ask("infer")["result"]}
        ask("train")
        learned = ask("learned")["result"]
        found["learned"] = None if learned is None else np.array(learned) - before
        for what, result in found.items():
            if result is None:
                continue
            reference = expected.setdefault(what, np.array(result))
            error = np.abs(np.array(result) - reference).max() / np.abs(reference).max()
            if not error < TOLERANCES[what]:
                raise RuntimeError(f"{name} disagrees on {problem} ({what}) by {error:.1e}.")


def measure(contenders: dict[str, Process], products: list[Process], problem: Problem, what: str, settings) -> dict:
    """Seconds in each round, by name, in one process of everyone; of the matrix product the faster one's."""

    def seconds(process, *task):
        return lambda: process.ask(*task, settings.seconds)["seconds"]

    runs = {name: seconds(process, "layer", problem, what) for name, process in contenders.items()}
    runs |= {k: seconds(process, "product", settings.product, "product") for k, process in enumerate(products)}
    rounds = {name: time["rounds"] for name, time in in_turn(runs, settings.rounds_each).items()}
    return rounds | {"product": [min(turn) for turn in zip(*(rounds.pop(k) for k in range(len(products))))]}


def entry(problem: Problem, what: str, processes: list[dict], n: int) -> dict:
    """What was measured in all processes; ``n`` is the size of the matrices in the product beside it.

    ``scatter`` is how far rnn_ref's processes disagree: the greatest over the least of their medians, each over the
    matrix product's in the same rounds, as the machine may be slower at times.
    """
    times = {name: spread([s for rounds in processes for s in rounds[name]]) for name in processes[0]}
    product = times.pop("product")
    found = {"cell": problem.cell, "case": list(problem.case), "what": what, "times": times}
    found |= {"ratios": to_peers(times), "peak": 2 * n**3 / product["median"]}
    if "rnn_ref" in times:
        share = problem.operations(what == "train") / (2 * n**3)
        found["share_of_peak"] = share * ratio(product, times["rnn_ref"])["median"]
        medians = [ratio(*(spread(rounds[name]) for name in ("rnn_ref", "product")))["median"] for rounds in processes]
        found["scatter"] = max(medians) / min(medians)
    return found


def geometric_mean(results: list[dict], what: str, wanted: str = "") -> float:
    """Of the best peer's time over ours, over all cells and cases."""
    best = [best_peer(entry, wanted) for entry in results if entry["what"] == what]
    best = [ratio["median"] for _, ratio in filter(None, best)]
    return float(np.exp(np.mean(np.log(best)))) if best else float("nan")


def machine_peak(results: list[dict]) -> float:
    """Operations a second of a large matrix product, over all rounds of all cases."""
    return median(entry["peak"] for entry in results)


def line(entry: dict) -> str:
    times = "  ".join(f"{name} {milliseconds(time)}" for name, time in entry["times"].items())
    text = f"{entry['cell']:9s} {','.join(map(str, entry['case'])):14s} {entry['what']:5s} ms: {times}"
    if best := best_peer(entry):
        text += f" | {best[0]} x{best[1]['median']:.2f}"
    if "share_of_peak" in entry:
        text += f", {entry['share_of_peak']:.0%} of {entry['peak'] / 1e9:.0f} GFLOP/s"
    if disagree(entry):
        text += f" (!) processes disagree by {entry['scatter']:.2f}"
    return text


def disagree(entry: dict) -> bool:
    """Whether the time depends on the process: on where memory happens to lie."""
    return entry.get("scatter", 1.0) > SCATTER


def milliseconds(time: dict) -> str:
    """Median, and in brackets the least and the greatest round."""
    return "{:.3g} ({:.3g}-{:.3g})".format(*(1e3 * time[key] for key in ("median", "least", "greatest")))
