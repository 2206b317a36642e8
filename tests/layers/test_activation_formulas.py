"""The formulas that help() tells are those that are computed."""

import math
import re

import numpy as np
import pytest

from rnn_ref.layers.activation_formulas import FORMULAS
from rnn_ref.layers.activations import ALL

X = np.array([-7.0, -3.5, -1.5, -0.75, -0.25, 0.0, 0.3, 0.8, 1.7, 2.9, 6.5])
NAMES = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "clip": np.clip,
    "max": np.maximum,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(),
    "relu6": lambda x: np.clip(x, 0, 6),
    "Φ": np.vectorize(lambda x: (1 + math.erf(x / math.sqrt(2))) / 2),
    "alpha": 1.0,
    "negative_slope": 0.2,
    "b": 4.0,
}
# Those whose first formula holds for all x, and those in two pieces: where the first holds, and where the second.
WHOLE = [
    "exponential",
    "gelu",
    "hard_sigmoid",
    "hard_sigmoid_legacy",
    "hard_silu",
    "hard_tanh",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu6",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "sparse_sigmoid",
    "squareplus",
    "tanh_shrink",
]
PIECES = ("celu", "elu", "leaky_relu")


def evaluated(formula):
    """``x (1 + y)`` is a product, ``exp(x)`` a call, ``²`` a power."""
    text = formula.replace("²", "**2")
    text = re.sub(r"\b(x|alpha|negative_slope|[\d.]+) +(?=[\w(Φ])", r"\1 * ", text)
    return eval(text, {}, NAMES | {"x": X})


@pytest.mark.parametrize("name", WHOLE)
def test_formula(name):
    formula = re.search(r"``(.*?)``", FORMULAS[name])[1]
    np.testing.assert_allclose(ALL[name](X), evaluated(formula), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", PIECES)
def test_formula_in_two_pieces(name):
    above, below = re.findall(r"``(.*?)``", FORMULAS[name])
    expected = np.where(X > 0, evaluated(above), evaluated(below))
    np.testing.assert_allclose(ALL[name](X), expected, rtol=1e-6, atol=1e-9)


def test_each_activation_has_one():
    assert set(FORMULAS) == set(ALL)
    assert all(ALL[name].__doc__ == formula for name, formula in FORMULAS.items())
