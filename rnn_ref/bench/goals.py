"""What was aimed at, and what was reached."""

from __future__ import annotations

import operator
from dataclasses import dataclass

from rnn_ref.bench.cases import WHAT, geometric_mean
from rnn_ref.bench.contenders.problem import Problem
from rnn_ref.bench.turns import best_peer

NAMES = {"infer": "inference", "train": "training step"}
MEGABYTE = 1e6
HUGE_PAGE = 2 * 1024**2 / MEGABYTE  # what Linux may map at a time for a large array, used or not


@dataclass(frozen=True)
class Goal:
    """A number that should be at least, or at most, a bound."""

    text: str
    reached: float
    sign: str
    bound: float

    @property
    def met(self) -> bool:
        return {"≥": operator.ge, "≤": operator.le, "<": operator.lt}[self.sign](self.reached, self.bound)

    def __str__(self) -> str:
        return f"{'pass ' if self.met else 'SHORT'}  {self.text}: {self.reached:.3g} ({self.sign} {self.bound:.3g})"


def goals(report: dict) -> list[Goal]:
    """Those that the parts in the report allow to judge."""
    return [goal for part, judge in JUDGES.items() if report.get(part) for goal in judge(report[part])]


def cases(results: list[dict]) -> list[Goal]:
    if not all(best_peer(entry) for entry in results):
        return []
    largest = max((entry["case"] for entry in results), key=lambda case: Problem("LSTM", *case).operations(True))
    infer, train = ([entry for entry in results if entry["what"] == what] for what in WHAT)
    found = [
        least("training step, best peer / rnn_ref", train, 1),
        Goal("training step, best peer / rnn_ref: geometric mean", geometric_mean(results, "train"), "≥", 1.5),
    ]
    if any(best_peer(entry, "Keras") for entry in train):
        mean = geometric_mean(results, "train", "Keras")
        found.append(Goal("training step, best Keras backend / rnn_ref: geometric mean", mean, "≥", 4))
    text = "inference, best peer / rnn_ref"
    if smaller := [entry for entry in infer if entry["case"] != largest]:
        found.append(least(text, smaller, 1))
    found.append(least(f"{text}, largest case", [entry for entry in infer if entry["case"] == largest], 0.95))
    for entries, bound in ((infer, 0.8), (train, 0.75)):
        found += [
            Goal(f"{NAMES[e['what']]}, largest case, {e['cell']}: share of the peak", e["share_of_peak"], "≥", bound)
            for e in entries
            if e["case"] == largest
        ]
    return found + agreement(results, "cases")


def random(results: list[dict]) -> list[Goal]:
    if not all(best_peer(entry) for entry in results):
        return []
    found = []
    for what in WHAT:
        text, mean = f"drawn sizes, {NAMES[what]}, best peer / rnn_ref", geometric_mean(results, what)
        found.append(least(text, [entry for entry in results if entry["what"] == what], 0.9))
        found.append(Goal(f"{text}: geometric mean", mean, "≥", 1.5))
    return found + agreement(results, "drawn sizes")


def agreement(results: list[dict], which: str) -> list[Goal]:
    """That fresh processes take as long as each other."""
    measured = [entry for entry in results if "scatter" in entry]
    if not measured:
        return []
    worst = max(measured, key=lambda entry: entry["scatter"])
    where = f"{worst['cell']}, {','.join(map(str, worst['case']))}, {NAMES[worst['what']]}"
    return [Goal(f"{which}: slowest over fastest process, most ({where})", worst["scatter"], "≤", 1.15)]


def least(text: str, entries: list[dict], bound: float, wanted: str = "") -> Goal:
    """That no entry's best peer is ahead."""
    worst = min(entries, key=lambda entry: best_peer(entry, wanted)[1]["median"])
    peer, ratio = best_peer(worst, wanted)
    where = worst.get("model") or f"{worst['cell']}, {','.join(map(str, worst['case']))}"
    return Goal(f"{text}: least ({where}; {peer})", ratio["median"], "≥", bound)


def fit(results: list[dict]) -> list[Goal]:
    judged = [entry for entry in results if best_peer(entry, "Keras")]
    return [least("fit, best Keras backend / rnn_ref", judged, 5, "Keras")] if judged else []


def start(results: list[dict]) -> list[Goal]:
    ours = [e["first_step"]["median"] for e in results if e["name"] == "rnn_ref"]
    return [Goal("import and first training step from a warm cache, seconds", *ours, "≤", 1.5)] if ours else []


def memory(results: dict) -> list[Goal]:
    found, fit = [], results["fit"]
    if ours := fit.get("rnn_ref"):
        for name, share, sign in (("PyTorch", 1, "<"), ("Keras (TensorFlow)", 1 / 3, "≤")):
            if name in fit:
                found.append(Goal(f"fit: peak memory over that of {name}", ours / fit[name], sign, share))
    for outputs in ("last", "every"):
        entries = [e for e in results["inference"] if e["outputs"] == outputs]
        if entries:
            most = max(
                (max(b) - min(b)) / MEGABYTE
                for cell in {e["cell"] for e in entries}
                for b in [[e["bytes"] for e in entries if e["cell"] == cell]]
            )
            text = f"inference ({outputs} output): memory beyond input and output, longest less shortest sequence, MB"
            found.append(Goal(text, most, "≤", HUGE_PAGE))
    return found


def scaling(results: dict) -> list[Goal]:
    found = []
    for axis in ("batch", "time"):
        off = {
            (e["cell"], e["what"]): abs(e["exponent"] - 1)
            for e in results["sizes"]
            if e["axis"] == axis and e["exponent"] is not None
        }
        if off:
            cell, what = max(off, key=off.get)
            text = f"exponent of {axis}: furthest from 1 ({cell}, {NAMES[what]})"
            found.append(Goal(text, off[cell, what], "≤", 0.05))
    return found


def variants(results: list[dict]) -> list[Goal]:
    found = []
    for name in dict.fromkeys(e["variant"] for e in results):
        worst = max((e for e in results if e["variant"] == name), key=lambda e: e["over_predicted"])
        where = f"{worst['cell']}, {','.join(map(str, worst['case']))}, {NAMES[worst['what']]}"
        found.append(Goal(f"{name}: time over what is predicted, most ({where})", worst["over_predicted"], "≤", 1.3))
    return found


def cliffs(results: list[dict]) -> list[Goal]:
    return [Goal("sizes that are cliffs", sum(len(entry["cliffs"]) for entry in results), "≤", 0)]


JUDGES = {
    "cases": cases,
    "random": random,
    "fit": fit,
    "start": start,
    "memory": memory,
    "scaling": scaling,
    "variants": variants,
    "cliffs": cliffs,
}
