"""Input: says what shape a model's samples have."""

from __future__ import annotations

import numpy as np

from rnn_ref import config
from rnn_ref.device import xp
from rnn_ref.layers.layer import Layer, LayerGradients, unique_name
from rnn_ref.layers.symbolic import Node, SymbolicTensor


class InputLayer(Layer):
    """The place in a graph where data come in; :func:`Input` makes it.

    Parameters
    ----------
    shape : tuple of int or None
        Shape of one sample.
    batch_size : int, optional
    dtype : str, optional
        A floating, integer or boolean type; ``config.floatx()`` when absent.
    batch_shape : tuple, optional
        Shape with the batch in front, instead of ``shape`` and ``batch_size``.
    name : str, optional
    """

    supports_masking = True

    def __init__(
        self,
        shape=None,
        batch_size=None,
        dtype=None,
        batch_shape=None,
        name=None,
        sparse=False,
        ragged=False,
        optional=False,
    ):
        super().__init__(name=name or unique_name("InputLayer"))
        for option, value in (("sparse", sparse), ("ragged", ragged), ("optional", optional)):
            if value:
                raise ValueError(
                    f"Input {self.name}: {option}={value!r} is not there: inputs are dense arrays, and all given."
                )
        if (shape is None) == (batch_shape is None):
            raise ValueError(f"Input {self.name}: give either shape or batch_shape, got {shape=} and {batch_shape=}.")
        if batch_shape is None:
            if isinstance(shape, (int, np.integer)):
                raise ValueError(f"Input {self.name}: shape={shape} is a number; for vectors write shape=({shape},).")
            batch_shape = (batch_size, *shape)
        elif batch_size is not None:
            raise ValueError(f"Input {self.name}: batch_shape already holds the batch size; leave batch_size out.")
        for size in batch_shape:
            if size is not None and (not isinstance(size, (int, np.integer)) or size <= 0):
                raise ValueError(f"Input {self.name}: sizes are positive integers or None, got {tuple(batch_shape)}.")
        self.batch_shape = self.input_shape = tuple(batch_shape)
        self.dtype = data_type(dtype, f"Input {self.name}")
        self.built = True
        node = Node(self, [], {})
        node.outputs = [SymbolicTensor(self.batch_shape, self.dtype, self.name, node)]
        self.nodes.append(node)

    def forward(self, x, *, training: bool = False):
        """``y = x``."""
        return xp.asarray(x, self.dtype), None

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy``."""
        return LayerGradients(xp.asarray(grads))

    def compute_output_shape(self, input_shape):
        return self.batch_shape

    def get_config(self) -> dict:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": False,
        }


def data_type(dtype, where: str) -> str:
    """The name of a type that data may have."""
    name = getattr(dtype, "__name__", None) or str(dtype)
    if name == "bool" or name.lstrip("u") in ("int8", "int16", "int32", "int64"):
        return name
    return config.check_dtype(dtype, where)


def Input(shape=None, batch_size=None, dtype=None, name=None, batch_shape=None) -> SymbolicTensor:
    """Describe the input of a model.

    Parameters
    ----------
    shape : tuple of int or None
        Shape of one sample, ``(T, F)`` for a sequence; None for a size that may vary.
    batch_size : int, optional
    dtype : str, optional
        ``"int32"`` for the numbers of words; ``config.floatx()`` when absent.
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
    return InputLayer(shape, batch_size, dtype, batch_shape, name).nodes[0].outputs[0]
