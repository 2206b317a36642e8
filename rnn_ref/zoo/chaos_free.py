"""A net without chaotic dynamics."""

from rnn_ref.layers.writing import cell


@cell(gates={"t": "forget", "e": "input", "i": "candidate"})
def ChaosFreeNetwork(z_t, z_e, x_i, h_prev):
    """Chaos free network: without inputs every state fades to zero.

    References
    ----------
    Laurent and von Brecht, "A recurrent neural network without chaos", 2017.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.zoo.ChaosFreeNetwork(4, input_shape=(7, 3)).count_params()
    80
    """
    theta = sigmoid(z_t)
    eta = sigmoid(z_e)
    g = tanh(x_i)
    h = theta * tanh(h_prev) + eta * g
    return h
