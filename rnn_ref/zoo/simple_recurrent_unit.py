"""A recurrence light enough to run as fast as its products of the inputs."""

from rnn_ref.equations.weight import per_unit
from rnn_ref.layers.writing import cell


@cell(gates=("forget", "reset", "candidate", "highway"), states=("hidden", "cell"))
def SRU(x_f, x_r, x_c, x_h, c_prev, v_f: per_unit("zeros"), v_r: per_unit("zeros")):
    """Simple recurrent unit: all products are of the inputs; ``x_h`` is the highway, projected to H.

    References
    ----------
    Lei et al., "Simple recurrent units for highly parallelizable recurrence", 2018, equations 1 to 4.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.zoo.SRU(4, input_shape=(7, 3)).count_params()
    72
    """
    f = sigmoid(x_f + v_f * c_prev)
    r = sigmoid(x_r + v_r * c_prev)
    c = f * c_prev + (1 - f) * x_c
    h = r * c + (1 - r) * x_h
    return h, c
