"""Part ``fit``: the guide's small models fitted to a real series, seconds an epoch."""

from __future__ import annotations

from contextlib import ExitStack

from rnn_ref.bench.contenders.guide import Guide
from rnn_ref.bench.process import CONTENDERS, Process
from rnn_ref.bench.settings import Settings
from rnn_ref.bench.turns import in_turn, to_peers
from rnn_ref.datasets import load_sunspots

TOLERANCE = 1e-2  # of the loss after an epoch from the same weights on the same batches
FITTERS = [name for name in CONTENDERS if name == "rnn_ref" or name.startswith(("PyTorch", "Keras"))]


def guide(settings: Settings, model: str) -> Guide:
    return Guide(model, load_sunspots()[1].tolist(), settings.epochs)


def run(names: list[str], settings: Settings, say=print) -> list[dict]:
    """``times`` (seconds an epoch) and ``first`` (the first epoch, with what is built and compiled in it) by model."""
    results = []
    with ExitStack() as stack:
        processes = {name: stack.enter_context(Process(CONTENDERS[name])) for name in names if name in FITTERS}
        for model in settings.models:
            task = guide(settings, model)
            first, losses = {}, {}
            for name, process in processes.items():
                answer = process.ask("guide", task, "first")
                losses[name], first[name] = answer["result"], answer["took"]
            check(model, losses)

            def epoch(process, task=task):
                return lambda: process.ask("guide", task, "epochs", 1e-9)["seconds"] / task.epochs

            times = in_turn({name: epoch(process) for name, process in processes.items()}, settings.fits)
            results.append({"model": model, "times": times, "first": first, "ratios": to_peers(times)})
            shown = "  ".join(f"{name} {1e3 * t['median']:.3g} ({first[name]:.2g} s)" for name, t in times.items())
            say(f"{model:15s} ms an epoch (the first): {shown}")
    return results


def check(model: str, losses: dict[str, float]) -> None:
    reference = next(iter(losses.values()))
    for name, loss in losses.items():
        if not abs(loss - reference) < TOLERANCE * abs(reference):
            raise RuntimeError(
                f"{name} disagrees on the loss of {model} after an epoch: {loss:.5g}, not {reference:.5g}."
            )
