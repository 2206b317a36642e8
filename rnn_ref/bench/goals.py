"""What was aimed at, and what was reached."""

from __future__ import annotations

import operator
from dataclasses import dataclass

from rnn_ref.bench.cases import WHAT, best_peer, geometric_mean

NAMES = {"infer": "inference", "train": "training step"}
MEGABYTE = 1e6


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
    found = []
    largest = max((entry["case"] for entry in results), key=lambda case: case[0] * case[1] * case[3] * sum(case[2:]))
    for what in WHAT:
        entries = [e for e in results if e["what"] == what and e.get("ratios")]
        smaller = [best_peer(e)[1] for e in entries if what == "train" or e["case"] != largest]
        if smaller:
            but = "" if what == "train" else " but the largest case's"
            found.append(
                Goal(f"{NAMES[what]}: best peer's time over rnn_ref's, least of all{but}", min(smaller), "≥", 1)
            )
        if entries and what == "infer":
            least = min(best_peer(e)[1] for e in entries if e["case"] == largest)
            found.append(Goal("inference: the same, in the largest case", least, "≥", 0.95))
        if entries and what == "train":
            found.append(Goal("training step: the same, geometric mean", geometric_mean(results, what), "≥", 1.5))
            if any(best_peer(e, "Keras") for e in entries):
                keras = geometric_mean(results, what, "Keras")
                found.append(
                    Goal("training step: best Keras backend's time over rnn_ref's, geometric mean", keras, "≥", 4)
                )
    for what, bound in zip(WHAT, (0.8, 0.75)):
        for e in results:
            if e["what"] == what and e["case"] == largest and "share_of_peak" in e:
                found.append(
                    Goal(
                        f"{NAMES[what]}: {e['cell']}'s share of the peak, largest case", e["share_of_peak"], "≥", bound
                    )
                )
    return found


def fit(results: list[dict]) -> list[Goal]:
    best = {e["model"]: best_peer(e, "Keras") for e in results}
    best = {model: pair[1] for model, pair in best.items() if pair}
    if not best:
        return []
    model = min(best, key=best.get)
    return [Goal(f"fit: best Keras backend's time an epoch over rnn_ref's, least ({model})", best[model], "≥", 5)]


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
            found.append(Goal(text, most, "≤", 1))
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


JUDGES = {"cases": cases, "fit": fit, "start": start, "memory": memory, "scaling": scaling, "variants": variants}
