"""Activations with options other than Keras's defaults, chosen by number: for layers that are not recurrent.

``p, q, r`` are the options, in the order of the equation's arguments; what an equation has not is not looked at.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from rnn_ref.equations.activations import d_sigmoid
from rnn_ref.equations.rectifiers import (
    bent_relu,
    celu,
    d_bent_relu,
    d_celu,
    d_elu,
    d_hard_shrink,
    d_leaky_relu,
    d_soft_shrink,
    d_threshold,
    elu,
    hard_shrink,
    leaky_relu,
    soft_shrink,
    threshold,
)
from rnn_ref.equations.smooth import d_gelu_by_tanh, d_squareplus, gelu_by_tanh, precise_sigmoid, squareplus

NAMES = (
    "bent_relu",
    "leaky_relu",
    "elu",
    "celu",
    "hard_shrink",
    "soft_shrink",
    "threshold",
    "squareplus",
    "gelu_by_tanh",
    "precise_sigmoid",
)
CODES = {name: np.int64(code) for code, name in enumerate(NAMES)}
(
    BENT_RELU,
    LEAKY_RELU,
    ELU,
    CELU,
    HARD_SHRINK,
    SOFT_SHRINK,
    THRESHOLD,
    SQUAREPLUS,
    GELU_BY_TANH,
    PRECISE_SIGMOID,
) = CODES.values()


@njit(error_model="numpy")
def activate_with(code, z, p, q, r):
    """``a = f(z)``."""
    if code == BENT_RELU:
        return bent_relu(z, p, q, r)
    elif code == LEAKY_RELU:
        return leaky_relu(z, p)
    elif code == ELU:
        return elu(z, p)
    elif code == CELU:
        return celu(z, p)
    elif code == HARD_SHRINK:
        return hard_shrink(z, p)
    elif code == SOFT_SHRINK:
        return soft_shrink(z, p)
    elif code == THRESHOLD:
        return threshold(z, p, q)
    elif code == SQUAREPLUS:
        return squareplus(z, p)
    elif code == GELU_BY_TANH:
        return gelu_by_tanh(z)
    else:
        return precise_sigmoid(z)


@njit(error_model="numpy")
def d_activate_with(code, z, a, p, q, r):
    """``da/dz``."""
    if code == BENT_RELU:
        return d_bent_relu(z, a, p, q, r)
    elif code == LEAKY_RELU:
        return d_leaky_relu(z, a, p)
    elif code == ELU:
        return d_elu(z, a, p)
    elif code == CELU:
        return d_celu(z, a, p)
    elif code == HARD_SHRINK:
        return d_hard_shrink(z, a, p)
    elif code == SOFT_SHRINK:
        return d_soft_shrink(z, a, p)
    elif code == THRESHOLD:
        return d_threshold(z, a, p, q)
    elif code == SQUAREPLUS:
        return d_squareplus(z, a, p)
    elif code == GELU_BY_TANH:
        return d_gelu_by_tanh(z, a)
    else:
        return d_sigmoid(z, a)
