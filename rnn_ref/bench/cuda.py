"""``rnn-ref bench cuda``: the kernels beside cuDNN (by way of PyTorch) and JAX, in the device's own time.

In Numba's simulator (``NUMBA_ENABLE_CUDASIM=1``) it is a rehearsal: everything runs, and no time means anything.
"""

from __future__ import annotations

import importlib.util
from contextlib import ExitStack
from functools import partial

from rnn_ref.bench.cases import WHAT, check
from rnn_ref.bench.contenders.problem import CELLS, Problem
from rnn_ref.bench.machine import machine
from rnn_ref.bench.markdown import rows_of
from rnn_ref.bench.process import Contender, Process
from rnn_ref.bench.turns import in_turn, to_peers

CASES = ((32, 100, 64, 64), (32, 100, 128, 128), (64, 100, 256, 256), (64, 100, 512, 512), (128, 50, 1024, 1024))
QUICK = ((2, 3, 2, 3),)
PRODUCT = 8192  # rows and columns of the matrices that show what the device can do
# cuDNN's bound for each case: as fast up to 256 units, 0.7 of its speed beyond. And in waits of the grid, a step's.
SPEED, STEP = {64: 1.0, 128: 1.0, 256: 1.0, 512: 0.7, 1024: 0.7}, 3.0
REFERENCE, ON_CPU = "rnn_ref on the CPU", Contender("rnn_ref", "keras_like")  # everyone must agree with it
CONTENDERS = {
    "rnn_ref": Contender("rnn_ref", "cuda_kernels"),
    "PyTorch": Contender("torch", "cuda_torch", environment={"RNN_REF_BENCH_TF32": "0"}),
    "PyTorch TF32": Contender("torch", "cuda_torch", environment={"RNN_REF_BENCH_TF32": "1"}),
    "JAX": Contender("jax", "jax_scan", environment={"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}),
}


NEEDED = (
    "rnn-ref bench cuda needs a GPU with its driver, and pip install 'rnn-ref[cuda]'. "
    "With NUMBA_ENABLE_CUDASIM=1 in the environment, --quick rehearses it in Numba's simulator."
)


class NoDevice(RuntimeError):
    """There is nothing to measure on."""


def run(*, quick: bool = False, rounds: int = 5, say=print) -> dict:
    """Measure.

    Parameters
    ----------
    quick : bool
        One tiny case, for a rehearsal.
    rounds : int
        Every contender in turn, so often.
    say : callable
        Gets each line of the result as soon as it is known.

    Returns
    -------
    dict
        ``machine``, with the ``device``, the operations a second of a large product (``product``) and the bytes a
        second of a copy (``copy``); ``results``, for each cell, case and what: ``times`` and ``ratios`` as in ``rnn-ref
        bench cpu``, ``persistent`` (which kernel ran), ``operations`` and ``bytes`` a second, ``step`` (seconds) and
        ``barrier`` (of one wait of the grid; 0 where blocks do not wait).
    """
    names = [name for name, contender in CONTENDERS.items() if contender.installed and (name == "rnn_ref" or usable())]
    if left_out := [name for name in CONTENDERS if name not in names]:
        say(f"Not installed, or no GPU for it; left out: {', '.join(left_out)}.")
    n = 64 if quick else PRODUCT
    report = {"machine": machine(), "results": []}
    with ExitStack() as stack:
        processes = {name: stack.enter_context(Process(CONTENDERS[name])) for name in names}
        ours, on_cpu = processes["rnn_ref"], stack.enter_context(Process(ON_CPU))
        try:
            name = ours.ask("device_name", 0, "name")["result"]
        except RuntimeError as error:
            raise NoDevice(f"{error}\n\n{NEEDED}") from None
        product, copy = (ours.ask("ceilings", n, f"{what} seconds")["result"] for what in ("product", "copy"))
        report["machine"] |= {"device": name, "product": 2 * n**3 / product, "copy": 8 * n**2 / copy}
        say(f"{name}: product {2e-12 * n**3 / product:.3g} TFLOP/s, copy {8e-9 * n**2 / copy:.4g} GB/s.")
        for cell in CELLS:
            for case in QUICK if quick else CASES:
                problem = Problem(cell, *case)
                check({REFERENCE: on_cpu, **processes}, problem)
                for what in WHAT:
                    report["results"].append(measure(processes, problem, what, 2 if quick else rounds))
                    say(line(report["results"][-1]))
    return report


def usable() -> bool:
    """Whether there is a GPU for those that have no simulator."""
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


def measure(processes: dict[str, Process], problem: Problem, what: str, rounds: int) -> dict:
    def seconds(name: str, process: Process) -> float:
        if name == "JAX":  # knows no events: the clock on the wall, until the result is there
            return process.ask("layer", problem, what, 0.1)["seconds"]
        return process.ask("layer", problem, f"{what} seconds")["result"]

    times = in_turn({name: partial(seconds, name, process) for name, process in processes.items()}, rounds)
    mine, ours = times["rnn_ref"]["median"], processes["rnn_ref"]
    return {
        "cell": problem.cell,
        "case": list(problem.case),
        "what": what,
        "times": times,
        "ratios": to_peers(times),
        "persistent": bool(ours.ask("layer", problem, "persistent")["result"]),
        "operations": problem.operations(what == "train") / mine,
        "bytes": traffic(problem, what == "train") / mine,
        "step": mine / (problem.T * (2 if what == "train" else 1)),
        "barrier": ours.ask("layer", problem, "barrier seconds")["result"],
    }


def traffic(problem: Problem, training: bool) -> float:
    """Bytes that must move if weights and states are read once: inputs, pre-activations twice, states.

    Training reads all of it again and writes the gradients of the pre-activations, which both products then read.
    """
    rows, G = problem.B * problem.T, problem.gates
    forward = rows * (problem.F + 2 * G * problem.H + problem.H)
    back = rows * (G * problem.H + problem.H + 3 * G * problem.H + problem.F)
    weights = G * problem.H * (problem.F + problem.H)
    return 4.0 * (forward + weights + (back + 2 * weights if training else 0))


def line(entry: dict) -> str:
    times = "  ".join(f"{name} {1e3 * time['median']:.3g}" for name, time in entry["times"].items())
    waits = f", {entry['step'] / entry['barrier']:.1f} waits" if entry["barrier"] else ""
    return (
        f"{entry['cell']:9s} {','.join(map(str, entry['case'])):16s} {entry['what']:5s} ms: {times}"
        f" | {'persistent' if entry['persistent'] else 'teaching'}, {1e-12 * entry['operations']:.3g} TFLOP/s, "
        f"{1e6 * entry['step']:.3g} us a step{waits}"
    )


def goals(report: dict) -> list[str]:
    """Each case against its bounds."""
    lines = []
    for entry in report["results"]:
        H, where = entry["case"][-1], f"{entry['cell']} {tuple(entry['case'])} {entry['what']}"
        ratio = entry["ratios"].get("PyTorch")
        if ratio and H in SPEED:
            met = "met" if ratio["median"] >= SPEED[H] else "SHORT"
            lines.append(f"{met}: {where}: {ratio['median']:.2f} of cuDNN's speed, at least {SPEED[H]}")
        if entry["barrier"] and H <= 256:
            waits = entry["step"] / entry["barrier"]
            lines.append(
                f"{'met' if waits <= STEP else 'SHORT'}: {where}: a step takes {waits:.1f} waits, at most {STEP}"
            )
    return lines


def markdown(report: dict) -> str:
    """The table of a README."""
    m = report["machine"]
    names = list(dict.fromkeys(name for entry in report["results"] for name in entry["times"]))
    rows = []
    for entry in report["results"]:
        times = [f"{1e3 * entry['times'][n]['median']:.3g}" if n in entry["times"] else "–" for n in names]
        ratio = entry["ratios"].get("PyTorch")
        rows.append(
            [
                entry["cell"],
                ", ".join(map(str, entry["case"])),
                entry["what"],
                *times,
                f"{ratio['median']:.2f}" if ratio else "–",
                f"{entry['operations'] / m['product']:.0%} / {entry['bytes'] / m['copy']:.0%}",
                f"{1e6 * entry['step']:.3g} / {1e6 * entry['barrier']:.3g}",
            ]
        )
    head = ["cell", "B, T, F, H", "", *names, "PyTorch / rnn_ref", "of product / copy", "µs a step / a wait"]
    about = f"{m['device']}, {m['date']}; milliseconds. Products reach {1e-12 * m['product']:.3g} TFLOP/s, copies "
    return f"{about}{1e-9 * m['copy']:.4g} GB/s.\n\n{rows_of(head, rows, left=3)}\n"
