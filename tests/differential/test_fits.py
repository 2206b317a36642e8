"""Random trainings here and in Keras: history, weights after all steps and predictions agree, in float64.

The usual run draws twelve; ``pytest -n0 -m fuzz`` draws a thousand.
"""

import warnings
from contextlib import contextmanager
from dataclasses import asdict, replace

import numpy as np
import pytest

import rnn_ref

from ..keras_that_trains import imported, keras
from .fits import Fit, draw, ours, theirs

TOLERANCE = {"history": 1e-6, "weights": 1e-9, "predictions": 1e-9}  # Keras's accuracies are float32


@contextmanager
def float64(keras_in):
    """Both libraries compute in float64, optimizers and metrics included."""
    before = keras.config.floatx(), rnn_ref.config.floatx(), keras.config.dtype_policy()
    with imported(), keras_in("float64"):
        keras.config.set_floatx("float64")
        keras.config.set_dtype_policy("float64")  # of layers: kept from the first layer that was ever made
        rnn_ref.config.set_floatx("float64")
        try:
            yield
        finally:
            keras.config.set_floatx(before[0])
            rnn_ref.config.set_floatx(before[1])
            keras.config.set_dtype_policy(before[2])


def outcome(run, *arguments):
    """What a training gave, or that it was refused."""
    try:
        return run(*arguments)
    except (ValueError, TypeError, NotImplementedError, RuntimeError) as error:
        return f"{type(error).__name__}: {str(error)[:300]}"


def flat(structure) -> list:
    if isinstance(structure, dict):
        return [array for name in sorted(structure) for array in flat(structure[name])]
    if isinstance(structure, (list, tuple)):
        return [array for part in structure for array in flat(part)]
    return [np.asarray(structure, "float64")]


def difference(c: Fit) -> str | None:
    """In what rnn_ref and Keras disagree, if in anything."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mine = outcome(ours, c)
        if isinstance(mine, str):
            return f"rnn_ref refuses: {mine}"
        expected = outcome(theirs, c, mine[0])
    if isinstance(expected, str):
        return f"Keras refuses: {expected}"
    for what, a, b in zip(("history", "weights", "predictions"), mine[1:], expected[1:], strict=True):
        if isinstance(a, dict) and set(a) != set(b):
            return f"{what}: {sorted(a)}, Keras has {sorted(b)}"
        a, b = flat(a), flat(b)
        if [x.shape for x in a] != [x.shape for x in b]:
            return f"{what}: shapes {[x.shape for x in a]}, Keras has {[x.shape for x in b]}"
        worst = max(np.abs(x - y).max(initial=0) / max(1e-3, np.abs(y).max(initial=0)) for x, y in zip(a, b))
        if not worst < TOLERANCE[what]:
            return f"{what} are {worst:.1e} apart"
    return None


def smallest(c: Fit) -> Fit:
    """The simplest training that still differs, by greedy steps."""
    for name, value in asdict(Fit()).items():
        if name != "seed" and getattr(c, name) != value:
            candidate = replace(c, **{name: value})
            found = difference(candidate)
            if found and "refuses" not in found:
                return smallest(candidate)
    return c


def run(seeds) -> None:
    for seed in seeds:
        c = draw(seed)
        found = difference(c)
        if found:
            small = c if "refuses" in found else smallest(c)
            pytest.fail(f"{difference(small)}: {small}")


@pytest.mark.parametrize("part", [0, 1, *(pytest.param(part, marks=pytest.mark.long) for part in (2, 3))])
def test_twelve_trainings(part, keras_in):
    with float64(keras_in):
        run(range(3 * part, 3 * part + 3))


@pytest.mark.fuzz
def test_a_thousand_trainings(keras_in):
    with float64(keras_in):
        run(range(1_000_000, 1_001_000))
