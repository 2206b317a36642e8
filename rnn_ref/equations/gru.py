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
from rnn_ref.equations.record import Gate, Record
from rnn_ref.jit import equation


@equation
def gate(z, recurrent_activation):
    """Pre-activation -> update gate ``z`` or reset gate ``r``."""
    a = activate(recurrent_activation, z)
    return a


@equation
def d_gate(da, z, a, recurrent_activation):
    """dL/da of a gate -> dL/dz of its pre-activation."""
    dz = da * d_activate(recurrent_activation, z, a)
    return dz


@equation
def reset_projection(x_h, r, q):
    """``reset_after=True``: the candidate's pre-activation, reset gate applied to the projected state ``q``."""
    z_h = x_h + r * q
    return z_h


@equation
def d_reset_projection(dz_h, r, q):
    """dL/dz_h -> ``dr, dq``."""
    dr = dz_h * q
    dq = dz_h * r
    return dr, dq


@equation
def reset_state(r, h_prev):
    """``reset_after=False``: the reset gate applied to the state, before its projection."""
    rh = r * h_prev
    return rh


@equation
def d_reset_state(drh, r, h_prev):
    """dL/d(r h_{t-1}) -> ``dr, dh_prev``."""
    dr = drh * h_prev
    dh_prev = drh * r
    return dr, dh_prev


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


# -- a whole step of these equations, to be read and explained; the kernels run its parts, array by array -------------


def step_reset_after(z_z, z_r, x_h, q, h_prev, activation, recurrent_activation):
    """``x_h = x_t W_h + b_h`` and ``q = h_{t-1} U_h + b'_h`` apart -> ``z, r, z_h, g, h``."""
    z = gate(z_z, recurrent_activation)
    r = gate(z_r, recurrent_activation)
    z_h = reset_projection(x_h, r, q)
    g, h = forward(z, z_h, h_prev, activation)
    return z, r, z_h, g, h


def d_step_reset_after(dh, z_z, z_r, z_h, z, r, g, q, h_prev, activation, recurrent_activation):
    """dL/dh -> ``dz_z, dz_r, dz_h, dq, dh_prev``."""
    dz, dz_h, dh_prev = backward(dh, z_h, z, g, h_prev, activation)
    dr, dq = d_reset_projection(dz_h, r, q)
    dz_z = d_gate(dz, z_z, z, recurrent_activation)
    dz_r = d_gate(dr, z_r, r, recurrent_activation)
    return dz_z, dz_r, dz_h, dq, dh_prev


def step_reset_before(z_z, z_r, z_h, h_in, h_prev, activation, recurrent_activation):
    """``z_h = x_t W_h + q U_h + b_h``, from all units' ``q``; ``h_in``: h_{t-1} after dropout -> ``z, r, q, g, h``."""
    z = gate(z_z, recurrent_activation)
    r = gate(z_r, recurrent_activation)
    q = reset_state(r, h_in)
    g, h = forward(z, z_h, h_prev, activation)
    return z, r, q, g, h


def d_step_reset_before(dh, dq, z_z, z_r, z_h, z, r, g, h_in, h_prev, activation, recurrent_activation):
    """dL/dh, and dL/dq from the candidates of all units -> ``dz_z, dz_r, dz_h, dh_in, dh_prev``."""
    dz, dz_h, dh_prev = backward(dh, z_h, z, g, h_prev, activation)
    dr, dh_in = d_reset_state(dq, r, h_in)
    dz_z = d_gate(dz, z_z, z, recurrent_activation)
    dz_r = d_gate(dr, z_r, r, recurrent_activation)
    return dz_z, dz_r, dz_h, dh_in, dh_prev


_GATES = Gate("update", "z", "z"), Gate("reset", "r", "r")
RESET_AFTER = Record(
    gates=(*_GATES, Gate("candidate", "h", "g", apart="q")),
    states={"hidden": "h"},
    step=step_reset_after,
    d_step=d_step_reset_after,
)
RESET_BEFORE = Record(
    gates=(*_GATES, Gate("candidate", "h", "g", product="q")),
    states={"hidden": "h"},
    step=step_reset_before,
    d_step=d_step_reset_before,
)
GATES, STATES = RESET_AFTER.names
