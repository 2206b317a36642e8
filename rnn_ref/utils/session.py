"""clear_session: begin anew."""

from __future__ import annotations

from rnn_ref.layers.layer import reset_names
from rnn_ref.layers.symbolic import SymbolicTensor
from rnn_ref.training._identifiers import reset_automatic_names


def clear_session(free_memory: bool = True) -> None:
    """Begin to count the names of layers, metrics and optimizers anew: the next LSTM is ``"lstm"`` again.

    There is no graph behind the scenes that grows from model to model: what a model holds goes when it goes.

    Parameters
    ----------
    free_memory : bool
        As in Keras; memory is given back as soon as nobody holds it.

    References
    ----------
    https://keras.io/api/utils/config_utils/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.utils.clear_session()
    >>> rnn_ref.layers.Identity().name
    'identity'
    """
    reset_names()
    reset_automatic_names()


def is_keras_tensor(x) -> bool:
    """Whether this is a symbolic tensor, as :func:`rnn_ref.Input` and layers called on it return.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> is_keras_tensor(rnn_ref.Input((3,))), is_keras_tensor(np.ones(3))
    (True, False)
    """
    return isinstance(x, SymbolicTensor)


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """What ``fit`` takes from a source of batches: ``x`` alone, ``(x, y)``, or ``(x, y, sample_weight)``.

    Examples
    --------
    >>> pack_x_y_sample_weight([1.0], [2.0])
    ([1.0], [2.0])
    """
    if y is None:
        return x if not isinstance(x, list | tuple) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data):
    """What a source of batches gave as ``x``, ``y`` and ``sample_weight``; None for what is not there.

    Examples
    --------
    >>> unpack_x_y_sample_weight(([1.0], [2.0]))
    ([1.0], [2.0], None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if len(data) > 3:
        raise ValueError(f"expected x, (x, y) or (x, y, sample_weight), got {len(data)} entries.")
    return (*data, None, None)[:3]
