"""Activations in pieces, and their derivatives: rectifiers, thresholds, and straight lines in place of curves.

As in :mod:`rnn_ref.equations.activations`, ``d_f(z, a, ...)`` gets the pre-activation and the activation. Options come
last; a recurrent cell uses Keras's defaults.
"""

from __future__ import annotations

import math

from rnn_ref.jit import equation


@equation
def leaky_relu(z, slope):
    return z if z >= type(z)(0) else slope * z


@equation
def d_leaky_relu(z, a, slope):
    real = type(z)
    return real(1) if z >= real(0) else slope


@equation
def relu6(z):
    real = type(z)
    a = real(0) if z < real(0) else z
    return real(6) if a > real(6) else a


@equation
def d_relu6(z, a):
    real = type(a)
    return real(1) if real(0) < a < real(6) else real(0)


@equation
def bent_relu(z, slope, ceiling, threshold):
    """Keras's relu with all its options; without a ceiling that is infinite.

    ``z`` above the threshold, where it is held in [0, ceiling] if there is a ceiling; ``slope (z - threshold)`` below.
    """
    real = type(z)
    if z <= threshold:
        return slope * (z - threshold)
    if ceiling < real(math.inf):
        a = real(0) if z < real(0) else z
        return ceiling if a > ceiling else a
    return z


@equation
def d_bent_relu(z, a, slope, ceiling, threshold):
    real = type(z)
    if z < threshold:
        return slope
    inside = ceiling == real(math.inf) or real(0) < z < ceiling
    return real(1) if z > threshold and inside else real(0)


@equation
def elu(z, alpha):
    """Clevert et al. 2016."""
    return z if z > type(z)(0) else alpha * math.expm1(z)


@equation
def d_elu(z, a, alpha):
    real = type(z)
    return real(1) if z > real(0) else a + alpha


@equation
def celu(z, alpha):
    """Barron 2017: an ELU whose slope has no jump, whatever alpha."""
    return z if z > type(z)(0) else alpha * math.expm1(z / alpha)


@equation
def d_celu(z, a, alpha):
    real = type(z)
    return real(1) if z > real(0) else a / alpha + real(1)


@equation
def hard_tanh(z):
    real = type(z)
    a = real(-1) if z < real(-1) else z
    return real(1) if a > real(1) else a


@equation
def d_hard_tanh(z, a):
    real = type(a)
    return real(1) if real(-1) < a < real(1) else real(0)


@equation
def hard_silu(z):
    """``z relu6(z + 3) / 6`` (Howard et al. 2019)."""
    real = type(z)
    gate = z / real(6) + real(0.5)
    gate = real(0) if gate < real(0) else gate
    return z * (real(1) if gate > real(1) else gate)


@equation
def d_hard_silu(z, a):
    real = type(z)
    if z <= real(-3):
        return real(0)
    return real(1) if z >= real(3) else z / real(3) + real(0.5)


@equation
def hard_shrink(z, threshold):
    """NaN is shrunk by no comparison."""
    return type(z)(0) if abs(z) <= threshold else z


@equation
def d_hard_shrink(z, a, threshold):
    real = type(z)
    return real(0) if abs(z) <= threshold else real(1)


@equation
def soft_shrink(z, threshold):
    real = type(z)
    if z > threshold:
        return z - threshold
    return z + threshold if z < -threshold else z * real(0)


@equation
def d_soft_shrink(z, a, threshold):
    real = type(z)
    return real(1) if z > threshold or z < -threshold else real(0)


@equation
def threshold(z, limit, default):
    return default if z <= limit else z


@equation
def d_threshold(z, a, limit, default):
    real = type(z)
    return real(0) if z <= limit else real(1)


@equation
def sparse_plus(z):
    """``(z + 1)² / 4`` between the straight lines 0 and z; its slope is ``sparse_sigmoid``."""
    real = type(z)
    if z <= real(-1):
        return real(0)
    return z if z >= real(1) else real(0.25) * (z + real(1)) * (z + real(1))


@equation
def d_sparse_plus(z, a):
    return sparse_sigmoid(z)


@equation
def sparse_sigmoid(z):
    """Blondel et al. 2019."""
    real = type(z)
    a = real(0.5) * z + real(0.5)
    a = real(0) if a < real(0) else a
    return real(1) if a > real(1) else a


@equation
def d_sparse_sigmoid(z, a):
    real = type(a)
    return real(0.5) if real(0) < a < real(1) else real(0)
