"""LSTM that forgets as much as it writes."""

from rnn_ref.layers.writing import cell


@cell(gates=("forget", "candidate", "output"), states=("hidden", "cell"))
def CoupledLSTM(z_f, z_c, z_o, c_prev):
    """LSTM with coupled input and forget gate: what is forgotten makes room for what is written.

    References
    ----------
    Greff et al., "LSTM: a search space odyssey", 2015, variant CIFG.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.zoo.CoupledLSTM(4, input_shape=(7, 3)).count_params()
    96
    """
    f = sigmoid(z_f)
    g = tanh(z_c)
    o = sigmoid(z_o)
    c = f * c_prev + (1 - f) * g
    h = o * tanh(c)
    return h, c
