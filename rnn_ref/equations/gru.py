"""GRU (Cho et al. 2014), one unit at one time step, in its two variants.

    z = recurrent_activation(z_z)       update gate: how much of the old state is kept
    r = recurrent_activation(z_r)       reset gate: how much of the old state the candidate sees
    g = activation(z_h)                 candidate
    h = z h_{t-1} + (1 - z) g           hidden state

The kernel computes the pre-activations ``x_t W + h_{t-1} U + b`` of ``z`` and ``r``. The variants differ in
where the reset gate acts on the candidate's:

    reset_after=True     z_h = x_t W_h + b_h + r q     with q = h_{t-1} U_h + b'_h    (Keras's default, cuDNN)
    reset_after=False    z_h = x_t W_h + b_h + (r h_{t-1}) U_h                        (Cho et al., as published)

The state is ``h``. Gate order as in Keras: z, r, h.
"""

from rnn_ref.equations.activations import activate, d_activate
from rnn_ref.jit import equation

GATES = ("update", "reset", "candidate")
STATES = ("hidden",)


@equation
def gate(z, recurrent_activation):
    """Pre-activation -> update gate ``z`` or reset gate ``r``."""
    return activate(recurrent_activation, z)


@equation
def d_gate(da, z, a, recurrent_activation):
    """dL/da of a gate -> dL/dz of its pre-activation."""
    return da * d_activate(recurrent_activation, z, a)


@equation
def reset_projection(z_h, r, q):
    """``reset_after=True``: the candidate's pre-activation, reset gate applied to the projected state ``q``."""
    return z_h + r * q


@equation
def d_reset_projection(dz_h, r, q):
    """dL/dz_h -> ``dr, dq``."""
    return dz_h * q, dz_h * r


@equation
def reset_state(r, h_prev):
    """``reset_after=False``: the reset gate applied to the state, before its projection."""
    return r * h_prev


@equation
def d_reset_state(drh, r, h_prev):
    """dL/d(r h_{t-1}) -> ``dr, dh_prev``."""
    return drh * h_prev, drh * r


@equation
def forward(z, z_h, h_prev, activation):
    """Update gate, candidate's pre-activation, previous state -> ``g, h``."""
    g = activate(activation, z_h)
    h = z * h_prev + (type(z)(1) - z) * g
    return g, h


@equation
def backward(dh, z_h, z, g, h_prev, activation):
    """dL/dh -> ``dz, dz_h, dh_prev`` (the part of dh_prev that goes through ``z h_{t-1}``)."""
    dz = dh * (h_prev - g)
    dg = dh * (type(z)(1) - z)
    dh_prev = dh * z
    dz_h = dg * d_activate(activation, z_h, g)
    return dz, dz_h, dh_prev
