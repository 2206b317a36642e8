"""One time step of the SimpleRNN in a persistent kernel. Equations: :mod:`rnn_ref.equations.simple_rnn`.

gates   (1, T, B, H)    the pre-activations, which come in as ``x_t W + b``

A thread has sample ``n`` and unit ``k``.
"""

from rnn_ref.equations import simple_rnn
from rnn_ref.kernels.cuda.recurrence import device_function

GATES = simple_rnn.GATES
PROJECTED = (0,)


def forward(total, options):
    """``read`` what the step needs besides the product; ``write`` pre-activation and state."""
    activation, _, masked, _ = options

    @device_function
    def read(t, n, k, b, gates, h, _, mask):
        return gates[0, t, n, k], h[t, n, k], mask[t, n] if masked else True

    @device_function
    def write(before, partial, terms, row, unit, t, n, k, gates, z, h, _):
        z_t, h_prev, counts = before
        z_t += total(partial, terms, row, unit)
        gates[0, t, n, k] = z_t
        h[t + 1, n, k] = simple_rnn.forward(z_t, activation) if counts else h_prev

    return read, write


def backward(options):
    """``read`` what the step left; ``write`` the gradient of the pre-activation."""
    activation, _, masked, _ = options

    @device_function
    def read(t, n, k, gates, z, h, _, mask, __):
        return gates[0, t, n, k], h[t + 1, n, k], mask[t, n] if masked else True

    @device_function
    def write(before, d, t, n, k, dh, _, dz):
        z_t, h_t, counts = before
        if counts:
            dz[0, t, n, k] = simple_rnn.backward(d, z_t, h_t, activation)
        else:  # a masked step passes on what came
            dz[0, t, n, k] = type(d)(0)
            dh[t, n, k] += d

    return read, write
