"""Activations against Keras and closed formulas, their derivatives against central differences and JAX."""

import math

import jax
import keras
import numpy as np
import pytest
import scipy.special

from rnn_ref.equations import activations as equations
from rnn_ref.equations import rows
from rnn_ref.equations.activations import CODES
from rnn_ref.kernels.cpu import pointwise

GRID = np.linspace(-20, 20, 4001)

# A formula that we did not write, for float64 input.
REFERENCE = {name: getattr(keras.activations, name) for name in CODES if name != "hard_sigmoid_legacy"}
REFERENCE["hard_sigmoid_legacy"] = lambda z: np.clip(0.2 * z + 0.5, 0, 1)
FORMULAS = {
    "tanh": np.tanh,
    "sigmoid": scipy.special.expit,
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "hard_sigmoid": lambda z: np.clip(z / 6 + 0.5, 0, 1),
    "hard_sigmoid_legacy": lambda z: np.clip(0.2 * z + 0.5, 0, 1),
    "softsign": lambda z: z / (1 + np.abs(z)),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "selu": lambda z: np.where(
        z > 0, 1.0507009873554805 * z, 1.0507009873554805 * 1.6732632423543772 * np.expm1(np.minimum(z, 0))
    ),
    "softplus": lambda z: np.logaddexp(z, 0),
    "exponential": np.exp,
    "silu": lambda z: z * scipy.special.expit(z),
    "gelu": lambda z: z * scipy.special.ndtr(z),
    "celu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "leaky_relu": lambda z: np.maximum(z, 0.2 * z),
    "relu6": lambda z: np.clip(z, 0, 6),
    "hard_tanh": lambda z: np.clip(z, -1, 1),
    "hard_silu": lambda z: z * np.clip(z / 6 + 0.5, 0, 1),
    "hard_shrink": lambda z: np.where(np.abs(z) > 0.5, z, 0) + 0 * z,
    "soft_shrink": lambda z: np.sign(z) * np.maximum(np.abs(z) - 0.5, 0),
    "sparse_plus": lambda z: np.where(z < -1, 0, np.where(z > 1, z, (z + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda z: np.clip(z / 2 + 0.5, 0, 1),
    "log_sigmoid": scipy.special.log_expit,
    "mish": lambda z: z * np.tanh(np.logaddexp(z, 0)),
    "squareplus": lambda z: np.where(z < 0, 2 / (np.sqrt(z * z + 4) - z), (z + np.sqrt(z * z + 4)) / 2),
    "tanh_shrink": lambda z: z - np.tanh(z),
}
KINKS = {
    "relu": [0],
    "selu": [0],
    "hard_sigmoid": [-3, 3],
    "hard_sigmoid_legacy": [-2.5, 2.5],
    "leaky_relu": [0],
    "relu6": [0, 6],
    "hard_tanh": [-1, 1],
    "hard_silu": [-3, 3],
    "hard_shrink": [-0.5, 0.5],
    "soft_shrink": [-0.5, 0.5],
    "sparse_sigmoid": [-1, 1],
}
# What kernels give equations that have options: Keras's defaults.
DEFAULTS = {"elu": [1], "celu": [1], "leaky_relu": [0.2], "hard_shrink": [0.5], "soft_shrink": [0.5], "squareplus": [4]}

every = pytest.mark.parametrize("name", CODES)


def d_reference(name, z):
    """Derivative by central differences of a formula that is not ours."""
    return (FORMULAS[name](z + 1e-5) - FORMULAS[name](z - 1e-5)) / 2e-5


def away_from_kinks(name, z):
    return z[[all(abs(value - kink) > 1e-3 for kink in KINKS.get(name, [])) for value in z]]


# -- values -----------------------------------------------------------------------------------------


@every
def test_float64_is_keras(name, keras_in):
    a = pointwise.activate(GRID, CODES[name])
    with keras_in("float64"):
        expected = np.asarray(REFERENCE[name](jax.numpy.asarray(GRID)))
    assert a.dtype == np.float64
    np.testing.assert_allclose(a, expected, rtol=1e-13, atol=1e-15)


@every
def test_float64_is_the_formula(name):
    np.testing.assert_allclose(pointwise.activate(GRID, CODES[name]), FORMULAS[name](GRID), rtol=1e-13, atol=1e-15)


@every
def test_float32_is_the_float64_formula_rounded(name):
    z = GRID.astype("float32")
    a, expected = pointwise.activate(z, CODES[name]), FORMULAS[name](z.astype("float64"))
    assert a.dtype == np.float32
    scale = np.maximum(np.abs(z), np.abs(expected))  # silu multiplies the sigmoid, and its error, by z
    assert (np.abs(a - expected) / np.maximum(1, scale)).max() <= 5e-7


@pytest.mark.parametrize(("name", "formula", "least"), [("tanh", np.tanh, -1), ("sigmoid", scipy.special.expit, 0)])
def test_float32_tanh_and_sigmoid_over_the_whole_line(name, formula, least):
    # every 997th bit pattern: all magnitudes, both signs, denormals, infinities and NaN
    patterns = np.arange(0, 2**32, 997, dtype=np.uint32).view(np.float32)
    dense = np.linspace(-20, 20, 1_000_001, dtype=np.float32)
    z = np.concatenate([patterns, dense, np.array([np.inf, -np.inf, np.nan, 0.0, -0.0], "float32")])
    a = pointwise.activate(z, CODES[name])
    nan = np.isnan(z)
    assert nan.sum() > 1000
    np.testing.assert_array_equal(np.isnan(a), nan)
    a, z = a[~nan], z[~nan].astype("float64")
    assert np.abs(a - formula(z)).max() <= 5e-7
    assert a.min() >= least
    assert a.max() <= 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "at_minus_infinity", "at_infinity"),
    [
        ("tanh", -1, 1), ("sigmoid", 0, 1), ("linear", -np.inf, np.inf), ("relu", 0, np.inf),
        ("hard_sigmoid", 0, 1), ("hard_sigmoid_legacy", 0, 1), ("elu", -1, np.inf),
        ("softplus", 0, np.inf), ("exponential", 0, np.inf),
    ],
)  # fmt: skip
def test_limits_are_exact_and_huge_values_do_not_overflow(name, at_minus_infinity, at_infinity, dtype):
    largest = np.finfo(dtype).max
    a = pointwise.activate(np.array([-np.inf, -largest, largest, np.inf], dtype), CODES[name])
    assert a[0] == at_minus_infinity
    assert a[3] == at_infinity
    if name not in ("linear", "exponential"):
        assert a[1] == at_minus_infinity
        assert a[2] == (largest if at_infinity == np.inf else at_infinity)


@every
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_stays_nan(name, dtype):
    assert np.isnan(pointwise.activate(np.array([np.nan, 1.0], dtype), CODES[name])).tolist() == [True, False]


# -- plain Python -----------------------------------------------------------------------------------


def in_plain_python(name, real):
    """The functions themselves; those they call run compiled."""
    f, d_f = getattr(equations, name).py_func, getattr(equations, f"d_{name}").py_func
    options = [real(value) for value in DEFAULTS.get(name, [])]
    return lambda z: f(z, *options), lambda z, a: d_f(z, a, *options)


@every
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_plain_python_computes_the_same(name, dtype):
    f, d_f = in_plain_python(name, np.dtype(dtype).type)
    z = np.linspace(-4, 4, 33).astype(dtype) + np.dtype(dtype).type(0.01)
    a, tolerance = FORMULAS[name](z.astype("float64")), 1e-6 if dtype == "float32" else 1e-13
    np.testing.assert_allclose([f(value) for value in z], a, rtol=tolerance, atol=tolerance)
    da = pointwise.d_activate(z, a.astype(dtype), np.ones_like(z), CODES[name])
    np.testing.assert_allclose([d_f(v, w) for v, w in zip(z, a.astype(dtype))], da, rtol=tolerance, atol=tolerance)


@every
def test_plain_python_does_not_widen_float32(name):
    f, d_f = in_plain_python(name, np.float32)
    for value in np.array([-2.0, 0.3, 5.0], "float32"):
        a = f(value)
        # a Python float (from the math module) is weak in NumPy and does not widen either; a float64 would
        assert (np.float32(1) * a).dtype == np.float32
        assert (np.float32(1) * d_f(value, np.float32(a))).dtype == np.float32


# -- derivatives ------------------------------------------------------------------------------------


@every
def test_derivative_is_the_central_difference(name):
    z = away_from_kinks(name, np.linspace(-6, 6, 241) + 0.0123)
    assert z.size > 200
    d = pointwise.d_activate(z, FORMULAS[name](z), np.ones_like(z), CODES[name])
    np.testing.assert_allclose(d, d_reference(name, z), rtol=1e-8, atol=1e-9)


@every
def test_derivative_in_float32(name):
    z = away_from_kinks(name, np.linspace(-6, 6, 241) + 0.0123).astype("float32")
    d = pointwise.d_activate(z, FORMULAS[name](z).astype("float32"), np.ones_like(z), CODES[name])
    assert d.dtype == np.float32
    np.testing.assert_allclose(d, d_reference(name, z.astype("float64")), rtol=2e-6, atol=1e-6)


@every
def test_derivative_multiplies_what_comes_from_outside(name):
    z = np.array([-0.7, 0.4, 1.3])
    a, da = FORMULAS[name](z), np.array([2.0, -3.0, 0.5])
    np.testing.assert_allclose(
        pointwise.d_activate(z, a, da, CODES[name]), da * d_reference(name, z), rtol=1e-8, atol=1e-9
    )


@pytest.mark.parametrize(
    "name", ["relu", "elu", "celu", "selu", "softsign", "leaky_relu", "mish", "squareplus", "hard_silu"]
)
def test_derivative_at_zero_is_that_of_keras(name):
    zero = np.zeros(1)
    d = pointwise.d_activate(zero, pointwise.activate(zero, CODES[name]), np.ones(1), CODES[name])[0]
    assert math.isclose(d, float(jax.grad(REFERENCE[name])(0.0)), rel_tol=1e-15)


# -- softmax ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-14)])
def test_softmax_is_keras(dtype, tolerance, keras_in):
    z = np.random.default_rng(0).normal(size=(4, 3, 5), scale=5).astype(dtype)
    a = rows.softmax(z)
    assert a.dtype == dtype
    with keras_in(dtype):
        expected = np.asarray(keras.activations.softmax(jax.numpy.asarray(z)))
    np.testing.assert_allclose(a, expected, rtol=tolerance, atol=tolerance)


def test_softmax_does_not_overflow():
    a = rows.softmax(np.array([[1e4, 0.0], [-1e4, -1e4]]))
    np.testing.assert_array_equal(a, [[1, 0], [0.5, 0.5]])


def test_d_softmax_is_the_jacobian():
    generator = np.random.default_rng(1)
    z, da = generator.normal(size=(4, 5)), generator.normal(size=(4, 5))
    expected = [row_da @ np.asarray(jax.jacobian(jax.nn.softmax)(row)) for row, row_da in zip(z, da)]
    np.testing.assert_allclose(rows.d_softmax(rows.softmax(z), da), expected, rtol=1e-12, atol=1e-15)
