"""``rnn-ref bench cpu``: every contender in a process of its own, in turn, several rounds; medians and ratios."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np

from rnn_ref.bench.contenders import CONTENDERS, installed
from rnn_ref.bench.problem import CASES, CELLS, Problem
from rnn_ref.version import __version__

WHAT = ("infer", "train")
TOLERANCE = 1e-3  # float32, 100 steps, four libraries: gross mistakes are looked for, the tests look closer


class Contender:
    """A process that measures when asked to."""

    def __init__(self, name: str):
        self.name = name
        environment = os.environ | CONTENDERS[name][2]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rnn_ref.bench.worker", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )

    def ask(self, problem: Problem, what: str, seconds: float = 0.0) -> dict:
        request = {"cell": problem.cell, "case": problem.case, "what": what, "seconds": seconds}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the benchmark's process for {self.name} stopped at {problem} ({what}).")
        return json.loads(answer)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait()


def run(cells=tuple(CELLS), cases=CASES, names=None, *, rounds: int = 5, seconds: float = 0.5, say=print) -> dict:
    """Measure, and say each line of the table as soon as it is known.

    Parameters
    ----------
    cells, cases
        What to run; a case is ``(batch, time, features, units)``.
    names : list of str, optional
        Contenders; those that are installed when absent.
    rounds : int
        Each contender in turn, so often.
    seconds : float
        Of measuring in each turn.
    say : callable

    Returns
    -------
    dict
        ``machine`` and ``results``: for each cell, case and what, by contender, the median of the rounds' medians in
        milliseconds, and the least and greatest of them.
    """
    missing = [name for name in CONTENDERS if not installed(name)]
    names = [name for name in CONTENDERS if name not in missing] if names is None else list(names)
    if missing:
        say(f"Not installed, left out: {', '.join(missing)}.")
    peak = matrix_peak()
    say(f"Matrix products reach {peak:.0f} GFLOP/s here (NumPy's BLAS, 1024 x 1024, best of 20).")
    results = []
    with ExitStack() as stack:
        contenders = [stack.enter_context(Contender(name)) for name in names]
        for cell in cells:
            for case in cases:
                problem = Problem(cell, *case)
                check(contenders, problem)
                for what in WHAT:
                    entry = measure(contenders, problem, what, rounds, seconds)
                    entry["share_of_peak"] = (
                        problem.operations(what == "train") / entry["times"]["rnn_ref"]["median"] / 1e6 / peak
                        if "rnn_ref" in entry["times"]
                        else None
                    )
                    results.append(entry)
                    say(line(entry))
    machine = {
        "date": date.today().isoformat(),
        "rnn_ref": __version__,
        "python": platform.python_version(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "matrix_peak_gflops": peak,
    }
    return {"machine": machine, "results": results}


def check(contenders: list[Contender], problem: Problem) -> None:
    """Same outputs, and same recurrent kernel after one step, before anything is timed."""
    expected: dict[str, np.ndarray] = {}
    for contender in contenders:
        found = {"infer": contender.ask(problem, "infer")["result"]}
        contender.ask(problem, "train")
        found["learned"] = contender.ask(problem, "learned")["result"]
        for what, result in found.items():
            if result is None:
                continue
            reference = expected.setdefault(what, np.array(result))
            error = np.abs(np.array(result) - reference).max() / np.abs(reference).max()
            if not error < TOLERANCE:
                raise RuntimeError(f"{contender.name} disagrees on {problem} ({what}) by {error:.1e}.")


def measure(contenders: list[Contender], problem: Problem, what: str, rounds: int, seconds: float) -> dict:
    medians: dict[str, list[float]] = {}
    for _ in range(rounds):
        for contender in contenders:
            times = contender.ask(problem, what, seconds)["times"]
            if times:
                medians.setdefault(contender.name, []).append(1e3 * median(times))
    times = {n: {"median": median(m), "least": min(m), "greatest": max(m)} for n, m in medians.items()}
    return {"cell": problem.cell, "case": list(problem.case), "what": what, "times": times}


def ratios(entry: dict) -> dict[str, float]:
    """How many times as long the others took."""
    ours = entry["times"]["rnn_ref"]["median"]
    return {name: t["median"] / ours for name, t in entry["times"].items() if name not in ("rnn_ref", "NumPy loop")}


def line(entry: dict) -> str:
    times = "  ".join(f"{name} {t['median']:.3g}" for name, t in entry["times"].items())
    text = f"{entry['cell']:9s} {','.join(map(str, entry['case'])):14s} {entry['what']:5s} ms: {times}"
    if "rnn_ref" in entry["times"] and ratios(entry):
        name, ratio = min(ratios(entry).items(), key=lambda pair: pair[1])
        text += f"  | best peer {name} x{ratio:.2f}, {entry['share_of_peak']:.0%} of peak"
    return text


def markdown(report: dict) -> str:
    """The table of a README: milliseconds inference / training, and how many times as long the best peer took."""
    names = list(dict.fromkeys(name for entry in report["results"] for name in entry["times"]))
    rows = [f"| cell | case | {' | '.join(names)} | best peer / rnn_ref |", "|---|---|" + "---:|" * (len(names) + 1)]
    by_problem: dict[tuple, dict[str, dict]] = {}
    for entry in report["results"]:
        by_problem.setdefault((entry["cell"], tuple(entry["case"])), {})[entry["what"]] = entry
    for (cell, case), entries in by_problem.items():
        cells = [
            " / ".join(f"{e['times'][name]['median']:.3g}" if name in e["times"] else "–" for e in entries.values())
            for name in names
        ]
        best = " / ".join(f"{min(ratios(e).values(), default=float('nan')):.2f}" for e in entries.values())
        rows.append(f"| {cell} | {', '.join(map(str, case))} | {' | '.join(cells)} | {best} |")
    return "\n".join(rows)


def geometric_mean(report: dict, what: str, peers=lambda name: True) -> float:
    """Of the best peer's time over ours, over all cells and cases."""
    best = []
    for entry in report["results"]:
        of_peers = [ratio for name, ratio in ratios(entry).items() if peers(name)]
        if entry["what"] == what and of_peers:
            best.append(min(of_peers))
    return float(np.exp(np.mean(np.log(best)))) if best else float("nan")


def matrix_peak(n: int = 1024) -> float:
    """Billions of operations a second in a large float32 matrix product, all cores."""
    import time

    a, times = np.ones((n, n), "float32"), []
    for _ in range(20):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    return 2 * n**3 / min(times) / 1e9


def processor() -> str:
    """The name of the processor, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def write(report: dict, out: Path) -> None:
    """JSON and figure into a folder."""
    from rnn_ref.plotting.bench import bench

    out.mkdir(parents=True, exist_ok=True)
    (out / "bench-cpu.json").write_text(json.dumps(report, indent=1) + "\n")
    bench(report).savefig(out / "bench-cpu.png")
