"""BatchNormalization: mean 0 and variance 1 for every feature, over the batch and over time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.layers import initializers
from rnn_ref.layers.layer import LayerGradients
from rnn_ref.layers.scale_and_shift import ScaleAndShift

GUARD = 1e-7  # Keras's constant, added to the number of steps that count, so as never to divide by zero


class BatchNormalizationTape(NamedTuple):
    """What batch normalization remembers.

    Attributes
    ----------
    x_hat : ndarray, (B, ..., F)
    inverse : ndarray
        ``1 / sqrt(var + ε)``, with size 1 on all axes but that of the features.
    weights : ndarray, or None
        ``w``, the weight of each number in mean and variance; None if the moving ones were used.
    """

    x_hat: np.ndarray
    inverse: np.ndarray
    weights: np.ndarray | None


class BatchNormalization(ScaleAndShift):
    """Normalize every feature over the samples of the batch, and over time.

        μ = Σ w x,    σ² = Σ w (x - μ)²          w = 1 / (B T); with a mask m:  w = m / Σ m
        x_hat = (x - μ) / sqrt(σ² + ε)
        y = γ x_hat + β

    in training, when the moving mean and variance are updated, too: ``moving = momentum moving + (1 - momentum) μ``.
    Without ``training=True``, and if the layer is frozen (``trainable=False``), these are used in place of μ and σ².

    Input and output ``(B, ..., F)``; weights ``gamma γ (F,)``, ``beta β (F,)``, and, changed by no optimizer,
    ``moving_mean (F,)`` and ``moving_variance (F,)``.

    Parameters
    ----------
    axis : int
        The axis of the features.
    momentum : float
    epsilon : float
        ε, which keeps the root away from 0.
    center, scale : bool
        Whether there is a β, a γ.
    beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer
    beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint
    renorm, renorm_clipping, renorm_momentum
        Only ``renorm=False``: batch renormalization is not supported.
    synchronized : bool
        Only False: there is one device.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Ioffe and Szegedy, "Batch Normalization", 2015, https://arxiv.org/abs/1502.03167;
    https://keras.io/api/layers/normalization_layers/batch_normalization/

    Examples
    --------
    >>> import rnn_ref
    >>> layer = rnn_ref.layers.BatchNormalization(momentum=0.5, epsilon=0.0)
    >>> layer([[1.0], [3.0]], training=True)
    array([[-1.],
           [ 1.]], dtype=float32)
    >>> layer.moving_mean.numpy()
    array([1.], dtype=float32)
    """

    takes_mask = True
    call_arguments = ("training", "mask")
    mixes_samples = True  # TimeDistributed must not fold the time steps into the batch in training

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        renorm=False,
        renorm_clipping=None,
        renorm_momentum=0.99,
        synchronized=False,
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
        if checks.flag(synchronized, "synchronized", self.name):
            raise ValueError(f"{self.name}: synchronized=True is for several devices; there is one here. Leave it out.")
        if checks.flag(renorm, "renorm", self.name):
            raise NotImplementedError(f"{self.name}: renorm=True (batch renormalization) is not there; leave it out.")
        self.momentum = checks.number(momentum, "momentum", self.name)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        if renorm_clipping is not None:
            raise NotImplementedError(
                f"{self.name}: renorm_clipping={renorm_clipping!r} belongs to batch renormalization, which is not "
                "there; leave it out."
            )
        self.renorm_clipping, self.renorm_momentum = (
            None,
            checks.fraction(renorm_momentum, "renorm_momentum", self.name),
        )
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)

    def build(self, input_shape) -> None:
        self.make_gamma_and_beta(input_shape)
        self.moving_mean = self.add_weight(self._sizes, self.moving_mean_initializer, "moving_mean", trainable=False)
        self.moving_variance = self.add_weight(
            self._sizes, self.moving_variance_initializer, "moving_variance", trainable=False
        )

    def forward(self, x, *, mask=None, training: bool = False):
        """Run the layer.

        Parameters
        ----------
        x : ndarray, (B, ..., F)
        mask : ndarray of bool, (B, ...), optional
            With the shape of ``x`` but for the features; in training, entries that are False do not count.
        training : bool
            Whether to use the mean and variance of this batch, and update the moving ones.

        Returns
        -------
        y : ndarray, (B, ..., F)
        tape : BatchNormalizationTape
        """
        x = self.as_fitting_input(x)
        if mask is not None:
            mask = xp.asarray(mask, bool)
            if mask.shape != x.shape[:-1]:
                raise ValueError(f"{self.name}: the mask has shape {mask.shape}, expected {x.shape[:-1]}.")
        if training and self.trainable:
            weights = self._weights_of(x, mask)
            mean, variance = self._moments(x, weights)
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, variance)
        else:
            weights = None
            mean, variance = (self.along(w.value, x.shape) for w in (self.moving_mean, self.moving_variance))
        inverse = 1 / xp.sqrt(variance + x.dtype.type(self.epsilon))
        x_hat = (x - mean) * inverse
        return self.scaled(x_hat), BatchNormalizationTape(x_hat, inverse, weights)

    def _others(self, x) -> tuple[int, ...]:
        """All axes but that of the features."""
        return tuple(axis for axis in range(x.ndim) if axis not in self.axes(x.shape))

    def _weights_of(self, x, mask) -> np.ndarray:
        """The weight of each number, in a shape that broadcasts to that of ``x``."""
        if mask is None:
            (axis,) = self.axes(x.shape)
            return xp.full((1,) * x.ndim, x.shape[axis] / x.size, x.dtype)
        counted = xp.broadcast_to(mask[..., None], x.shape).astype(x.dtype)
        return counted / (counted.sum(axis=self._others(x), keepdims=True) + x.dtype.type(GUARD))

    def _moments(self, x, weights) -> tuple[np.ndarray, np.ndarray]:
        """``μ = Σ w x`` and ``σ² = Σ w (x - μ)²``; numbers that do not count may be NaN."""
        others, counts = self._others(x), weights > 0
        mean = xp.where(counts, weights * x, 0).sum(axis=others, keepdims=True)
        centred = x - mean
        return mean, xp.where(counts, weights * centred * centred, 0).sum(axis=others, keepdims=True)

    def _move(self, moving, value) -> None:
        """``moving = momentum moving + (1 - momentum) value``"""
        momentum = np.dtype(self.dtype).type(self.momentum)
        moving.assign(moving.value * momentum + value.reshape(moving.shape) * (1 - momentum))

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """Mean and variance depend on every x that counts.

            dγ = Σ dy x_hat,    dβ = Σ dy,    dx_hat = γ dy
            dx = inverse (dx_hat - w (Σ dx_hat + (x_hat - Σ w x_hat) Σ dx_hat x_hat))

        With the moving mean and variance, which are constants, ``dx = inverse dx_hat``. (``Σ w x_hat`` is 0 but for
        the small constant in w.)
        """
        x_hat, inverse, w = tape
        dx_hat, weights = self.scaled_back(x_hat, xp.asarray(grads, self.dtype))
        if not input_gradient:
            return LayerGradients(None, weights)
        if w is None:
            return LayerGradients(inverse * dx_hat, weights)
        others = self._others(x_hat)
        total = dx_hat.sum(axis=others, keepdims=True)
        slope = (dx_hat * x_hat).sum(axis=others, keepdims=True)
        middle = xp.where(w > 0, w * x_hat, 0).sum(axis=others, keepdims=True)
        through_moments = xp.where(w > 0, w * (total + (x_hat - middle) * slope), 0)
        return LayerGradients(inverse * (dx_hat - through_moments), weights)

    def get_config(self) -> dict:
        return super().get_config() | {
            "momentum": self.momentum,
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "synchronized": False,
            "renorm": False,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
        }
