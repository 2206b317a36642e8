"""float64 tanh and sigmoid against numbers with more digits, and that loops over them hold no call."""

import numpy as np
import pytest
from numba import njit

from rnn_ref.equations import exponentials
from rnn_ref.equations.activations import CODES
from rnn_ref.kernels.cpu import pointwise

EXACT = {"tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z))}
more_digits = pytest.mark.skipif(np.finfo(np.longdouble).eps >= np.finfo("float64").eps, reason="no wider floats here")


@more_digits
@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("span", [(-300, -12), (-12, -3), (-3, 0), (0, 1.4), (1.4, 2.85)], ids=str)
def test_errors_are_below_three_units_in_the_last_place(name, span):
    generator = np.random.default_rng(0)
    z = 10 ** generator.uniform(*span, 20_000) * generator.choice([-1, 1], 20_000)
    a, exact = pointwise.activate(z, CODES[name]), EXACT[name](z.astype(np.longdouble))
    assert (np.abs(a - exact) / np.spacing(np.abs(exact.astype("float64")))).max() < 3


@njit
def powers(k):
    found = np.empty_like(k)
    for n in range(k.size):
        found[n] = exponentials.power_of_two(k[n])
    return found


def test_powers_of_two_are_exact():
    k = np.arange(-1022.0, 1.0)
    np.testing.assert_array_equal(powers(k), [exponentials.power_of_two(n) for n in k])


@pytest.mark.parametrize("function", [exponentials.tanh, exponentials.sigmoid], ids=EXACT)
def test_a_loop_over_them_is_vectorized(function):
    @njit(error_model="numpy")
    def loop(z, a):
        for n in range(z.size):
            a[n] = function(z[n])

    z = np.linspace(-3, 3, 64)
    loop(z, np.empty_like(z))
    code = next(iter(loop.inspect_llvm().values()))
    assert "x double>" in code
    assert "@tanh" not in code
    assert "@exp" not in code
