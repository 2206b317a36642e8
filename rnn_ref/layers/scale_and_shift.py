"""What the normalizing layers share: subtracting the mean and dividing by the deviation, then γ and β."""

from __future__ import annotations

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.layers import constraints, initializers, regularizers
from rnn_ref.layers.layer import Layer


def standardize(x, axes, epsilon: float):
    """``x_hat = (x - mean) inverse``, ``inverse = 1 / sqrt(variance + ε)``, over ``axes``, which keep the size 1."""
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = (centred * centred).mean(axis=axes, keepdims=True)
    inverse = 1 / xp.sqrt(variance + x.dtype.type(epsilon))
    return centred * inverse, inverse


def d_standardize(x_hat, inverse, dx_hat, axes):
    """The mean and the variance depend on x too, which subtracts two means from the gradient.

    dx = inverse (dx_hat - mean(dx_hat) - x_hat mean(dx_hat x_hat))
    """
    mean = dx_hat.mean(axis=axes, keepdims=True)
    slope = (dx_hat * x_hat).mean(axis=axes, keepdims=True)
    return inverse * (dx_hat - mean - x_hat * slope)


class ScaleAndShift(Layer):
    """Base of layers that end with ``y = γ x_hat + β``.

    A subclass calls :meth:`make_gamma_and_beta` in its ``build``, :meth:`scaled` in forward and :meth:`scaled_back` in
    backward.
    """

    supports_masking = True

    def __init__(
        self,
        axis,
        epsilon,
        center,
        scale,
        beta_initializer,
        gamma_initializer,
        beta_regularizer,
        gamma_regularizer,
        beta_constraint,
        gamma_constraint,
        **layer_options,
    ):
        super().__init__(**layer_options)
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        if not axes or any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in axes):
            raise TypeError(f"{self.name}: axis must be an integer or a list of integers, got {axis!r}.")
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else int(axis)
        self.epsilon = checks.number(epsilon, "epsilon", self.name)
        self.center = checks.flag(center, "center", self.name)
        self.scale = checks.flag(scale, "scale", self.name)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def axes(self, shape: tuple) -> tuple[int, ...]:
        """The axes of γ and β, counted from the front and in order."""
        given = self.axis if isinstance(self.axis, list) else [self.axis]
        if any(not -len(shape) <= axis < len(shape) for axis in given):
            raise ValueError(f"{self.name}: axis={self.axis} does not exist in inputs of shape {tuple(shape)}.")
        axes = sorted(axis % len(shape) for axis in given)
        if len(set(axes)) < len(axes):
            raise ValueError(f"{self.name}: axis={self.axis} names an axis twice in inputs of shape {tuple(shape)}.")
        return tuple(axes)

    def make_gamma_and_beta(self, input_shape) -> None:
        """Make the weights, with the sizes of the axes."""
        shape = tuple(input_shape[axis] for axis in self.axes(input_shape))
        if None in shape:
            raise ValueError(
                f"{self.name}: the axes of γ and β, axis={self.axis}, must have a known size, got shape {input_shape}."
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

    def as_fitting_input(self, x) -> np.ndarray:
        """The input as an array, checked against the sizes that the weights were made for."""
        x = self.as_input(x)
        self.check_built_for(x.shape)
        return x

    def check_built_for(self, input_shape) -> None:
        sizes = tuple(input_shape[axis] for axis in self.axes(input_shape))
        if sizes != self._sizes:
            raise ValueError(
                f"{self.name}: expected sizes {self._sizes} on axis={self.axis} (those it was built with), got {sizes} "
                f"in inputs of shape {tuple(input_shape)}."
            )

    def along(self, weight: np.ndarray, shape: tuple) -> np.ndarray:
        """A weight with its axes in their positions in the input, and size 1 elsewhere."""
        axes = self.axes(shape)
        return weight.reshape([size if axis in axes else 1 for axis, size in enumerate(shape)])

    def scaled(self, x_hat) -> np.ndarray:
        """``y = γ x_hat + β``"""
        y = x_hat if self.gamma is None else x_hat * self.along(self.gamma.value, x_hat.shape)
        return y if self.beta is None else y + self.along(self.beta.value, x_hat.shape)

    def scaled_back(self, x_hat, dy) -> tuple[np.ndarray, dict]:
        """``dx_hat = γ dy``, and ``dγ = Σ dy x_hat``, ``dβ = Σ dy`` over the other axes."""
        axes = self.axes(dy.shape)
        others = tuple(axis for axis in range(dy.ndim) if axis not in axes)
        weights = {}
        if self.gamma is not None:
            weights["gamma"] = (dy * x_hat).sum(axis=others)
        if self.beta is not None:
            weights["beta"] = dy.sum(axis=others)
        return (dy if self.gamma is None else dy * self.along(self.gamma.value, dy.shape)), weights

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
