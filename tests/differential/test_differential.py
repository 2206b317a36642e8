"""Random models over all recurrent options, here and in Keras: outputs, states and gradients agree.

The usual run draws 400 on Keras's JAX backend. ``KERAS_BACKEND=torch pytest -n0 -m fuzz`` draws 20,000; PyTorch runs
eagerly and is the faster yardstick there.
"""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from .configurations import draw, smallest
from .running import flat, run_ours, run_theirs

TOLERANCE = {"float32": 2e-5, "float64": 1e-9}


def worst(c, keras_in) -> float | None:
    """The largest deviation, relative to the largest magnitude of its array; None if there is nothing to compare."""
    growing = any("exponential" in (r.activation, r.recurrent_activation) for r in c.layers)
    with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
        warnings.simplefilter("ignore")
        weights, calls, outputs, directions, gradients = run_ours(c, 0.1 if growing else 0.5)
        ours = flat(outputs) + (gradients or [])
        theirs = keras_results(c, weights, calls, directions, keras_in)
        # exp(exp(...)) overflows over a few steps: nothing to compare there.
        if not all(np.isfinite(b).all() and np.abs(b).max(initial=0) < 1e4 for b in theirs):
            return None
        for a, b in zip(ours, theirs, strict=True):
            assert a.shape == b.shape, f"shape {a.shape}, Keras has {b.shape}: {c}"
            assert a.dtype == b.dtype == c.dtype, f"{a.dtype}, Keras has {b.dtype}: {c}"
        deviation = apart(ours, theirs)
        if c.dtype == "float32" and deviation > TOLERANCE["float32"]:
            # Sums that cancel, and unbounded activations, amplify rounding. Keras shows where: there its float32 is
            # more than 20 roundings from its float64, while elsewhere it is one or two.
            calls = [[a.astype("float64") if a.dtype.kind == "f" else a for a in arrays] for arrays in calls]
            wide = [[a.astype("float64") for a in arrays] for arrays in (weights, directions)]
            exact = keras_results(replace(c, dtype="float64"), wide[0], calls, wide[1], keras_in)
            if apart(theirs, exact) > 20 * np.finfo("float32").eps:
                return None
    return deviation


def keras_results(c, weights, calls, directions, keras_in) -> list[np.ndarray]:
    with keras_in(c.dtype):
        outputs, gradients = run_theirs(c, weights, calls, directions)
    return flat(outputs) + (gradients or [])


def apart(actual, expected) -> float:
    """The largest difference, relative to the largest magnitude of its array."""
    return max(
        float(np.abs(a.astype("float64") - b).max(initial=0) / max(np.abs(b).max(initial=0), np.finfo("float32").tiny))
        for a, b in zip(actual, expected, strict=True)
    )


def run(number: int, first_seed: int, keras_in, progress=None) -> dict:
    """``number`` different configurations that can be compared."""
    seen, found, seed, left_out = set(), {"float32": 0.0, "float64": 0.0}, first_seed, 0
    while len(seen) < number:
        c = draw(np.random.default_rng(seed), seed)
        seed += 1
        deviation = worst(c, keras_in)
        if deviation is None:
            left_out += 1
            assert left_out <= 5 + number // 20, "too many configurations with nothing to compare"
            continue
        if not deviation <= TOLERANCE[c.dtype]:

            def fails(candidate):
                other = worst(candidate, keras_in)
                return other is not None and not other <= TOLERANCE[candidate.dtype]

            small = smallest(c, fails)
            pytest.fail(f"{worst(small, keras_in):.1e} apart from Keras: {small}")
        seen.add(str(c))
        found[c.dtype] = max(found[c.dtype], deviation)
        if progress is not None and len(seen) % 500 == 0:
            progress(f"{len(seen)} configurations, {left_out} left out, worst {found}")
    return found


@pytest.mark.parametrize("part", range(8))
def test_four_hundred_configurations(part, keras_in):
    found = run(50, first_seed=100_000 * part, keras_in=keras_in)
    assert min(found.values()) > 0  # both precisions were drawn, and rounding shows that something was computed


@pytest.mark.fuzz
def test_twenty_thousand_configurations(keras_in, capsys):
    def progress(line):
        with capsys.disabled():
            print(line, flush=True)

    progress(f"worst over 20,000 configurations: {run(20_000, 10_000_000, keras_in, progress)}")
