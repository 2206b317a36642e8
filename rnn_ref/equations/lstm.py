"""LSTM (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000), one unit at one time step.

    z_i, z_f, z_c, z_o = x_t W + h_{t-1} U + b     (computed by the kernel: two matrix products)

    i = recurrent_activation(z_i)       input gate: how much of the candidate is written
    f = recurrent_activation(z_f)       forget gate: how much of the cell state is kept
    g = activation(z_c)                 candidate
    o = recurrent_activation(z_o)       output gate: how much of the cell state is shown
    c = f c_{t-1} + i g                 cell state
    h = o activation(c)                 hidden state

The states are ``h`` and ``c``. Gate order as in Keras: i, f, c, o.
"""

from rnn_ref.equations.activations import activate, d_activate
from rnn_ref.equations.record import Gate, Record
from rnn_ref.jit import equation


@equation
def forward(z_i, z_f, z_c, z_o, c_prev, activation, recurrent_activation):
    """Pre-activations and the previous cell state -> ``i, f, g, o, c, h``."""
    i = activate(recurrent_activation, z_i)
    f = activate(recurrent_activation, z_f)
    g = activate(activation, z_c)
    o = activate(recurrent_activation, z_o)
    c = f * c_prev + i * g
    h = o * activate(activation, c)
    return i, f, g, o, c, h


@equation
def backward(dh, dc, z_i, z_f, z_c, z_o, i, f, g, o, c, c_prev, activation, recurrent_activation):
    """dL/dh and dL/dc (its part from the next step) -> ``dz_i, dz_f, dz_c, dz_o, dc_prev, dc``.

    The ``dc`` returned is the whole of dL/dc: what came from the next step and what came through ``h``.
    """
    a = activate(activation, c)
    do = dh * a
    dc = dc + dh * o * d_activate(activation, c, a)
    di = dc * g
    df = dc * c_prev
    dg = dc * i
    dc_prev = dc * f
    dz_i = di * d_activate(recurrent_activation, z_i, i)
    dz_f = df * d_activate(recurrent_activation, z_f, f)
    dz_c = dg * d_activate(activation, z_c, g)
    dz_o = do * d_activate(recurrent_activation, z_o, o)
    return dz_i, dz_f, dz_c, dz_o, dc_prev, dc


RECORD = Record(
    gates=(Gate("input", "i", "i"), Gate("forget", "f", "f"), Gate("candidate", "c", "g"), Gate("output", "o", "o")),
    states={"hidden": "h", "cell": "c"},
    step=forward,
    d_step=backward,
)
GATES, STATES = RECORD.names
