"""SimpleRNN (Elman 1990), one unit at one time step.

    z = x_t W + h_{t-1} U + b       (computed by the kernel: two matrix products)
    h = activation(z)

The state is ``h``.
"""

from rnn_ref.equations.activations import activate, d_activate
from rnn_ref.jit import equation

GATES = ("candidate",)
STATES = ("hidden",)


@equation
def forward(z, activation):
    """``z`` -> ``h``."""
    return activate(activation, z)


@equation
def backward(dh, z, h, activation):
    """dL/dh -> dL/dz."""
    return dh * d_activate(activation, z, h)
