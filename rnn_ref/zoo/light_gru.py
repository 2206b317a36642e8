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
    >>> import rnn_ref
    >>> rnn_ref.zoo.LightGRU(4, input_shape=(7, 3)).count_params()
    64
    """
    z = sigmoid(z_z)
    g = relu(z_h)
    h = z * h_prev + (1 - z) * g
    return h
