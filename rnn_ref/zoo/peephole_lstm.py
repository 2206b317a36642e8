"""LSTM whose gates see the cell state."""

from rnn_ref.equations.weight import per_unit
from rnn_ref.layers.writing import cell


@cell(gates=("input", "forget", "candidate", "output"), states=("hidden", "cell"))
def PeepholeLSTM(
    z_i, z_f, z_c, z_o, c_prev, p_i: per_unit("zeros"), p_f: per_unit("zeros"), p_o: per_unit("zeros")
):  # fmt: skip
    """LSTM with peepholes: each gate sees its own unit's cell state, the output gate the new one.

    References
    ----------
    Gers and Schmidhuber, "Recurrent nets that time and count", 2000; Graves, "Generating sequences with recurrent
    neural networks", 2013, equations 7 to 11.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.zoo.PeepholeLSTM(4, input_shape=(7, 3)).count_params()
    140
    """
    i = sigmoid(z_i + p_i * c_prev)
    f = sigmoid(z_f + p_f * c_prev)
    g = tanh(z_c)
    c = f * c_prev + i * g
    o = sigmoid(z_o + p_o * c)
    h = o * tanh(c)
    return h, c
