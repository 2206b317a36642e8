"""Softmax as a layer, over any axes, and with a mask."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.layer import Layer, LayerGradients

FAR_BELOW = -1e9  # Keras's constant, which replaces masked numbers so that their share is 0


class SoftmaxTape(NamedTuple):
    """The shares ``y (B, ...)``, 0 where masked, and the mask in a shape that broadcasts to theirs, or None."""

    y: np.ndarray
    mask: np.ndarray | None


class Softmax(Layer):
    """Positive numbers that sum to 1 over ``axis``.

        y_k = exp(x_k) / Σ_j exp(x_j)

    Input and output ``(B, ...)``. Masked numbers get 0.

    Parameters
    ----------
    axis : int or list of int
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/activation_layers/softmax/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> rnn_ref.layers.Softmax()([[1.0, 1.0, 5.0]], mask=np.array([True, True, False]))
    array([[0.5, 0.5, 0. ]], dtype=float32)
    """

    never_builds = True
    supports_masking = True
    takes_mask = True
    call_arguments = ("mask",)

    def __init__(self, axis=-1, **layer_options):
        super().__init__(**layer_options)
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        if not axes or any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in axes):
            raise TypeError(f"{self.name}: axis must be an integer or a list of integers, got {axis!r}.")
        self.axis = axis

    def axes(self, ndim: int) -> tuple[int, ...]:
        """The axes, counted from the front."""
        axes = self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]
        if any(not -ndim <= axis < ndim for axis in axes):
            raise ValueError(f"{self.name}: axis={self.axis} does not exist in an array with {ndim} axes.")
        return tuple(axis % ndim for axis in axes)

    def forward(self, x, *, mask=None, training: bool = False):
        """Run the layer.

        Parameters
        ----------
        x : ndarray, (B, ...)
        mask : ndarray of bool, optional
            In a shape that broadcasts to that of ``x``; False gets no share.

        Returns
        -------
        y : ndarray, (B, ...)
        tape : SoftmaxTape
        """
        x = self.as_input(x)
        axes = self.axes(x.ndim)
        if mask is not None:
            mask = xp.asarray(mask)
            mask = mask if mask.dtype == bool else mask > 0.5
            sizes = zip(mask.shape[::-1], x.shape[::-1])
            if mask.ndim > x.ndim or any(size not in (1, given) for size, given in sizes):
                raise ValueError(
                    f"{self.name}: a mask of shape {mask.shape} cannot be repeated to that of the inputs, {x.shape}: "
                    "it says for every number whether it counts, not for every time step."
                )
            x = xp.where(mask, x, np.dtype(self.dtype).type(FAR_BELOW))
        e = xp.exp(x - x.max(axis=axes, keepdims=True))
        y = e / e.sum(axis=axes, keepdims=True)
        if mask is not None:
            y = xp.where(mask, y, 0)  # also where everything is masked
        return y, SoftmaxTape(y, mask)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx_k = y_k (dy_k - Σ_j y_j dy_j)``."""
        y, mask = tape
        dy = xp.asarray(grads, self.dtype)
        if mask is not None:
            dy = xp.where(mask, dy, 0)
        return LayerGradients(y * (dy - (y * dy).sum(axis=self.axes(y.ndim), keepdims=True)))

    def compute_output_shape(self, input_shape):
        self.axes(len(input_shape))
        return tuple(input_shape)

    def get_config(self) -> dict:
        return super().get_config() | {"axis": self.axis}
