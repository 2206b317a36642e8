"""Input: says what shape a model's samples have."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_ref import config
from rnn_ref.layers.layer import unique_name


@dataclass(frozen=True, eq=False)
class SymbolicTensor:
    """A stand-in for an array: shape and precision, no numbers. Unknown sizes are None."""

    shape: tuple
    dtype: str
    name: str


def Input(shape=None, batch_size=None, dtype=None, name=None, batch_shape=None) -> SymbolicTensor:
    """Describe the input of a model.

    Parameters
    ----------
    shape : tuple of int or None
        Shape of one sample, ``(T, F)`` for a sequence; None for a size that may vary.
    batch_size : int, optional
    dtype : {"float32", "float64"}, optional
    name : str, optional
    batch_shape : tuple, optional
        Shape with the batch in front, instead of ``shape`` and ``batch_size``.

    References
    ----------
    https://keras.io/api/layers/core_layers/input/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.Input((10, 5)).shape
    (None, 10, 5)
    """
    name = name or unique_name("InputLayer")
    if (shape is None) == (batch_shape is None):
        raise ValueError(f"Input {name}: give either shape or batch_shape, got {shape=} and {batch_shape=}.")
    if batch_shape is None:
        batch_shape = (batch_size, *shape)
    elif batch_size is not None:
        raise ValueError(f"Input {name}: batch_shape already holds the batch size; leave batch_size out.")
    for size in batch_shape:
        if size is not None and (not isinstance(size, int) or size <= 0):
            raise ValueError(f"Input {name}: sizes are positive integers or None, got {tuple(batch_shape)}.")
    return SymbolicTensor(tuple(batch_shape), config.check_dtype(dtype, f"Input {name}"), name)
