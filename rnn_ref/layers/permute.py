"""Permute: reorders axes."""

from __future__ import annotations

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.layer import Layer, LayerGradients


class Permute(Layer):
    """Reorder the axes of every sample.

    With ``dims=(2, 1)`` an input ``(B, T, F)`` becomes ``(B, F, T)``. Masks end here.

    Parameters
    ----------
    dims : tuple of int
        For every axis of the output, the axis of the input it comes from, counted from 1 after the batch.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/reshaping_layers/permute/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> rnn_ref.layers.Permute((2, 1))(np.zeros((5, 10, 3))).shape
    (5, 3, 10)
    """

    def __init__(self, dims, **layer_options):
        super().__init__(**layer_options)
        if not isinstance(dims, (list, tuple)) or sorted(dims) != list(range(1, len(dims) + 1)):
            raise ValueError(
                f"{self.name}: dims must hold every axis once, counted from 1 (the batch is not among them), "
                f"such as (2, 1); got {dims!r}."
            )
        self.dims = tuple(int(axis) for axis in dims)

    def forward(self, x, *, training: bool = False):
        """Axis ``k`` of the output is axis ``dims[k - 1]`` of ``x``; the tape is empty."""
        x = self.as_input(x, rank=len(self.dims) + 1)
        return x.transpose(0, *self.dims), None

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """The axes back in their original order."""
        return LayerGradients(xp.asarray(grads, self.dtype).transpose(*np.argsort((0, *self.dims)).tolist()))

    def compute_output_shape(self, input_shape):
        if len(input_shape) != len(self.dims) + 1:
            raise ValueError(self.rank_message(input_shape, len(self.dims) + 1))
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def get_config(self) -> dict:
        return super().get_config() | {"dims": self.dims}
