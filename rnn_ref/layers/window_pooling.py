"""MaxPooling1D and AveragePooling1D: a few time steps reduced to one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.layer import Layer, LayerGradients
from rnn_ref.layers.windows import (
    Windows,
    check_data_format,
    check_padding,
    check_sequence,
    features_last,
    one_size,
)


class Pooling1D(Layer):
    """What the two poolings share: the windows, and the shape of the output."""

    never_builds = True

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, **layer_options):
        super().__init__(**layer_options)
        self.pool_size = (one_size(pool_size, "pool_size", self.name),)
        self.strides = self.pool_size if strides is None else (one_size(strides, "strides", self.name),)
        self.padding = check_padding(padding, ("valid", "same"), self.name)
        self.data_format = check_data_format(data_format, self.name)

    @property
    def windows(self) -> Windows:
        return Windows(self.pool_size[0], self.strides[0], self.padding)

    def held(self, x, fill) -> tuple[np.ndarray, list[slice]]:
        """The contents of each window, ``(K, B, T', F)``, and where they come from."""
        places = self.windows.slices(self.windows.count(x.shape[1], self.name, x.shape))
        steps = self.windows.padded(x, fill)
        return xp.stack([steps[:, each] for each in places]), places

    def spread(self, held, T: int) -> np.ndarray:
        """Gradients of the windows' contents -> dL/dx: each step sums over all windows that contain it."""
        before, behind = self.windows.margins(T)
        dx = xp.zeros((held.shape[1], before + T + behind, held.shape[3]), self.dtype)
        for part, places in zip(held, self.windows.slices(held.shape[2])):
            dx[:, places] += part
        return features_last(dx[:, before : before + T], self.data_format)

    def steps(self, x) -> np.ndarray:
        """The input as ``(B, T, F)``."""
        x = self.as_input(x)
        check_sequence(self, x.shape)
        return features_last(x, self.data_format)

    def compute_output_shape(self, input_shape):
        check_sequence(self, input_shape)
        B, T, F = input_shape if self.data_format == "channels_last" else (input_shape[k] for k in (0, 2, 1))
        count = self.windows.count(T, self.name, input_shape)
        return (B, count, F) if self.data_format == "channels_last" else (B, F, count)

    def get_config(self) -> dict:
        return super().get_config() | {
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class MaxPoolingTape(NamedTuple):
    """The position of the (first) maximum in each window, ``(B, T', F)``, and T of the input."""

    place: np.ndarray
    steps: int


class MaxPooling1D(Pooling1D):
    """Maximum of each window, for every feature.

        y[b, t, f] = max_k x[b, stride t + k, f]

    Input ``(B, T, F)``, output ``(B, T', F)``. Masks end here, as a step of the output belongs to several of the input.

    Parameters
    ----------
    pool_size : int
        Steps of a window.
    strides : int, optional
        Steps from one window to the next; by default ``pool_size``.
    padding : {"valid", "same"}
        Only whole windows, T' = (T - pool_size) // stride + 1; or T' = T / stride rounded up.
    data_format : {"channels_last", "channels_first"}, optional
        With ``"channels_first"`` inputs are ``(B, F, T)``.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/pooling_layers/max_pooling1d/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.MaxPooling1D(2)([[[1.0], [8.0], [3.0], [2.0]]])[0, :, 0]
    array([8., 3.], dtype=float32)
    """

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, **layer_options):
        super().__init__(pool_size, strides, padding, data_format, **layer_options)

    def forward(self, x, *, training: bool = False):
        """``x (B, T, F)`` -> ``y (B, T', F)`` and a :class:`MaxPoolingTape`."""
        x = self.steps(x)
        held, _ = self.held(x, -np.inf)
        return features_last(held.max(axis=0), self.data_format), MaxPoolingTape(held.argmax(axis=0), x.shape[1])

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy`` at the first maximum."""
        dy = features_last(xp.asarray(grads, self.dtype), self.data_format)
        held = xp.stack([xp.where(tape.place == k, dy, 0) for k in range(self.pool_size[0])])
        return LayerGradients(self.spread(held, tape.steps))


class AveragePoolingTape(NamedTuple):
    """How many steps of each window lie in the sequence, ``(T', 1)``, and T of the input."""

    count: np.ndarray
    steps: int


class AveragePooling1D(Pooling1D):
    """Mean of each window.

        y[b, t] = (1 / n) Σ_k x[b, stride t + k]

    n counts the steps of the window without padding. Input ``(B, T, F)``, output ``(B, T', F)``.
    Masks end here, as a step of the output belongs to several of the input.

    Parameters
    ----------
    pool_size : int
        Steps of a window.
    strides : int, optional
        Steps from one window to the next; by default ``pool_size``.
    padding : {"valid", "same"}
        Only whole windows, T' = (T - pool_size) // stride + 1; or T' = T / stride rounded up.
    data_format : {"channels_last", "channels_first"}, optional
        With ``"channels_first"`` inputs are ``(B, F, T)``.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/pooling_layers/average_pooling1d/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.AveragePooling1D(2)([[[1.0], [8.0], [3.0], [2.0]]])[0, :, 0]
    array([4.5, 2.5], dtype=float32)
    """

    def forward(self, x, *, training: bool = False):
        """``x (B, T, F)`` -> ``y (B, T', F)`` and an :class:`AveragePoolingTape`."""
        x = self.steps(x)
        held, places = self.held(x, 0)
        there = self.windows.padded(xp.ones((1, x.shape[1], 1), self.dtype), 0)
        count = sum(there[0, each] for each in places)
        return features_last(held.sum(axis=0) / count, self.data_format), AveragePoolingTape(count, x.shape[1])

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy / n`` for every step of the window."""
        dy = features_last(xp.asarray(grads, self.dtype), self.data_format) / tape.count
        return LayerGradients(self.spread(xp.stack([dy] * self.pool_size[0]), tape.steps))
