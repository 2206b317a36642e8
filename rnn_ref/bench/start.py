"""Part ``start``: importing, and from the start of a process to the end of the first training step.

rnn_ref's kernels are compiled once and kept on disk: cold is the very first start, warm every one after it.
"""

from __future__ import annotations

import time
from tempfile import TemporaryDirectory

from rnn_ref.bench.fit import FITTERS, guide
from rnn_ref.bench.process import CONTENDERS, Process
from rnn_ref.bench.settings import Settings
from rnn_ref.bench.turns import spread


def run(names: list[str], settings: Settings, say=print) -> list[dict]:
    """Seconds of ``import`` and of the ``first_step`` since the process began, by ``name``; ``cold`` for rnn_ref."""
    results = []
    task = guide(settings, settings.start_with)
    for name in filter(FITTERS.__contains__, names):
        with TemporaryDirectory() as folder:
            environment = {"NUMBA_CACHE_DIR": folder} if name == "rnn_ref" else {}
            cold = first_step(name, task, **environment)  # of others, the one that reads their files from the disk
            turns = [first_step(name, task, **environment) for _ in range(settings.starts)]
        imports, steps = zip(*turns)
        entry = {"name": name, "import": spread(list(imports)), "first_step": spread(list(steps))}
        if name == "rnn_ref":
            entry["cold"] = cold[1]
        results.append(entry)
        text = f"{name:19s} import {entry['import']['median']:.2f} s, first step {entry['first_step']['median']:.2f} s"
        say(text + (f", with nothing compiled yet {cold[1]:.1f} s" if name == "rnn_ref" else ""))
    return results


def first_step(name: str, task, **environment: str) -> tuple[float, float]:
    """Seconds of the import, and since the process was started."""
    start = time.perf_counter()
    with Process(CONTENDERS[name], **environment) as process:
        imported = process.ask("guide", task, "step")["imported"]
        return imported, time.perf_counter() - start
