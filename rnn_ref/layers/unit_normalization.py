"""UnitNormalization and RMSNormalization: vectors scaled to length 1, or to a mean square of 1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.layers.layer import Layer, LayerGradients

TINY = 1e-12  # Keras's constant: shorter vectors are divided by its root instead of their length


def axes_of(layer, shape: tuple) -> tuple[int, ...]:
    """``layer.axis`` counted from the front and in order."""
    given = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    if any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in given):
        raise TypeError(f"{layer.name}: axis must be an integer or a list of integers, got {layer.axis!r}.")
    if any(not -len(shape) <= axis < len(shape) for axis in given):
        raise ValueError(f"{layer.name}: axis={layer.axis} does not exist in inputs of shape {tuple(shape)}.")
    return tuple(sorted({axis % len(shape) for axis in given}))


class LengthTape(NamedTuple):
    """``u = x / length (B, ...)``, ``inverse = 1 / length`` with size 1 on the axes, and where the length was too small
    to divide by."""

    u: np.ndarray
    inverse: np.ndarray
    tiny: np.ndarray


class UnitNormalization(Layer):
    """Divide vectors by their length.

        y = x / sqrt(Σ x²)

    with the sum over ``axis``. Input and output ``(B, ..., F)``.

    Parameters
    ----------
    axis : int or list of int
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/normalization_layers/unit_normalization/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.UnitNormalization()([[3.0, 4.0]])
    array([[0.6, 0.8]], dtype=float32)
    """

    never_builds = True
    supports_masking = True

    def __init__(self, axis=-1, **layer_options):
        super().__init__(**layer_options)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        axes_of(self, (1,) * 32)  # checks that they are valid axes

    def forward(self, x, *, training: bool = False):
        """``x (B, ...)`` -> ``y`` in the same shape, and a :class:`LengthTape`."""
        x = self.as_input(x)
        square = (x * x).sum(axis=axes_of(self, x.shape), keepdims=True)
        inverse = 1 / xp.sqrt(xp.maximum(square, np.dtype(self.dtype).type(TINY)))
        return x * inverse, LengthTape(x * inverse, inverse, square < TINY)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """The part along y changes only the length: ``dx = (dy - y Σ dy y) / length``."""
        y, inverse, tiny = tape
        dy = xp.asarray(grads, self.dtype)
        along = (dy * y).sum(axis=axes_of(self, dy.shape), keepdims=True)
        return LayerGradients(inverse * (dy - y * xp.where(tiny, 0, along)))

    def compute_output_shape(self, input_shape):
        axes_of(self, input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict:
        return super().get_config() | {"axis": self.axis}


class RMSTape(NamedTuple):
    """``x_hat (B, ...)``, and ``inverse = 1 / sqrt(mean(x²) + ε)`` with size 1 on the axes."""

    x_hat: np.ndarray
    inverse: np.ndarray


class RMSNormalization(Layer):
    """Divide vectors by the root of their mean square: layer normalization without the mean.

        x_hat = x / sqrt(mean(x²) + ε)
        y = γ x_hat

    with the mean over ``axis``. Input and output ``(B, ..., F)``; weight ``scale γ (F,)``.

    Parameters
    ----------
    axis : int or list of int
    epsilon : float
        ε, which keeps the root away from 0.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019, https://arxiv.org/abs/1910.07467;
    https://keras.io/api/layers/normalization_layers/rms_normalization/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.RMSNormalization()([[1.0, 7.0]]).round(3)
    array([[0.2, 1.4]], dtype=float32)
    """

    def __init__(self, axis=-1, epsilon=1e-6, **layer_options):
        super().__init__(**layer_options)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        axes_of(self, (1,) * 32)
        self.epsilon = checks.number(epsilon, "epsilon", self.name)
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)

    def build(self, input_shape) -> None:
        shape = tuple(input_shape[axis] for axis in axes_of(self, input_shape))
        if None in shape:
            raise ValueError(f"{self.name}: axis={self.axis} must have a known size, got shape {tuple(input_shape)}.")
        self.scale = self.add_weight(shape, "ones", "scale")

    def _along(self, shape: tuple) -> np.ndarray:
        axes = axes_of(self, shape)
        return self.scale.value.reshape([size if axis in axes else 1 for axis, size in enumerate(shape)])

    def forward(self, x, *, training: bool = False):
        """``x (B, ...)`` -> ``y`` in the same shape, and a :class:`RMSTape`."""
        x = self.as_input(x)
        axes = axes_of(self, x.shape)
        if tuple(x.shape[axis] for axis in axes) != self.scale.shape:
            raise ValueError(
                f"{self.name}: expected sizes {self.scale.shape} on axis={self.axis} (those it was built with), got "
                f"inputs of shape {x.shape}."
            )
        inverse = 1 / xp.sqrt((x * x).mean(axis=axes, keepdims=True) + np.dtype(self.dtype).type(self.epsilon))
        x_hat = x * inverse
        return x_hat * self._along(x.shape), RMSTape(x_hat, inverse)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dγ = Σ dy x_hat``, ``dx_hat = γ dy``, ``dx = inverse (dx_hat - x_hat mean(dx_hat x_hat))``."""
        x_hat, inverse = tape
        dy = xp.asarray(grads, self.dtype)
        axes = axes_of(self, dy.shape)
        others = tuple(axis for axis in range(dy.ndim) if axis not in axes)
        weights = {"scale": (dy * x_hat).sum(axis=others)}
        if not input_gradient:
            return LayerGradients(None, weights)
        dx_hat = dy * self._along(dy.shape)
        slope = (dx_hat * x_hat).mean(axis=axes, keepdims=True)
        return LayerGradients(inverse * (dx_hat - x_hat * slope), weights)

    def compute_output_shape(self, input_shape):
        axes_of(self, input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict:
        return super().get_config() | {"axis": self.axis, "epsilon": self.epsilon}
