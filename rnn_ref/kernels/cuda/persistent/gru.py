"""One time step of the GRU (``reset_after=True``) in a persistent kernel. Equations: :mod:`rnn_ref.equations.gru`.

gates   (3, T, B, H)    z, r, g, which come in as ``x_t W + b``
q       (T, B, H)       projected states ``h_{t-1} U_h + b``
b       (H,)            the candidate's recurrent bias
dz      (4, T, B, H)    gradients of the three pre-activations, and of q

A thread has sample ``n`` and unit ``k``.
"""

from rnn_ref.equations import gru
from rnn_ref.kernels.cuda.recurrence import device_function

GATES = gru.GATES
PROJECTED = (0, 1, 3)


def forward(total, options):
    """``read`` what the step needs besides the product; ``write`` gates and states."""
    activation, recurrent_activation, masked, keep_z = options

    @device_function
    def read(t, n, k, b, gates, h, q, mask):
        return gates[0, t, n, k], gates[1, t, n, k], gates[2, t, n, k], b[k], h[t, n, k], mask[t, n] if masked else True

    @device_function
    def write(before, partial, terms, row, unit, t, n, k, gates, z, h, q):
        z_z, z_r, z_h, b_q, h_prev, counts = before
        z_z += total(partial, terms, row, 3 * unit)
        z_r += total(partial, terms, row, 3 * unit + 1)
        q_t = b_q + total(partial, terms, row, 3 * unit + 2)
        z_t, r = gru.gate(z_z, recurrent_activation), gru.gate(z_r, recurrent_activation)
        z_h = gru.reset_projection(z_h, r, q_t)
        if keep_z:
            z[0, t, n, k], z[1, t, n, k], z[2, t, n, k] = z_z, z_r, z_h
        g, h_t = gru.forward(z_t, z_h, h_prev, activation)
        gates[0, t, n, k], gates[1, t, n, k], gates[2, t, n, k], q[t, n, k] = z_t, r, g, q_t
        h[t + 1, n, k] = h_t if counts else h_prev

    return read, write


def backward(options):
    """``read`` what the step left; ``write`` gradients of pre-activations, of q, and of the state before."""
    activation, recurrent_activation, masked, keep_z = options

    @device_function
    def read(t, n, k, gates, z, h, q, mask, _):
        z_ = z if keep_z else gates
        return (
            z_[0, t, n, k], z_[1, t, n, k], z_[2, t, n, k],
            gates[0, t, n, k], gates[1, t, n, k], gates[2, t, n, k],
            q[t, n, k], h[t, n, k], mask[t, n] if masked else True,
        )  # fmt: skip

    @device_function
    def write(before, d, t, n, k, dh, _, dz):
        z_z, z_r, z_h, z_t, r, g, q_t, h_prev, counts = before
        if counts:
            dz_t, dz_h, dh_prev = gru.backward(d, z_h, z_t, g, h_prev, activation)
            dr, dq = gru.d_reset_projection(dz_h, r, q_t)
            dz[0, t, n, k] = gru.d_gate(dz_t, z_z, z_t, recurrent_activation)
            dz[1, t, n, k] = gru.d_gate(dr, z_r, r, recurrent_activation)
            dz[2, t, n, k], dz[3, t, n, k] = dz_h, dq
            dh[t, n, k] += dh_prev
        else:  # a masked step passes on what came
            zero = type(d)(0)
            dz[0, t, n, k], dz[1, t, n, k], dz[2, t, n, k], dz[3, t, n, k] = zero, zero, zero, zero
            dh[t, n, k] += d

    return read, write
