"""SimpleRNN (Elman 1990), one unit at one time step.

    z = x_t W + h_{t-1} U + b       (computed by the kernel: two matrix products)
    h = activation(z)

The state is ``h``.
"""

from rnn_ref.equations.activations import activate, d_activate
from rnn_ref.equations.record import Gate, Record
from rnn_ref.jit import equation


@equation
def forward(z, activation):
    """``z`` -> ``h``."""
    h = activate(activation, z)
    return h


@equation
def backward(dh, z, h, activation):
    """dL/dh -> dL/dz."""
    dz = dh * d_activate(activation, z, h)
    return dz


RECORD = Record(gates=(Gate("candidate", "", "h"),), states={"hidden": "h"}, step=forward, d_step=backward)
GATES, STATES = RECORD.names
