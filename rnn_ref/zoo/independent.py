"""Units that see only themselves."""

from rnn_ref.equations.weight import per_unit
from rnn_ref.layers.writing import cell


@cell(gates=("candidate",))
def IndRNN(x_c, h_prev, u: per_unit("ones")):
    """Independently recurrent net: in the place of the recurrent matrix one weight for each unit.

    References
    ----------
    Li et al., "Independently recurrent neural network (IndRNN)", 2018.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.zoo.IndRNN(4, input_shape=(7, 3)).count_params()
    20
    """
    h = relu(x_c + u * h_prev)
    return h
