"""One time step of the LSTM in a persistent kernel. Equations: :mod:`rnn_ref.equations.lstm`.

gates    (4, T, B, H)    i, f, g, o, which come in as ``x_t W + b``
c, dc    (T + 1, B, H)   cell states and their gradients

A thread has sample ``n`` and unit ``k``.
"""

from rnn_ref.equations import lstm
from rnn_ref.kernels.cuda.recurrence import device_function

GATES = lstm.GATES
PROJECTED = (0, 1, 2, 3)


def forward(total, options):
    """``read`` what the step needs besides the product; ``write`` gates and states."""
    activation, recurrent_activation, masked, keep_z = options

    @device_function
    def read(t, n, k, b, gates, h, c, mask):
        return (
            gates[0, t, n, k],
            gates[1, t, n, k],
            gates[2, t, n, k],
            gates[3, t, n, k],
            c[t, n, k],
            h[t, n, k],
            (mask[t, n] if masked else True),
        )

    @device_function
    def write(before, partial, terms, row, unit, t, n, k, gates, z, h, c):
        z_i, z_f, z_c, z_o, c_prev, h_prev, counts = before
        z_i += total(partial, terms, row, 4 * unit)
        z_f += total(partial, terms, row, 4 * unit + 1)
        z_c += total(partial, terms, row, 4 * unit + 2)
        z_o += total(partial, terms, row, 4 * unit + 3)
        if keep_z:
            z[0, t, n, k], z[1, t, n, k], z[2, t, n, k], z[3, t, n, k] = z_i, z_f, z_c, z_o
        i, f, g, o, c_t, h_t = lstm.forward(z_i, z_f, z_c, z_o, c_prev, activation, recurrent_activation)
        gates[0, t, n, k], gates[1, t, n, k], gates[2, t, n, k], gates[3, t, n, k] = i, f, g, o
        c[t + 1, n, k], h[t + 1, n, k] = (c_t, h_t) if counts else (c_prev, h_prev)

    return read, write


def backward(options):
    """``read`` what the step left; ``write`` gradients of pre-activations and of the states before."""
    activation, recurrent_activation, masked, keep_z = options

    @device_function
    def read(t, n, k, gates, z, h, c, mask, dc):
        z_ = z if keep_z else gates
        return (
            z_[0, t, n, k], z_[1, t, n, k], z_[2, t, n, k], z_[3, t, n, k],
            gates[0, t, n, k], gates[1, t, n, k], gates[2, t, n, k], gates[3, t, n, k],
            c[t + 1, n, k], c[t, n, k], dc[t + 1, n, k], mask[t, n] if masked else True,
        )  # fmt: skip

    @device_function
    def write(before, d, t, n, k, dh, dc, dz):
        z_i, z_f, z_c, z_o, i, f, g, o, c_t, c_prev, dc_t, counts = before
        if counts:
            dz_i, dz_f, dz_c, dz_o, dc_prev, dc_t = lstm.backward(
                d, dc_t, z_i, z_f, z_c, z_o, i, f, g, o, c_t, c_prev, activation, recurrent_activation
            )
            dz[0, t, n, k], dz[1, t, n, k], dz[2, t, n, k], dz[3, t, n, k] = dz_i, dz_f, dz_c, dz_o
            dc[t + 1, n, k], dc[t, n, k] = dc_t, dc_prev
        else:  # a masked step passes on what came
            zero = type(d)(0)
            dz[0, t, n, k], dz[1, t, n, k], dz[2, t, n, k], dz[3, t, n, k] = zero, zero, zero, zero
            dh[t, n, k] += d
            dc[t, n, k] = dc_t

    return read, write
