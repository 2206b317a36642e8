"""Every cell of the zoo against its paper's formulas in PyTorch, outputs and gradients, in float64.

Run as a script, so that ``NUMBA_DISABLE_JIT=1`` can be set: then nothing is compiled, which would take minutes.
"""

import sys
from pathlib import Path

import numpy as np

import rnn_ref
from rnn_ref import zoo


def worst_errors(name: str, B: int, T: int, F: int, H: int) -> dict[str, float]:
    """Largest difference, relative to the largest number of each array."""
    import formulas

    rng = np.random.default_rng(0)
    layer = getattr(zoo, name)(H, return_sequences=True, dtype="float64", bias_initializer="random_normal")
    x, d_outputs = rng.normal(size=(B, T, F)), rng.normal(size=(B, T, H))
    y, tape = layer.forward(x)
    for weight in layer.weights:  # none is zero, or one
        weight.assign(weight.numpy() + 0.3 * rng.normal(size=weight.shape))
    y, tape = layer.forward(x)
    gradients = layer.backward(tape, d_outputs)
    expected, d_expected = formulas.run(layer, x, d_outputs)
    found = {name.rpartition("/")[2]: d for name, d in gradients.weights.items()} | {"inputs": gradients.inputs}
    assert set(found) == set(d_expected), (name, set(found), set(d_expected))
    pairs = {"outputs": (y, expected)} | {key: (found[key], d_expected[key]) for key in found}
    return {key: float(np.abs(a - b).max() / (np.abs(b).max() or 1)) for key, (a, b) in pairs.items()}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    for name in zoo.__all__:
        worst = max(worst_errors(name, 2, 4, 3, 3).values())
        gradients = rnn_ref.check_gradients(
            getattr(zoo, name)(2, return_sequences=True, dtype="float64", bias_initializer="random_normal"),
            np.random.default_rng(1).normal(size=(2, 3, 2)),
            samples=6,
        )
        print(name, worst, max(gradients.values()))
