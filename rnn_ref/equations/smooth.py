"""Smooth activations that call the C library, and their derivatives; options come last (as in ``rectifiers``)."""

from __future__ import annotations

import math

from rnn_ref.jit import equation

SELU_SCALE = 1.0507009873554805  # Klambauer et al. 2017, the fixed point of mean 0 and variance 1
SELU_ALPHA = 1.6732632423543772


@equation
def log_sigmoid(z):
    """``-log(1 + exp(-z))``, without overflow."""
    real = type(z)
    return (z if z < real(0) else real(0)) - math.log1p(math.exp(-abs(z)))


@equation
def d_log_sigmoid(z, a):
    return -math.expm1(a)


@equation
def precise_sigmoid(z):
    """The logistic function with a small relative error where it is small, too: its logarithm may be taken."""
    real = type(z)
    e = math.exp(-abs(z))
    return (e if z < real(0) else real(1)) / (real(1) + e)


@equation
def tanh_of_softplus(z):
    """With ``e = exp(z)`` it is ``e (e + 2) / (e (e + 2) + 2)``; above 0 both are divided by ``e²``."""
    real = type(z)
    e = math.exp(-abs(z))
    if z < real(0):
        return e * (e + real(2)) / (e * (e + real(2)) + real(2))
    return (real(1) + real(2) * e) / (real(1) + real(2) * e + real(2) * e * e)


@equation
def mish(z):
    """``z tanh(softplus(z))`` (Misra 2019)."""
    return z * tanh_of_softplus(z)


@equation
def d_mish(z, a):
    real = type(z)
    t = tanh_of_softplus(z)
    return t + z * (real(1) - t * t) * precise_sigmoid(z)


@equation
def squareplus(z, b):
    """``(z + sqrt(z² + b)) / 2`` (Barron 2021); below 0 without taking a difference."""
    real = type(z)
    root = math.sqrt(z * z + b)
    return real(0.5) * (z + root) if z > real(0) else real(0.5) * b / (root - z)


@equation
def d_squareplus(z, a, b):
    """``a / sqrt(z² + b)``."""
    return a / math.sqrt(z * z + b)


@equation
def tanh_shrink(z):
    return z - math.tanh(z)


@equation
def d_tanh_shrink(z, a):
    t = math.tanh(z)
    return t * t


@equation
def gelu_by_tanh(z):
    """GELU's approximation: ``z (1 + tanh(sqrt(2/π) (z + 0.044715 z³))) / 2`` (Hendrycks and Gimpel 2016)."""
    real = type(z)
    u = real(0.7978845608028654) * (z + real(0.044715) * z * z * z)
    return real(0.5) * z * (real(1) + math.tanh(u))


@equation
def d_gelu_by_tanh(z, a):
    real = type(z)
    u = real(0.7978845608028654) * (z + real(0.044715) * z * z * z)
    t = math.tanh(u)
    du = real(0.7978845608028654) * (real(1) + real(0.134145) * z * z)
    return real(0.5) * (real(1) + t + z * (real(1) - t * t) * du)


@equation
def softsign(z):
    return z / (type(z)(1) + abs(z))


@equation
def d_softsign(z, a):
    slope = type(a)(1) - abs(a)
    return slope * slope


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
def gelu(z):
    """``z Φ(z)`` with the normal distribution function Φ (Hendrycks and Gimpel 2016), not its tanh form."""
    real = type(z)
    return real(0.5) * z * (real(1) + math.erf(z * real(0.7071067811865476)))


@equation
def d_gelu(z, a):
    real = type(z)
    cdf = real(0.5) * (real(1) + math.erf(z * real(0.7071067811865476)))
    return cdf + z * real(0.3989422804014327) * math.exp(real(-0.5) * z * z)
