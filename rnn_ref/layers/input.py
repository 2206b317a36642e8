"""Input: the shape of a model's samples."""

from __future__ import annotations

import warnings

import numpy as np

from rnn_ref import checks, config
from rnn_ref.device import xp
from rnn_ref.guard import guarded
from rnn_ref.layers.layer import Layer, LayerGradients, unique_name
from rnn_ref.layers.symbolic import Node, SymbolicTensor


class InputLayer(Layer):
    """The place where data enters a graph; made by :func:`Input`.

    Parameters
    ----------
    shape : tuple of int or None
        Shape of one sample.
    batch_size : int, optional
    dtype : str, optional
        A floating, integer or boolean type; by default ``config.floatx()``.
    batch_shape : tuple, optional
        Shape with the batch in front, instead of ``shape`` and ``batch_size``.
    name : str, optional
    sparse, ragged : bool
        Only False.
    optional : bool
        Whether a model may be called with None for this input.
    input_tensor : SymbolicTensor, optional
        A tensor to use instead of a new one; it determines shape and dtype.
    input_shape : tuple, optional
        Keras 2's name for ``shape``.
    """

    supports_masking = True

    def __init__(
        self,
        shape=None,
        batch_size=None,
        dtype=None,
        sparse=False,
        ragged=False,
        batch_shape=None,
        input_tensor=None,
        optional=False,
        name=None,
        input_shape=None,
    ):
        super().__init__(name=name or unique_name("InputLayer"))
        where = f"Input {self.name}"
        for option, value in (("sparse", sparse), ("ragged", ragged)):
            if checks.flag(value, option, where):
                raise ValueError(f"{where}: {option}={value!r} is not there: inputs are dense arrays.")
        self.sparse = self.ragged = False
        self.optional = checks.flag(optional, "optional", where)
        if input_shape is not None:
            warnings.warn(f"{where}: input_shape is Keras 2's name; write shape={input_shape!r}.", stacklevel=2)
            shape = input_shape if shape is None else shape
        if input_tensor is not None:
            if not isinstance(input_tensor, SymbolicTensor):
                raise ValueError(f"{where}: input_tensor must be a symbolic tensor (from Input), got {input_tensor!r}.")
            known = {"shape": input_tensor.shape[1:], "batch_size": input_tensor.shape[0]}
            known |= {"batch_shape": input_tensor.shape, "dtype": input_tensor.dtype}
            for what, given in (("shape", shape), ("batch_size", batch_size), ("batch_shape", batch_shape)):
                if given is not None and given != known[what] and tuple(np.atleast_1d(given)) != known[what]:
                    raise ValueError(f"{where}: {what}={given!r}, but input_tensor has {known[what]!r}; leave it out.")
            if dtype is not None and str(getattr(dtype, "__name__", dtype)) != input_tensor.dtype:
                raise ValueError(f"{where}: dtype={dtype!r}, but input_tensor has {input_tensor.dtype}; leave it out.")
            shape, batch_size, batch_shape, dtype = None, None, input_tensor.shape, input_tensor.dtype
        if (shape is None) == (batch_shape is None):
            raise ValueError(f"{where}: give either shape or batch_shape, got {shape=} and {batch_shape=}.")
        if batch_shape is None:
            if isinstance(shape, (int, np.integer)):
                raise ValueError(f"{where}: shape={shape} is a number; for vectors write shape=({shape},).")
            checks.shape(shape, "shape", where)
            batch_shape = (checks.integer(batch_size, "batch_size", where, optional=True), *shape)
        elif batch_size is not None:
            raise ValueError(f"{where}: batch_shape already holds the batch size; leave batch_size out.")
        for size in batch_shape:
            if size is not None and (not isinstance(size, (int, np.integer)) or size <= 0):
                raise ValueError(f"{where}: sizes are positive integers or None, got {tuple(batch_shape)}.")
        self.batch_shape = self.input_shape = tuple(batch_shape)
        self.dtype = data_type(dtype, where)
        self.built = True
        node = Node(self, [], {})
        new = SymbolicTensor(self.batch_shape, self.dtype, self.name, node)
        node.outputs = [new if input_tensor is None else input_tensor]
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
            "optional": self.optional,
        }


def data_type(dtype, where: str) -> str:
    """The name of a valid data type."""
    name = getattr(dtype, "__name__", None) or str(dtype)
    if name == "bool" or name.lstrip("u") in ("int8", "int16", "int32", "int64"):
        return name
    return config.check_dtype(dtype, where)


@guarded
def Input(
    shape=None,
    batch_size=None,
    dtype=None,
    sparse=False,
    ragged=False,
    batch_shape=None,
    name=None,
    tensor=None,
    optional=False,
) -> SymbolicTensor:
    """Describe the input of a model.

    Parameters
    ----------
    shape : tuple of int or None
        Shape of one sample, ``(T, F)`` for a sequence; None for a size that may vary.
    batch_size : int, optional
    dtype : str, optional
        ``"int32"`` for word indices; by default ``config.floatx()``.
    sparse, ragged : bool
        Only False.
    batch_shape : tuple, optional
        Shape with the batch in front, instead of ``shape`` and ``batch_size``.
    name : str, optional
    tensor : SymbolicTensor, optional
        A tensor to use instead of a new one.
    optional : bool
        Whether a model may be called with None for this input; its layers must then handle None.

    References
    ----------
    https://keras.io/api/layers/core_layers/input/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.Input((10, 5)).shape
    (None, 10, 5)
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    return layer.nodes.first.outputs[0]
