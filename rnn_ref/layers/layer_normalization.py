"""LayerNormalization: mean 0 and variance 1 for every sample."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.layers.layer import LayerGradients
from rnn_ref.layers.scale_and_shift import ScaleAndShift, d_standardize, standardize


class LayerNormalizationTape(NamedTuple):
    """Normalized inputs ``x_hat (B, ...)`` and ``inverse = 1 / sqrt(var + ε)``, with size 1 on normalized axes."""

    x_hat: np.ndarray
    inverse: np.ndarray


class LayerNormalization(ScaleAndShift):
    """Normalize the features of each sample, and of each time step, separately.

        x_hat = (x - mean(x)) / sqrt(var(x) + ε)
        y = γ x_hat + β

    with mean and variance over ``axis``. Input and output ``(B, ..., F)``; weights ``gamma γ (F,)``, ``beta β (F,)``.

    Parameters
    ----------
    axis : int or list of int
        Axes over which mean and variance are taken; γ and β have their sizes.
    epsilon : float
        ε, which keeps the root away from 0.
    center : bool
        Whether there is a β.
    scale : bool
        Whether there is a γ.
    beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint
    rms_scaling : bool
        Only False: Keras has deprecated it, and what it scales by is not what its name says.
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
        if checks.flag(rms_scaling, "rms_scaling", self.name):
            raise NotImplementedError(
                f"{self.name}: rms_scaling=True is not supported (Keras has deprecated it); use RMSNormalization."
            )
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)

    def get_config(self) -> dict:
        return super().get_config() | {"rms_scaling": False}

    def build(self, input_shape) -> None:
        self.make_gamma_and_beta(input_shape)

    def forward(self, x, *, training: bool = False):
        """``x (B, ...)`` -> ``y`` in the same shape, and a :class:`LayerNormalizationTape`."""
        x = self.as_fitting_input(x)
        x_hat, inverse = standardize(x, self.axes(x.shape), self.epsilon)
        return self.scaled(x_hat), LayerNormalizationTape(x_hat, inverse)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """dL/dy -> dL/dx, dγ, dβ: see :func:`~rnn_ref.layers.scale_and_shift.d_standardize`."""
        x_hat, inverse = tape
        dx_hat, weights = self.scaled_back(x_hat, xp.asarray(grads, self.dtype))
        if not input_gradient:
            return LayerGradients(None, weights)
        return LayerGradients(d_standardize(x_hat, inverse, dx_hat, self.axes(x_hat.shape)), weights)
