"""rnn_ref's kernels on a GPU, timed by CUDA events; in Numba's simulator NumPy and the clock on the wall stand in."""

from __future__ import annotations

import time
from importlib import import_module

import numpy as np

KERNELS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "simple_rnn"}
BATCHES = 4  # of random inputs, in turn: no input lies ready in a cache because it was the last
BARRIERS = 1000


def layer(rnn_ref, problem) -> dict:
    from numba import config

    xp = np if config.ENABLE_CUDASIM else import_module("cupy")
    run = _steps(xp, problem)
    return {
        "infer": lambda: to_host(run["infer"](0)),
        "train": lambda: run["train"](0),
        "learned": lambda: to_host(run["weights"][1]),
        "persistent": lambda: float(_plan(problem).name == "persistent"),
        "infer seconds": lambda: device_seconds(xp, run["infer"]),
        "train seconds": lambda: device_seconds(xp, run["train"]),
        "barrier seconds": lambda: _barrier_seconds(xp, problem),
    }


def ceilings(rnn_ref, n: int) -> dict:
    """What the device can do: a matrix product of ``(n, n)``, and copying as much memory."""
    from numba import config

    xp = np if config.ENABLE_CUDASIM else import_module("cupy")
    a, b = xp.ones((n, n), "float32"), xp.ones((n, n), "float32")
    return {
        "product seconds": lambda: device_seconds(xp, lambda k: a @ b),
        "copy seconds": lambda: device_seconds(xp, lambda k: b.__setitem__(..., a)),
    }


def device_name(rnn_ref, _) -> dict:
    def name() -> str:
        from numba import config

        if config.ENABLE_CUDASIM:
            return "Numba's simulator"
        import cupy

        return cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()

    return {"name": name}


def _steps(xp, problem) -> dict:
    from rnn_ref.equations.activations import SIGMOID, TANH

    kernels = import_module(f"rnn_ref.kernels.cuda.{KERNELS[problem.cell]}")
    x, target, weights = problem.draw()
    rng = np.random.default_rng(1)
    inputs = [x, *(rng.normal(size=x.shape).astype("float32") for _ in range(BATCHES - 1))]
    inputs = [xp.asarray(np.ascontiguousarray(x.swapaxes(0, 1))) for x in inputs]
    target, weights = xp.asarray(target), [xp.asarray(weight) for weight in weights]
    states = [xp.zeros((problem.B, problem.H), "float32") for _ in range(2 if problem.cell == "LSTM" else 1)]
    options = {"activation": TANH} | ({} if problem.cell == "SimpleRNN" else {"recurrent_activation": SIGMOID})

    def infer(k: int):
        return kernels.forward(inputs[k], *weights, *states, **options, keep="last").final_states[0]

    def train(k: int):
        tape = kernels.forward(inputs[k], *weights, *states, **options)
        dh = xp.zeros_like(tape.h)
        dh[-1] = (tape.h[-1] - target) * np.float32(2 / target.size)
        flow = kernels.backward(tape, *weights, dh, *states[1:], **options, input_gradient=False)
        for weight, gradient in zip(weights, (flow.dW, flow.dU, flow.db)):
            weight -= np.float32(problem.rate) * gradient

    return {"infer": infer, "train": train, "weights": weights}


def _plan(problem):
    from rnn_ref.kernels.cuda.choice import choose

    return choose(B=problem.B, H=problem.H, G=problem.gates, dtype="float32")


def _barrier_seconds(xp, problem) -> float:
    """Of one wait of all blocks for each other, on the grid of the persistent kernel; 0 where blocks do not wait."""
    from numba import cuda

    from rnn_ref.kernels.cuda.persistent.loop import together, wait_for_group
    from rnn_ref.kernels.cuda.recurrence import stream

    plan = _plan(problem).forward
    if plan is None or not plan.cooperative:
        return 0.0
    group = plan.unit_groups

    @cuda.jit
    def barriers(arrived):
        together()
        for step in range(BARRIERS):
            wait_for_group(arrived, cuda.blockIdx.x // group, (step + 1) * group)

    def run(k: int):
        arrived = xp.zeros(plan.row_groups, np.int32)
        barriers[plan.blocks, plan.threads, stream(arrived)](arrived)

    return device_seconds(xp, run) / BARRIERS


def device_seconds(xp, run, warm_up: int = 3, count: int = 25) -> float:
    """Median of the device's own times."""
    if xp is np:  # a rehearsal
        warm_up, count = 0, 2
    for k in range(warm_up):
        run(k % BATCHES)
    times = []
    for k in range(count):
        if xp is np:
            start = time.perf_counter()
            run(k % BATCHES)
            times.append(time.perf_counter() - start)
        else:
            start, end = xp.cuda.Event(), xp.cuda.Event()
            start.record()
            run(k % BATCHES)
            end.record()
            end.synchronize()
            times.append(1e-3 * xp.cuda.get_elapsed_time(start, end))
    return float(np.median(times))


def to_host(array) -> np.ndarray:
    return array.get() if hasattr(array, "get") else array
