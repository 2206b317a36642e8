"""Activations ``a = f(z)`` and their derivatives ``da/dz``, one number at a time.

Every derivative ``d_f(z, a)`` gets the pre-activation ``z`` and the activation ``a = f(z)`` and uses
whichever is cheaper. All but GELU and SiLU need only ``a``: these two are not monotonic, so ``a`` does
not tell ``z``, and a layer that uses them keeps its pre-activations (``NEEDS_Z``).

Constants are written ``real(0.5)`` with ``real = type(z)``: a bare ``0.5`` is a float64 and would
silently widen a float32 kernel.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from rnn_ref.equations import exponentials
from rnn_ref.jit import equation, fma

# ---------------------------------------------------------------------------------------------------
# tanh and sigmoid
# ---------------------------------------------------------------------------------------------------


@equation
def is_float32(z):
    """1 + 1e-10 is 1 in float32 and more in float64; the compiler decides this once, not the kernel."""
    real = type(z)
    return real(1) + real(1e-10) == real(1)


@equation
def tanh(z):
    """Hyperbolic tangent.

    A library call cannot be vectorized; these can. float64: :mod:`rnn_ref.equations.exponentials`. float32: a rational
    approximation ``z P(z²) / Q(z²)`` (40 times faster than the library's). The coefficients are a minimax fit on
    [-8.6, 8.6] (1.2e-8); with float32 rounding the error is below 5e-7 everywhere. Beyond the
    fit the quotient overshoots 1 and is clipped to exactly 1; comparisons let NaN pass.
    """
    real = type(z)
    if not is_float32(z):
        return exponentials.tanh(z)
    one = real(1)
    x = real(10) if z > real(10) else z
    x = real(-10) if x < real(-10) else x
    u = x * x
    p = fma(u, real(1.3912428986646594e-08), real(2.0991397459910425e-05))
    p = fma(u, fma(u, p, real(0.0035180408049768647)), real(0.13399684548661328))
    p = fma(u, p, real(0.9999999390277537))
    q = fma(u, real(7.998668713980037e-07), real(0.0003322888311795722))
    q = fma(u, fma(u, fma(u, q, real(0.02596163743335983)), real(0.4673299349313952)), one)
    a = x * p / q
    a = one if a > one else a
    return -one if a < -one else a


@equation
def d_tanh(z, a):
    return type(a)(1) - a * a


@equation
def sigmoid(z):
    """Logistic function ``1 / (1 + exp(-z))``; in float32 through ``tanh``."""
    real = type(z)
    if is_float32(z):
        half = real(0.5)
        return fma(half, tanh(half * z), half)
    return exponentials.sigmoid(z)


@equation
def d_sigmoid(z, a):
    return a * (type(a)(1) - a)


# ---------------------------------------------------------------------------------------------------
# piecewise linear
# ---------------------------------------------------------------------------------------------------


@equation
def linear(z):
    return z


@equation
def d_linear(z, a):
    return type(a)(1)


@equation
def relu(z):
    zero = type(z)(0)
    return zero if z < zero else z


@equation
def d_relu(z, a):
    real = type(a)
    return real(1) if a > real(0) else real(0)


@equation
def hard_sigmoid(z):
    """Keras 3: ``relu6(z + 3) / 6``, that is ``clip(z/6 + 1/2, 0, 1)``."""
    real = type(z)
    a = z / real(6) + real(0.5)
    a = real(0) if a < real(0) else a
    return real(1) if a > real(1) else a


@equation
def d_hard_sigmoid(z, a):
    real = type(a)
    return real(1) / real(6) if real(0) < a < real(1) else real(0)


@equation
def hard_sigmoid_legacy(z):
    """Keras 1 and 2, TensorFlow.js: ``clip(0.2 z + 0.5, 0, 1)``."""
    real = type(z)
    a = real(0.2) * z + real(0.5)
    a = real(0) if a < real(0) else a
    return real(1) if a > real(1) else a


@equation
def d_hard_sigmoid_legacy(z, a):
    real = type(a)
    return real(0.2) if real(0) < a < real(1) else real(0)


# ---------------------------------------------------------------------------------------------------
# smooth, on the C library
# ---------------------------------------------------------------------------------------------------


@equation
def softsign(z):
    return z / (type(z)(1) + abs(z))


@equation
def d_softsign(z, a):
    slope = type(a)(1) - abs(a)
    return slope * slope


@equation
def elu(z):
    return z if z > type(z)(0) else math.expm1(z)


@equation
def d_elu(z, a):
    real = type(a)
    return real(1) if a > real(0) else a + real(1)


SELU_SCALE = 1.0507009873554805  # Klambauer et al. 2017, the fixed point of mean 0 and variance 1
SELU_ALPHA = 1.6732632423543772


@equation
def selu(z):
    real = type(z)
    return real(SELU_SCALE) * (z if z > real(0) else real(SELU_ALPHA) * math.expm1(z))


@equation
def d_selu(z, a):
    real = type(a)
    return real(SELU_SCALE) if a > real(0) else a + real(SELU_SCALE * SELU_ALPHA)


@equation
def softplus(z):
    """``log(1 + exp(z))``, without overflow."""
    real = type(z)
    return (z if z > real(0) else real(0)) + math.log1p(math.exp(-abs(z)))


@equation
def d_softplus(z, a):
    return -math.expm1(-a)


@equation
def exponential(z):
    return math.exp(z)


@equation
def d_exponential(z, a):
    return a


@equation
def silu(z):
    return z * sigmoid(z)


@equation
def d_silu(z, a):
    s = sigmoid(z)
    return s + a * (type(z)(1) - s)


@equation
def gelu(z):
    """``z Φ(z)`` with the normal distribution function Φ (Hendrycks and Gimpel 2016), not its tanh form."""
    real = type(z)
    return real(0.5) * z * (real(1) + math.erf(z * real(0.7071067811865476)))


@equation
def d_gelu(z, a):
    real = type(z)
    cdf = real(0.5) * (real(1) + math.erf(z * real(0.7071067811865476)))
    return cdf + z * real(0.3989422804014327) * math.exp(real(-0.5) * z * z)


# ---------------------------------------------------------------------------------------------------
# Choosing one by number. A compiled kernel cannot take a Python function and still be kept on disk, so
# a layer passes the code of its activation. Where the code is a constant the compiler drops the rest.
# ---------------------------------------------------------------------------------------------------

(
    TANH,
    SIGMOID,
    LINEAR,
    RELU,
    HARD_SIGMOID,
    HARD_SIGMOID_LEGACY,
    SOFTSIGN,
    ELU,
    SELU,
    SOFTPLUS,
    EXPONENTIAL,
    SILU,
    GELU,
) = (np.int64(code) for code in range(13))  # np.int64: as literals each would compile activate() anew

CODES = {
    "tanh": TANH,
    "sigmoid": SIGMOID,
    "linear": LINEAR,
    "relu": RELU,
    "hard_sigmoid": HARD_SIGMOID,
    "hard_sigmoid_legacy": HARD_SIGMOID_LEGACY,
    "softsign": SOFTSIGN,
    "elu": ELU,
    "selu": SELU,
    "softplus": SOFTPLUS,
    "exponential": EXPONENTIAL,
    "silu": SILU,
    "gelu": GELU,
}

NEEDS_Z = frozenset({SILU, GELU})


@njit(error_model="numpy")
def activate(code, z):
    """``a = f(z)`` for the activation with this code."""
    if code == TANH:
        return tanh(z)
    elif code == SIGMOID:
        return sigmoid(z)
    elif code == LINEAR:
        return linear(z)
    elif code == RELU:
        return relu(z)
    elif code == HARD_SIGMOID:
        return hard_sigmoid(z)
    elif code == HARD_SIGMOID_LEGACY:
        return hard_sigmoid_legacy(z)
    elif code == SOFTSIGN:
        return softsign(z)
    elif code == ELU:
        return elu(z)
    elif code == SELU:
        return selu(z)
    elif code == SOFTPLUS:
        return softplus(z)
    elif code == EXPONENTIAL:
        return exponential(z)
    elif code == SILU:
        return silu(z)
    else:
        return gelu(z)


@njit(error_model="numpy")
def d_activate(code, z, a):
    """``da/dz`` for the activation with this code, from ``z`` and ``a = f(z)``."""
    if code == TANH:
        return d_tanh(z, a)
    elif code == SIGMOID:
        return d_sigmoid(z, a)
    elif code == LINEAR:
        return d_linear(z, a)
    elif code == RELU:
        return d_relu(z, a)
    elif code == HARD_SIGMOID:
        return d_hard_sigmoid(z, a)
    elif code == HARD_SIGMOID_LEGACY:
        return d_hard_sigmoid_legacy(z, a)
    elif code == SOFTSIGN:
        return d_softsign(z, a)
    elif code == ELU:
        return d_elu(z, a)
    elif code == SELU:
        return d_selu(z, a)
    elif code == SOFTPLUS:
        return d_softplus(z, a)
    elif code == EXPONENTIAL:
        return d_exponential(z, a)
    elif code == SILU:
        return d_silu(z, a)
    else:
        return d_gelu(z, a)


# ---------------------------------------------------------------------------------------------------
# Softmax couples all units of a row: it is an output activation, never a gate.
# ---------------------------------------------------------------------------------------------------


def softmax(z: np.ndarray) -> np.ndarray:
    """``a_k = exp(z_k) / Σ_j exp(z_j)`` over the last axis."""
    a = np.exp(z - z.max(axis=-1, keepdims=True))
    a /= a.sum(axis=-1, keepdims=True)
    return a


def d_softmax(a: np.ndarray, da: np.ndarray) -> np.ndarray:
    """``dz_k = a_k (da_k - Σ_j a_j da_j)``."""
    return a * (da - (a * da).sum(axis=-1, keepdims=True))
