"""One product for gate and candidate."""

from rnn_ref.equations.weight import per_unit, scalar
from rnn_ref.layers.writing import cell


@cell(gates=("shared",))
def FastGRNN(
    z_s, h_prev, b_z: per_unit("ones"), b_h: per_unit("zeros"), zeta: scalar(1.0), nu: scalar(-4.0)
):  # fmt: skip
    """FastGRNN: gate and candidate share their products, and differ in the bias alone (without low ranks).

    References
    ----------
    Kusupati et al., "FastGRNN: a fast, accurate, stable and tiny kilobyte sized gated recurrent neural network", 2018.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.zoo.FastGRNN(4, use_bias=False, input_shape=(7, 3)).count_params()
    38
    """
    z = sigmoid(z_s + b_z)
    g = tanh(z_s + b_h)
    h = (sigmoid(zeta) * (1 - z) + sigmoid(nu)) * g + z * h_prev
    return h
