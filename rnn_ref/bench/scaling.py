"""Part ``scaling``: how time grows with batch, time steps and units, and shrinks with threads.

An exponent is the slope of a straight line through log(time) over log(size), by least squares, over the sizes past the
overhead: those that take :data:`PAST` times what a call with one sample, one step and one unit takes, or more. Of each
size the rounds' shortest time is taken: what else runs on the machine only ever adds.
"""

from __future__ import annotations

import os

import numpy as np

from rnn_ref.bench.contenders.problem import Problem
from rnn_ref.bench.process import CONTENDERS, Process
from rnn_ref.bench.settings import Settings
from rnn_ref.bench.turns import in_turn, ratio

PAST = 20
AXES = {"batch": 0, "time": 1, "units": 3}


def run(names: list[str], settings: Settings, say=print) -> dict:
    """``sizes``: points and exponents for each cell, what and axis; ``threads``: times on one core and two."""
    with Process(CONTENDERS["rnn_ref"]) as process:
        sizes = [
            entry
            for cell in settings.cells
            for what in ("infer", "train")
            for entry in grow(process, cell, what, settings, say)
        ]
    return {"sizes": sizes, "threads": threads(names, settings, say)}


def grow(process: Process, cell: str, what: str, settings: Settings, say) -> list[dict]:
    def seconds(case):
        return lambda: process.ask("layer", Problem(cell, *case), what, settings.seconds)["seconds"]

    cases = {(axis, k): scaled(settings.scaling, axis, k) for axis in AXES for k in settings.factors}
    times = in_turn({case: seconds(case) for case in {(1, 1, 1, 1), *cases.values()}}, settings.rounds)
    overhead = times[1, 1, 1, 1]["least"]
    entries = []
    for axis, place in AXES.items():
        points = [(case[place], times[case]["least"]) for (a, _), case in cases.items() if a == axis]
        entry = {"cell": cell, "what": what, "axis": axis, "points": points, "overhead": overhead}
        entries.append(entry | {"exponent": exponent([p for p in points if p[1] >= PAST * overhead])})
    shown = ", ".join(f"{e['axis']} {e['exponent']:.2f}" if e["exponent"] else f"{e['axis']} -" for e in entries)
    say(f"{cell:9s} {what:5s} time grows with the power: {shown}")
    return entries


def scaled(case: tuple[int, int, int, int], axis: str, factor: int) -> tuple[int, int, int, int]:
    """The case with one size multiplied; units begin at half, as they cost the most."""
    sizes = list(case)
    sizes[AXES[axis]] = sizes[AXES[axis]] * factor // (2 if axis == "units" else 1)
    return tuple(sizes)


def exponent(points: list[tuple[float, float]]) -> float | None:
    """Slope of log(time) over log(size); None with fewer than two points."""
    if len(points) < 2:
        return None
    return float(np.polyfit(*np.log(points).T, 1)[0])


def threads(names: list[str], settings: Settings, say) -> list[dict]:
    """On one core and on two, rnn_ref and PyTorch."""
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        say("Scaling over threads needs two cores and Linux; left out.")
        return []
    results = []
    for name in filter(("rnn_ref", "PyTorch").__contains__, names):
        with Process(CONTENDERS[name], cores=1) as one, Process(CONTENDERS[name], cores=2) as two:
            for cell in settings.cells:
                for what in ("infer", "train"):
                    problem = Problem(cell, *settings.scaling)

                    def seconds(process, problem=problem, what=what):
                        return lambda: process.ask("layer", problem, what, settings.seconds)["seconds"]

                    times = in_turn({"1": seconds(one), "2": seconds(two)}, settings.rounds)
                    entry = {"name": name, "cell": cell, "what": what, "times": times}
                    results.append(entry | {"speedup": ratio(times["1"], times["2"])["median"]})
        shown = ", ".join(f"{e['cell']} {e['what']} {e['speedup']:.2f}" for e in results if e["name"] == name)
        say(f"{name}: two cores over one: {shown}")
    return results
