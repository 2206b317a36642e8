"""GroupNormalization: mean 0 and variance 1 for each group of features, over all time steps of a sample."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.layer import LayerGradients
from rnn_ref.layers.scale_and_shift import ScaleAndShift, d_standardize, standardize


class GroupNormalizationTape(NamedTuple):
    """``x_hat (B, T, G, F / G)`` and ``inverse = 1 / sqrt(var + ε) (B, 1, G, 1)``, with the axis of groups."""

    x_hat: np.ndarray
    inverse: np.ndarray


class GroupNormalization(ScaleAndShift):
    """Normalize each group of features in every sample separately.

        x_hat = (x - mean(x)) / sqrt(var(x) + ε)
        y = γ x_hat + β

    with mean and variance over the features of a group and over all axes but the batch (all time steps). Input and
    output ``(B, ..., F)``; weights ``gamma γ (F,)``, ``beta β (F,)``. Masks are passed on; padding counts as data.

    Parameters
    ----------
    groups : int
        G, which must divide F; -1 makes each feature a group, 1 is layer normalization over all axes.
    axis : int
        The axis of the features.
    epsilon : float
        ε, which keeps the root away from 0.
    center, scale : bool
        Whether there is a β, a γ.
    beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Wu and He, "Group Normalization", 2018, https://arxiv.org/abs/1803.08494;
    https://keras.io/api/layers/normalization_layers/group_normalization/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.GroupNormalization(groups=2)([[1.0, 3.0, 10.0, 30.0]]).round(3)
    array([[-1., 1., -1., 1.]], dtype=float32)
    """

    def __init__(
        self,
        groups=32,
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
        **layer_options,
    ):
        super().__init__(
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
        )
        if isinstance(self.axis, list):
            raise TypeError(f"{self.name}: axis must be one integer, got {axis!r}.")
        whole = isinstance(groups, (int, np.integer)) and not isinstance(groups, bool)
        if not whole or groups < -1 or groups == 0:
            raise ValueError(f"{self.name}: groups must be a positive integer, or -1, got {groups!r}.")
        self.groups = int(groups)
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)

    def build(self, input_shape) -> None:
        (axis,) = self.axes(input_shape)
        if axis == 0:
            raise ValueError(f"{self.name}: axis={self.axis} is that of the batch; give the axis of the features.")
        self.make_gamma_and_beta(input_shape)
        (features,) = self._sizes
        self.groups = features if self.groups == -1 else self.groups
        if features % self.groups:
            raise ValueError(f"{self.name}: {features} features cannot be divided into {self.groups} equal groups.")

    def _grouped(self, x) -> tuple[np.ndarray, tuple[int, ...]]:
        """``(B, T, F)`` -> ``(B, T, G, F / G)``, and the axes of mean and variance."""
        (axis,) = self.axes(x.shape)
        parts = (self.groups, x.shape[axis] // self.groups)
        grouped = x.reshape(*x.shape[:axis], *parts, *x.shape[axis + 1 :])
        return grouped, tuple(k for k in range(1, grouped.ndim) if k != axis)

    def forward(self, x, *, training: bool = False):
        """``x (B, ..., F)`` -> ``y`` in the same shape, and a :class:`GroupNormalizationTape`."""
        x = self.as_fitting_input(x)
        grouped, axes = self._grouped(x)
        x_hat, inverse = standardize(grouped, axes, self.epsilon)
        return self.scaled(x_hat.reshape(x.shape)), GroupNormalizationTape(x_hat, inverse)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """dL/dy -> dL/dx, dγ, dβ: see :func:`~rnn_ref.layers.scale_and_shift.d_standardize`."""
        x_hat, inverse = tape
        dy = xp.asarray(grads, self.dtype)
        dx_hat, weights = self.scaled_back(x_hat.reshape(dy.shape), dy)
        if not input_gradient:
            return LayerGradients(None, weights)
        dx_hat, axes = self._grouped(dx_hat)
        return LayerGradients(d_standardize(x_hat, inverse, dx_hat, axes).reshape(dy.shape), weights)

    def get_config(self) -> dict:
        return super().get_config() | {"groups": self.groups}
