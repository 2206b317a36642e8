"""Part ``memory``: of a process that fits a small model, and of inference over ever longer sequences."""

from __future__ import annotations

from rnn_ref.bench.contenders.problem import Problem
from rnn_ref.bench.contenders.resident import STATUS
from rnn_ref.bench.fit import FITTERS, guide
from rnn_ref.bench.process import CONTENDERS, Contender, Process
from rnn_ref.bench.settings import Settings


def run(names: list[str], settings: Settings, say=print) -> dict:
    """``fit``: bytes by contender; ``inference``: bytes that rnn_ref holds beyond input and output, by length."""
    task = guide(settings, settings.start_with)
    fit = {}
    for name in filter(FITTERS.__contains__, names):
        for _ in range(2 if name == "rnn_ref" else 1):  # the second finds everything compiled
            with Process(CONTENDERS[name]) as process:
                process.ask("guide", task, "first")
                fit[name] = process.ask("guide", task, "epochs")["peak"]
        say(f"{name:19s} fit: {fit[name] / 1e6:.0f} MB at most")
    return {"fit": fit, "inference": inference(settings, say)}


def inference(settings: Settings, say) -> list[dict]:
    if not STATUS.exists():
        say("Memory of inference is measured on Linux only; left out.")
        return []
    results = []
    for cell in settings.cells:
        for case in settings.memory:
            for run in ("last", "every"):
                with Process(Contender("rnn_ref", "inference_memory")) as process:
                    extra = process.ask("inference", Problem(cell, *case), run)["result"]
                results.append({"cell": cell, "case": list(case), "outputs": run, "bytes": extra})
        shown = "  ".join(
            f"T={e['case'][1]} {e['outputs']} {e['bytes'] / 1e6:.2f}" for e in results if e["cell"] == cell
        )
        say(f"{cell:9s} inference, MB beyond input and output: {shown}")
    return results
