"""Part ``random``: as ``cases``, for cells and sizes that nobody chose."""

from __future__ import annotations

import numpy as np

from rnn_ref.bench.cases import run_problems
from rnn_ref.bench.contenders.problem import CELLS, Problem
from rnn_ref.bench.settings import Settings

MOST = (64, 200, 256, 400)  # batch, time, features, units


def run(names: list[str], settings: Settings, say=print) -> list[dict]:
    """See :func:`rnn_ref.bench.cases.run`."""
    return run_problems(drawn(settings.random, settings.seed, settings.sizes), names, settings, say)


def drawn(count: int, seed: int, sizes: tuple[int, int]) -> list[Problem]:
    """Problems, the same for a seed: as many small as large ones, of so many operations at least and at most.

    >>> drawn(2, seed=0, sizes=(1 << 16, 1 << 30))
    [Problem(cell='LSTM', B=3, T=1, F=1, H=130), Problem(cell='GRU', B=45, T=24, F=57, H=26)]
    """
    generator, found = np.random.default_rng(seed), []
    while len(found) < count:
        cell = list(CELLS)[generator.integers(len(CELLS))]
        problem = Problem(cell, *(int(np.exp(generator.uniform(0, np.log(most + 1)))) for most in MOST))
        if sizes[0] <= problem.operations(training=False) <= sizes[1] and problem not in found:
            found.append(problem)
    return found
