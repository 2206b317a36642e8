"""Flatten: ``(B, ...)`` to ``(B, K)``."""

from __future__ import annotations

import math

from rnn_ref.device import xp
from rnn_ref.layers.layer import Layer, LayerGradients


class Flatten(Layer):
    """Merge all axes but the batch into one.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}, optional
        With ``"channels_first"`` the second axis is moved to the end first.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``.

    References
    ----------
    https://keras.io/api/layers/reshaping_layers/flatten/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> rnn_ref.layers.Flatten()(np.zeros((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, data_format=None, **layer_options):
        super().__init__(**layer_options)
        if data_format not in (None, "channels_last", "channels_first"):
            raise ValueError(f"{self.name}: data_format={data_format!r}; use 'channels_last' or 'channels_first'.")
        self.data_format = data_format or "channels_last"

    def forward(self, x, *, training: bool = False):
        """``(B, ...)`` -> ``(B, K)``; the tape is the shape before flattening."""
        x = self.as_input(x)
        if self.data_format == "channels_first" and x.ndim > 1:
            x = xp.moveaxis(x, 1, -1)
        return x.reshape(len(x), -1), x.shape

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """Back to the original shape."""
        dx = xp.asarray(grads, self.dtype).reshape(tape)
        return LayerGradients(xp.moveaxis(dx, -1, 1) if self.data_format == "channels_first" else dx)

    def compute_output_shape(self, input_shape):
        sizes = input_shape[1:]
        return (input_shape[0], None if None in sizes else math.prod(sizes))

    def get_config(self) -> dict:
        return super().get_config() | {"data_format": self.data_format}
