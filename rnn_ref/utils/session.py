"""clear_session: restart the numbering of names."""

from __future__ import annotations

from rnn_ref.guard import guarded
from rnn_ref.layers.layer import reset_names
from rnn_ref.layers.symbolic import SymbolicTensor
from rnn_ref.training._identifiers import reset_automatic_names


@guarded
def clear_session(free_memory: bool = True) -> None:
    """Restart the numbering of layers, metrics and optimizers: the next LSTM is ``"lstm"`` again.

    There is no hidden graph that grows from model to model: what a model holds is freed with it.

    Parameters
    ----------
    free_memory : bool
        As in Keras; memory is freed as soon as nothing refers to it.

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


@guarded
def is_keras_tensor(x) -> bool:
    """Whether this is a symbolic tensor, as :func:`rnn_ref.Input` and layers called on it return.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> is_keras_tensor(rnn_ref.Input((3,))), is_keras_tensor(np.ones(3))
    (True, False)
    """
    return isinstance(x, SymbolicTensor)
