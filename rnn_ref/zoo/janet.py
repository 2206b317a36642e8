"""LSTM with the forget gate alone."""

from rnn_ref.layers.writing import cell


@cell(gates=("forget", "candidate"))
def JANET(z_f, z_c, h_prev, beta=1.0):
    """Just another network: an LSTM with nothing but its forget gate, and a head start of ``beta`` for forgetting less.

    References
    ----------
    van der Westhuizen and Lasenby, "The unreasonable effectiveness of the forget gate", 2018, equation 9.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.zoo.JANET(4, beta=0.5, input_shape=(7, 3)).count_params()
    64
    """
    f = sigmoid(z_f)
    g = tanh(z_c)
    h = f * h_prev + (1 - sigmoid(z_f - beta)) * g
    return h
