"""Masking: time steps whose features all equal a given value do not count."""

from __future__ import annotations

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.kernels.cpu.masking import find_mask
from rnn_ref.layers.layer import Layer, LayerGradients


class Masking(Layer):
    """Mask the time steps whose features all equal ``mask_value``.

        mask[b, t] = any_f(x[b, t, f] ≠ mask_value)
        y[b, t] = x[b, t] where mask[b, t], else 0

    Input and output ``(B, T, F)``, mask ``(B, T)``. It replaces the mask of the input, if there is one.

    Parameters
    ----------
    mask_value : float
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/core_layers/masking/

    Examples
    --------
    >>> import rnn_ref
    >>> layer = rnn_ref.layers.Masking(-1.0)
    >>> x = [[[2.0, -1.0], [-1.0, -1.0]]]
    >>> layer(x)
    array([[[ 2., -1.],
            [ 0.,  0.]]], dtype=float32)
    >>> layer.compute_mask(x)
    array([[ True, False]])
    """

    never_builds = True
    supports_masking = True

    def __init__(self, mask_value=0.0, **layer_options):
        super().__init__(**layer_options)
        if isinstance(mask_value, bool) or not isinstance(mask_value, (int, float, np.number)):
            raise TypeError(f"{self.name}: mask_value must be a number, got {mask_value!r}.")
        checks.number(mask_value, "mask_value", self.name)
        self.mask_value = mask_value.item() if isinstance(mask_value, np.number) else mask_value

    def run(self, x, *, mask=None, training: bool = False):
        y, found = self.forward(x)
        return y, found, found

    def forward(self, x, *, training: bool = False):
        """``x (B, ..., F)`` -> ``y`` in the same shape; the tape is the mask ``(B, ...)``."""
        x = self.as_input(x)
        mask = self.compute_mask(x)
        if self.mask_value == 0:
            return x, mask  # masked steps are already zero
        return xp.where(mask[..., None], x, 0), mask

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy`` at the steps that count, else 0."""
        return LayerGradients(xp.where(tape[..., None], xp.asarray(grads, self.dtype), 0))

    def compute_mask(self, inputs, mask=None):
        """True where a step counts."""
        # Compared in the layer's precision: 0.1 in float32 is not 0.1 in float64.
        x, value = xp.asarray(inputs, self.dtype), np.dtype(self.dtype).type(self.mask_value)
        if xp.device != "cpu":
            return (x != value).any(axis=-1)
        mask = np.empty(x.shape[:-1], bool)
        find_mask(x.reshape(-1, x.shape[-1]), value, mask.reshape(-1))
        return mask

    def get_config(self) -> dict:
        return super().get_config() | {"mask_value": self.mask_value}
