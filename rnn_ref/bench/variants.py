"""Part ``variants``: masks, two directions, two layers, dropout and float64 in rnn_ref, beside the plain layer.

The time of each over the plain one's, over what the operations of their matrix products predict: 1 is as predicted.
"""

from __future__ import annotations

from rnn_ref.bench.contenders.problem import Problem
from rnn_ref.bench.contenders.variants import predicted
from rnn_ref.bench.process import Contender, Process
from rnn_ref.bench.settings import Settings
from rnn_ref.bench.turns import in_turn, ratio

NAMES = ("masked", "bidirectional", "stacked", "dropout", "recurrent dropout", "float64")


def run(names: list[str], settings: Settings, say=print) -> list[dict]:
    """``over_predicted`` for each ``cell``, ``case``, ``what`` and ``variant``, and ``predicted`` itself."""
    results = []
    with Process(Contender("rnn_ref", "variants")) as process:
        for cell in settings.cells:
            for case in settings.variants:
                problem = Problem(cell, *case)
                for what in ("infer", "train"):
                    # Dropout does nothing in inference.
                    variants = [name for name in NAMES if what == "train" or "dropout" not in name]

                    def seconds(name, problem=problem, what=what):
                        return process.ask("variants", problem, f"{name} {what}", settings.seconds)["seconds"]

                    runs = {name: lambda name=name: seconds(name) for name in ("plain", *variants)}
                    times = in_turn(runs, settings.rounds)
                    for name in variants:
                        expected = predicted(name, problem, what == "train")
                        over = ratio(times[name], times["plain"])["median"] / expected
                        entry = {"cell": cell, "case": list(case), "what": what, "variant": name}
                        results.append(entry | {"predicted": expected, "over_predicted": over, "times": times[name]})
                    shown = "  ".join(f"{e['variant']} {e['over_predicted']:.2f}" for e in results[-len(variants) :])
                    plain = 1e3 * times["plain"]["median"]
                    say(f"{cell:9s} {','.join(map(str, case)):14s} {what:5s} plain {plain:.3g} ms, predicted x {shown}")
    return results
