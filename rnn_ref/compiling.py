"""Every kernel for the CPU compiled once, for whoever prepares a machine for others: ``rnn-ref compile``."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed

import numpy as np
from tqdm import tqdm

from rnn_ref import layers
from rnn_ref.models import Sequential
from rnn_ref.notice import notice

PRECISIONS = ("float32", "float64")
# The first one's kernels are parts of the others', so they come before the others begin side by side.
LAYERS = (
    ("Dense", {"units": 2, "activation": "tanh"}),
    ("SimpleRNN", {"units": 2}),
    ("LSTM", {"units": 2}),
    ("GRU", {"units": 2}),
    ("GRU", {"units": 2, "reset_after": False}),
    ("Masking", {}),
)


def compile_layer(name: str, options: dict, dtype: str) -> str:
    """Take one step of training and one of inference, which compiles what they need; returns what was compiled."""
    notice.said = True  # by the bar
    layer = getattr(layers, name)(dtype=dtype, **options)
    x = np.zeros((2, 3, 2), dtype)
    y = layer(x)
    if layer.weights:
        model = Sequential([layer])
        model.compile("adam", "mse")
        model.train_on_batch(x, y)
    return f"{name}, {dtype}"


def compile_all(processes: int | None = None) -> None:
    """Fill the cache with all layers' kernels in both precisions, and show how far it is.

    Parameters
    ----------
    processes : int, optional
        That compile side by side; as many as there are cores when absent.

    Examples
    --------
    >>> compile_all(processes=1)
    """
    jobs = [(name, options, dtype) for name, options in LAYERS for dtype in PRECISIONS]
    shared, rest = jobs[: len(PRECISIONS)], jobs[len(PRECISIONS) :]
    processes = processes or os.cpu_count() or 1
    with tqdm(total=len(jobs), desc="compiling", unit="layer") as bar:

        def done(what: str) -> None:
            bar.set_postfix_str(what)
            bar.update()

        for job in shared if processes > 1 else jobs:
            done(compile_layer(*job))
        if processes > 1:
            context = multiprocessing.get_context("spawn")  # a fork would inherit the threads of kernels that ran
            with ProcessPoolExecutor(min(processes, len(rest)), mp_context=context) as pool:
                for job in as_completed([pool.submit(compile_layer, *job) for job in rest]):
                    done(job.result())
