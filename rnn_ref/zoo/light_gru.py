"""A GRU without reset gate, with ReLU."""

from rnn_ref.layers.writing import cell


@cell(gates={"z": "update", "h": "candidate"})
def LightGRU(z_z, z_h, h_prev):
    """Light GRU: no reset gate, and a candidate that does not saturate (without the paper's batch normalization).

    References
    ----------
    Ravanelli et al., "Light gated recurrent units for speech recognition", 2018.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> rnn_ref.zoo.LightGRU(4)(np.ones((2, 7, 3))).shape
    (2, 4)
    """
    z = sigmoid(z_z)
    g = relu(z_h)
    h = z * h_prev + (1 - z) * g
    return h
