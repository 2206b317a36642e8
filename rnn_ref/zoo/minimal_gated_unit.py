"""A GRU with one gate."""

from rnn_ref.layers.writing import cell


@cell(gates=("forget", "candidate"))
def MinimalGatedUnit(z_f, x_c, h_c, h_prev):
    """Minimal gated unit: one gate forgets, and resets what the candidate sees of the state.

    The gate multiplies the recurrent product, as in a GRU with ``reset_after``; the paper's multiplies the state before
    the product.

    References
    ----------
    Zhou et al., "Minimal gated unit for recurrent neural networks", 2016.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.zoo.MinimalGatedUnit(4, input_shape=(7, 3)).count_params()
    68
    """
    f = sigmoid(z_f)
    g = tanh(x_c + f * h_c)
    h = (1 - f) * h_prev + f * g
    return h
