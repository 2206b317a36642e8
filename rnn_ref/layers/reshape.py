"""Reshape: the same numbers in another shape."""

from __future__ import annotations

import math

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.layer import Layer, LayerGradients


class Reshape(Layer):
    """Give every sample another shape.

    Input ``(B, ...)``, output ``(B, *target_shape)``, with the numbers in the same order. Masks end here.

    Parameters
    ----------
    target_shape : tuple of int
        Without the batch. One size may be -1, to be inferred.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/reshaping_layers/reshape/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> rnn_ref.layers.Reshape((-1, 3))(np.zeros((2, 12))).shape
    (2, 4, 3)
    """

    never_builds = True

    def __init__(self, target_shape, **layer_options):
        super().__init__(**layer_options)
        sizes = tuple(target_shape) if isinstance(target_shape, (list, tuple)) else target_shape
        if (
            not isinstance(sizes, tuple)
            or any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < -1 for n in sizes)
            or sizes.count(-1) > 1
        ):
            raise ValueError(
                f"{self.name}: target_shape must be a tuple of sizes without the batch, at most one of them -1; "
                f"got {target_shape!r}."
            )
        self.target_shape = tuple(int(n) for n in sizes)

    def forward(self, x, *, training: bool = False):
        """``x (B, ...)`` -> ``(B, *target_shape)``; the tape is the original shape."""
        x = self.as_input(x)
        return x.reshape(Reshape.compute_output_shape(self, x.shape)), x.shape  # not the shape of a subclass's call

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """Back to the original shape."""
        return LayerGradients(xp.asarray(grads, self.dtype).reshape(tape))

    def compute_output_shape(self, input_shape):
        batch, *sizes = input_shape
        if None in sizes:
            return (batch, *(None if n == -1 else n for n in self.target_shape))
        total, known = math.prod(sizes), math.prod(n for n in self.target_shape if n != -1)
        fits = known > 0 and total % known == 0 if -1 in self.target_shape else total == known
        if not fits:
            raise ValueError(
                f"{self.name}: a sample of shape {tuple(sizes)} holds {total} numbers, which does not fit into "
                f"target_shape={self.target_shape}."
            )
        return (batch, *(total // known if n == -1 else n for n in self.target_shape))

    def get_config(self) -> dict:
        return super().get_config() | {"target_shape": self.target_shape}
