"""Activations ``a = f(z)`` and their derivatives ``da/dz``, one number at a time.

Every derivative ``d_f(z, a)`` gets the pre-activation ``z`` and the activation ``a = f(z)`` and uses
whichever is cheaper. All but GELU and SiLU need only ``a``: these two are not monotonic, so ``a`` does
not tell ``z``, and a layer that uses them keeps its pre-activations (``NEEDS_Z``).

Constants are written ``real(0.5)`` with ``real = type(z)``: a bare ``0.5`` is a float64 and would
silently widen a float32 kernel.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from rnn_ref.equations import exponentials
from rnn_ref.equations.rectifiers import (
    celu,
    d_celu,
    d_elu,
    d_hard_shrink,
    d_hard_silu,
    d_hard_tanh,
    d_leaky_relu,
    d_relu6,
    d_soft_shrink,
    d_sparse_plus,
    d_sparse_sigmoid,
    elu,
    hard_shrink,
    hard_silu,
    hard_tanh,
    leaky_relu,
    relu6,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
)
from rnn_ref.equations.smooth import (
    d_exponential,
    d_gelu,
    d_log_sigmoid,
    d_mish,
    d_selu,
    d_softplus,
    d_softsign,
    d_squareplus,
    d_tanh_shrink,
    exponential,
    gelu,
    log_sigmoid,
    mish,
    selu,
    softplus,
    softsign,
    squareplus,
    tanh_shrink,
)
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


@equation
def silu(z):
    return z * sigmoid(z)


@equation
def d_silu(z, a):
    s = sigmoid(z)
    return s + a * (type(z)(1) - s)


# ---------------------------------------------------------------------------------------------------
# Choosing one by number. A compiled kernel cannot take a Python function and still be kept on disk, so
# a layer passes the code of its activation. Where the code is a constant the compiler drops the rest.
# Options have Keras's defaults here; activate_with takes others.
# ---------------------------------------------------------------------------------------------------

NAMES = (
    "tanh",
    "sigmoid",
    "linear",
    "relu",
    "hard_sigmoid",
    "hard_sigmoid_legacy",
    "softsign",
    "elu",
    "selu",
    "softplus",
    "exponential",
    "silu",
    "gelu",
    "celu",
    "leaky_relu",
    "relu6",
    "hard_tanh",
    "hard_silu",
    "hard_shrink",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "log_sigmoid",
    "mish",
    "squareplus",
    "tanh_shrink",
)
# np.int64: as literals each would compile activate() anew
CODES = {name: np.int64(code) for code, name in enumerate(NAMES)}
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
    CELU,
    LEAKY_RELU,
    RELU6,
    HARD_TANH,
    HARD_SILU,
    HARD_SHRINK,
    SOFT_SHRINK,
    SPARSE_PLUS,
    SPARSE_SIGMOID,
    LOG_SIGMOID,
    MISH,
    SQUAREPLUS,
    TANH_SHRINK,
) = CODES.values()

NEEDS_Z = frozenset({SILU, GELU, HARD_SILU, SPARSE_PLUS, MISH, SQUAREPLUS, TANH_SHRINK})


@njit(error_model="numpy")
def activate(code, z):
    """``a = f(z)`` for the activation with this code."""
    real = type(z)
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
        return elu(z, real(1))
    elif code == SELU:
        return selu(z)
    elif code == SOFTPLUS:
        return softplus(z)
    elif code == EXPONENTIAL:
        return exponential(z)
    elif code == SILU:
        return silu(z)
    elif code == GELU:
        return gelu(z)
    elif code == CELU:
        return celu(z, real(1))
    elif code == LEAKY_RELU:
        return leaky_relu(z, real(0.2))
    elif code == RELU6:
        return relu6(z)
    elif code == HARD_TANH:
        return hard_tanh(z)
    elif code == HARD_SILU:
        return hard_silu(z)
    elif code == HARD_SHRINK:
        return hard_shrink(z, real(0.5))
    elif code == SOFT_SHRINK:
        return soft_shrink(z, real(0.5))
    elif code == SPARSE_PLUS:
        return sparse_plus(z)
    elif code == SPARSE_SIGMOID:
        return sparse_sigmoid(z)
    elif code == LOG_SIGMOID:
        return log_sigmoid(z)
    elif code == MISH:
        return mish(z)
    elif code == SQUAREPLUS:
        return squareplus(z, real(4))
    else:
        return tanh_shrink(z)


@njit(error_model="numpy")
def d_activate(code, z, a):
    """``da/dz`` for the activation with this code, from ``z`` and ``a = f(z)``; ``a`` where it tells enough."""
    real = type(a)
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
        return d_elu(a, a, real(1))
    elif code == SELU:
        return d_selu(z, a)
    elif code == SOFTPLUS:
        return d_softplus(z, a)
    elif code == EXPONENTIAL:
        return d_exponential(z, a)
    elif code == SILU:
        return d_silu(z, a)
    elif code == GELU:
        return d_gelu(z, a)
    elif code == CELU:
        return d_celu(a, a, real(1))
    elif code == LEAKY_RELU:
        return d_leaky_relu(a, a, real(0.2))
    elif code == RELU6:
        return d_relu6(z, a)
    elif code == HARD_TANH:
        return d_hard_tanh(z, a)
    elif code == HARD_SILU:
        return d_hard_silu(z, a)
    elif code == HARD_SHRINK:
        return d_hard_shrink(a, a, real(0.5))
    elif code == SOFT_SHRINK:
        return d_soft_shrink(a, a, real(0))
    elif code == SPARSE_PLUS:
        return d_sparse_plus(z, a)
    elif code == SPARSE_SIGMOID:
        return d_sparse_sigmoid(z, a)
    elif code == LOG_SIGMOID:
        return d_log_sigmoid(z, a)
    elif code == MISH:
        return d_mish(z, a)
    elif code == SQUAREPLUS:
        return d_squareplus(z, a, real(4))
    else:
        return d_tanh_shrink(z, a)
