"""Units that leak, in a reservoir that is not trained."""

from rnn_ref.layers.writing import cell


@cell(gates=("candidate",))
def LeakyEchoState(z_c, h_prev, leak=0.3):
    """Leaky echo state unit; for an echo state network set ``trainable=False``, and train a Dense layer on top.

    References
    ----------
    Jaeger et al., "Optimization and applications of echo state networks with leaky-integrator neurons", 2007.

    Examples
    --------
    >>> import rnn_ref
    >>> layer = rnn_ref.zoo.LeakyEchoState(4, leak=0.1, trainable=False, input_shape=(7, 3))
    >>> layer.count_params(), layer.trainable_weights
    (32, [])
    """
    g = tanh(z_c)
    h = (1 - leak) * h_prev + leak * g
    return h
