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
    >>> import numpy as np, rnn_ref
    >>> rnn_ref.zoo.IndRNN(4)(np.ones((2, 7, 3))).shape
    (2, 4)
    """
    h = relu(x_c + u * h_prev)
    return h
