"""GlobalAveragePooling1D and GlobalMaxPooling1D: a whole sequence reduced to one vector."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.layers.layer import Layer, LayerGradients
from rnn_ref.layers.symbolic import NEEDS_ALL_STEPS
from rnn_ref.reading import later


class GlobalPooling1D(Layer):
    """What the two poolings share: which axis is time, and the shape of the output."""

    never_builds = True

    def __init__(self, data_format=None, keepdims=False, **layer_options):
        super().__init__(**layer_options)
        if data_format not in (None, "channels_last", "channels_first"):
            raise ValueError(f"{self.name}: data_format={data_format!r}; use 'channels_last' or 'channels_first'.")
        self.data_format = data_format or "channels_last"
        self.keepdims = checks.flag(keepdims, "keepdims", self.name)

    def rank_message(self, shape, rank: int) -> str:
        return f"{super().rank_message(shape, rank)} {NEEDS_ALL_STEPS}"

    @property
    def time_axis(self) -> int:
        return 1 if self.data_format == "channels_last" else 2

    def pooled_gradient(self, grads) -> np.ndarray:
        """dL/dy with a time axis of size 1 restored."""
        dy = xp.asarray(grads, self.dtype)
        return dy if self.keepdims else xp.expand_dims(dy, self.time_axis)

    def compute_output_shape(self, input_shape):
        if len(input_shape) != 3:
            raise ValueError(self.rank_message(input_shape, 3))
        sizes = list(input_shape)
        sizes[self.time_axis : self.time_axis + 1] = [1] if self.keepdims else []
        return tuple(sizes)

    def get_config(self) -> dict:
        return super().get_config() | {"data_format": self.data_format, "keepdims": self.keepdims}


class AverageTape(NamedTuple):
    """Shape of ``x``, and the weight ``w`` of every step: ``(B, T, 1)``, or ``(B, 1, T)`` channels first."""

    shape: tuple
    weights: np.ndarray


class GlobalAveragePooling1D(GlobalPooling1D):
    """Mean over time.

        y[b] = Σ_t w[b, t] x[b, t],    w = 1 / T, or with a mask m:  w[b, t] = m[b, t] / Σ_s m[b, s]

    Input ``(B, T, F)``, output ``(B, F)``. Masked steps do not count; the mask ends here.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}, optional
        With ``"channels_first"`` inputs are ``(B, F, T)``.
    keepdims : bool
        Keep the time axis, of size 1.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/pooling_layers/global_average_pooling1d/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.GlobalAveragePooling1D()([[[1.0], [3.0], [8.0]]])
    array([[4.]], dtype=float32)
    """

    supports_masking = True
    takes_mask = True
    call_arguments = ("mask",)

    def forward(self, x, *, mask=None, training: bool = False):
        """``x (B, T, F)`` -> ``y (B, F)`` and an :class:`AverageTape`."""
        x = self.as_input(x, rank=3)
        axis = self.time_axis
        if mask is None:
            weights = xp.full((1, 1, 1), 1 / x.shape[axis], self.dtype)
            return x.mean(axis=axis, keepdims=self.keepdims), AverageTape(x.shape, weights)
        mask = xp.asarray(mask, bool)
        if mask.shape != (x.shape[0], x.shape[axis]):
            raise ValueError(
                f"{self.name}: the mask has shape {mask.shape}, expected {(x.shape[0], x.shape[axis])}, one entry for "
                "every time step."
            )
        counts = mask.sum(axis=1)
        later(self._warn_of_none, counts)
        counted = xp.expand_dims(mask, 3 - axis)
        with np.errstate(invalid="ignore"):
            weights = (counted / counts[:, None, None]).astype(self.dtype)
        y = (xp.where(counted, x, 0) * weights).sum(axis=axis, keepdims=self.keepdims)
        return y, AverageTape(x.shape, weights)

    def _warn_of_none(self, counts) -> None:
        if not counts.all():
            sample = int(np.argmin(counts))
            warnings.warn(f"{self.name}: every step of sample {sample} is masked, so its mean is NaN.", stacklevel=2)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx[b, t] = w[b, t] dy[b]``."""
        return LayerGradients(xp.broadcast_to(self.pooled_gradient(grads) * tape.weights, tape.shape))

    def compute_mask(self, inputs, mask=None):
        """None: there is no time axis left."""
        return None


class GlobalMaxPooling1D(GlobalPooling1D):
    """Maximum over time, for every feature.

        y[b, f] = max_t x[b, t, f]

    Input ``(B, T, F)``, output ``(B, F)``. Masks are ignored, as in Keras: the maximum may lie in the padding.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}, optional
        With ``"channels_first"`` inputs are ``(B, F, T)``.
    keepdims : bool
        Keep the time axis, of size 1.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/pooling_layers/global_max_pooling1d/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.GlobalMaxPooling1D()([[[1.0], [8.0], [3.0]]])
    array([[8.]], dtype=float32)
    """

    def forward(self, x, *, training: bool = False):
        """``x (B, T, F)`` -> ``y (B, F)``; the tape marks where the maximum is, ``(B, T, F)``."""
        x = self.as_input(x, rank=3)
        if x.shape[self.time_axis] == 0:
            raise ValueError(f"{self.name}: got no time steps, shape {x.shape}; there is no largest of none.")
        y = x.max(axis=self.time_axis, keepdims=True)
        return y if self.keepdims else y.squeeze(self.time_axis), x == y

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy`` at the maximum; equal maxima share it."""
        share = self.pooled_gradient(grads) / tape.sum(axis=self.time_axis, keepdims=True, dtype=self.dtype)
        return LayerGradients(xp.where(tape, share, 0))
