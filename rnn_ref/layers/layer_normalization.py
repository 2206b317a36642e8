"""LayerNormalization: every sample with mean 0 and variance 1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers import constraints, initializers, regularizers
from rnn_ref.layers.layer import Layer, LayerGradients


class LayerNormalizationTape(NamedTuple):
    """Normalized inputs ``x_hat (B, ...)`` and ``inverse = 1 / sqrt(var + ε)``, of size 1 on the normalized axes."""

    x_hat: np.ndarray
    inverse: np.ndarray


class LayerNormalization(Layer):
    """Normalize the features of every sample, and of every time step, by themselves.

        x_hat = (x - mean(x)) / sqrt(var(x) + ε)
        y = γ x_hat + β

    with mean and variance over ``axis``. Input and output ``(B, ..., F)``; weights ``gamma γ (F,)``, ``beta β (F,)``.

    Parameters
    ----------
    axis : int or list of int
        Axes over which mean and variance are taken; γ and β have their sizes.
    epsilon : float
        ε, keeps the root away from 0.
    center : bool
        Whether there is a β.
    scale : bool
        Whether there is a γ.
    beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint
    rms_scaling : bool
        Only False: Keras has deprecated it, and it scales by something else than its name says.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Ba, Kiros and Hinton, "Layer Normalization", 2016, https://arxiv.org/abs/1607.06450;
    https://keras.io/api/layers/normalization_layers/layer_normalization/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.LayerNormalization()([[1.0, 2.0, 3.0]]).round(3)
    array([[-1.224,  0.   ,  1.224]], dtype=float32)
    """

    supports_masking = True

    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        *,
        rms_scaling=False,
        **layer_options,
    ):
        super().__init__(**layer_options)
        if rms_scaling:
            raise NotImplementedError(f"{self.name}: rms_scaling=True is not supported (Keras has deprecated it).")
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        if not axes or any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in axes):
            raise TypeError(f"{self.name}: axis must be an integer or a list of integers, got {axis!r}.")
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else int(axis)
        self.epsilon = float(epsilon)
        self.center = bool(center)
        self.scale = bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)

    def axes(self, shape: tuple) -> tuple[int, ...]:
        """The normalized axes, counted from the front and in order."""
        given = self.axis if isinstance(self.axis, list) else [self.axis]
        if any(not -len(shape) <= axis < len(shape) for axis in given):
            raise ValueError(f"{self.name}: axis={self.axis} does not exist in inputs of shape {tuple(shape)}.")
        axes = sorted(axis % len(shape) for axis in given)
        if len(set(axes)) < len(axes):
            raise ValueError(f"{self.name}: axis={self.axis} names an axis twice in inputs of shape {tuple(shape)}.")
        return tuple(axes)

    def build(self, input_shape) -> None:
        shape = tuple(input_shape[axis] for axis in self.axes(input_shape))
        if None in shape:
            raise ValueError(
                f"{self.name}: the normalized axes, axis={self.axis}, must have a known size, got shape {input_shape}."
            )
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape,
                self.gamma_initializer,
                "gamma",
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                shape,
                self.beta_initializer,
                "beta",
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        self._sizes = shape

    def forward(self, x, *, training: bool = False):
        """``x (B, ...)`` -> ``y`` in the same shape, and a :class:`LayerNormalizationTape`."""
        x = self.as_input(x)
        axes = self.axes(x.shape)
        sizes = tuple(x.shape[axis] for axis in axes)
        if sizes != self._sizes:
            raise ValueError(
                f"{self.name}: expected sizes {self._sizes} on the normalized axes, axis={self.axis} (those it was "
                f"built with), got {sizes} in inputs of shape {x.shape}."
            )
        centred = x - x.mean(axis=axes, keepdims=True)
        variance = (centred * centred).mean(axis=axes, keepdims=True)
        inverse = 1 / xp.sqrt(variance + np.dtype(self.dtype).type(self.epsilon))
        x_hat = centred * inverse
        y = x_hat
        if self.gamma is not None:
            y = y * self._along(self.gamma.value, x.shape)
        if self.beta is not None:
            y = y + self._along(self.beta.value, x.shape)
        return y, LayerNormalizationTape(x_hat, inverse)

    def _along(self, weight: np.ndarray, shape: tuple) -> np.ndarray:
        """A weight with its axes where the normalized ones are, and size 1 elsewhere."""
        axes = self.axes(shape)
        return weight.reshape([size if axis in axes else 1 for axis, size in enumerate(shape)])

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """The mean and the variance depend on x too, which takes two means away from the gradient.

            dγ = Σ dy x_hat,    dβ = Σ dy    (over the other axes)
            dx_hat = γ dy
            dx = inverse (dx_hat - mean(dx_hat) - x_hat mean(dx_hat x_hat))

        The means are over ``axis``.
        """
        x_hat, inverse = tape
        dy = xp.asarray(grads, self.dtype)
        axes = self.axes(dy.shape)
        others = tuple(axis for axis in range(dy.ndim) if axis not in axes)
        weights = {}
        if self.gamma is not None:
            weights["gamma"] = (dy * x_hat).sum(axis=others)
        if self.beta is not None:
            weights["beta"] = dy.sum(axis=others)
        if not input_gradient:
            return LayerGradients(None, weights)
        dx_hat = dy if self.gamma is None else dy * self._along(self.gamma.value, dy.shape)
        mean = dx_hat.mean(axis=axes, keepdims=True)
        slope = (dx_hat * x_hat).mean(axis=axes, keepdims=True)
        return LayerGradients(inverse * (dx_hat - mean - x_hat * slope), weights)

    def compute_output_shape(self, input_shape):
        self.axes(input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict:
        return super().get_config() | {
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }
