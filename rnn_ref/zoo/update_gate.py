"""The smallest gated net."""

from rnn_ref.layers.writing import cell


@cell(gates=("update", "candidate"))
def UGRNN(z_u, z_c, h_prev):
    """Update gate RNN: a mean of the old state and a candidate.

    References
    ----------
    Collins, Sohl-Dickstein and Sussillo, "Capacity and trainability in recurrent neural networks", 2016.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.zoo.UGRNN(4, input_shape=(7, 3)).count_params()
    64
    """
    u = sigmoid(z_u)
    g = tanh(z_c)
    h = u * h_prev + (1 - u) * g
    return h
