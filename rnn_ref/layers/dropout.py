"""Layers that perturb their input in training: Dropout, SpatialDropout1D, GaussianNoise."""

from __future__ import annotations

import numpy as np

from rnn_ref import checks, random
from rnn_ref.device import xp
from rnn_ref.layers.cell import dropout_mask
from rnn_ref.layers.layer import Layer, LayerGradients


def draw_mask(generator: np.random.Generator, shape: tuple[int, ...], rate: float, dtype: str) -> np.ndarray:
    """A dropout mask; at a rate of 1 it is all zeros, and nothing is drawn."""
    return xp.zeros(shape, dtype) if rate == 1 else dropout_mask(generator, shape, rate, dtype)


class Dropout(Layer):
    """Set numbers to 0 at random in training, and scale up the others.

        y = x ⊙ d,    d = 0 with probability ``rate``, else 1 / (1 - rate)

    so that the mean of ``y`` is ``x``. Without ``training=True`` nothing happens. Input and output ``(B, ...)``.

    Parameters
    ----------
    rate : float
        Between 0 and 1.
    noise_shape : tuple of int or None, optional
        Shape of ``d``, which is broadcast to that of ``x``; None takes the size from ``x``:
        ``(None, 1, None)`` drops the same features at all time steps.
    seed : int or numpy.random.Generator, optional
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/regularization_layers/dropout/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> y = rnn_ref.layers.Dropout(0.2, seed=0)(np.ones((10, 100)), training=True)
    >>> np.unique(y), abs(y.mean() - 1) < 0.05
    (array([0.  , 1.25], dtype=float32), np.True_)
    """

    never_builds = True
    supports_masking = True
    call_arguments = ("training",)

    def __init__(self, rate, noise_shape=None, seed=None, **layer_options):
        super().__init__(**layer_options)
        self.rate = checks.fraction(rate, "rate", self.name)
        self.noise_shape = self._check_noise_shape(noise_shape)
        self.seed = random.from_config(seed)
        self._generator = random.make(self.seed)

    def _check_noise_shape(self, noise_shape) -> tuple | None:
        if noise_shape is None:
            return None
        if not isinstance(noise_shape, (list, tuple)) or any(
            n is not None and (isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n <= 0)
            for n in noise_shape
        ):
            raise ValueError(
                f"{self.name}: noise_shape must be a tuple of positive integers and None, got {noise_shape!r}."
            )
        return tuple(noise_shape)

    def drop_shape(self, shape: tuple) -> tuple:
        """The shape of the mask for inputs of this shape."""
        if self.noise_shape is None:
            return shape
        fits = len(self.noise_shape) == len(shape) and all(
            n in (None, 1, size) for n, size in zip(self.noise_shape, shape)
        )
        if not fits:
            raise ValueError(
                f"{self.name}: noise_shape={self.noise_shape} cannot be repeated to the shape of the inputs, {shape}."
            )
        return tuple(size if n is None else n for n, size in zip(self.noise_shape, shape))

    def forward(self, x, *, training: bool = False, drop=None):
        """``y = x d``.

        Parameters
        ----------
        x : ndarray, (B, ...)
        training : bool
            Whether to draw a mask.
        drop : ndarray, optional
            The mask ``d``, instead of a drawn one.

        Returns
        -------
        y, d : ndarray
            ``d`` is None where nothing is dropped.
        """
        x = self.as_input(x)
        if drop is not None:
            drop = xp.asarray(drop, self.dtype)
        elif training and self.rate > 0:
            drop = draw_mask(self._generator, self.drop_shape(x.shape), self.rate, self.dtype)
        return (x if drop is None else x * drop), drop

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy d``."""
        dy = xp.asarray(grads, self.dtype)
        return LayerGradients(dy if tape is None else dy * tape)

    def get_config(self) -> dict:
        return super().get_config() | {
            "rate": self.rate,
            "noise_shape": self.noise_shape,
            "seed": random.to_config(self.seed),
        }


class SpatialDropout1D(Dropout):
    """Drop whole features, the same ones at all time steps of a sequence.

        y[b, t, f] = x[b, t, f] d[b, f]

    Input and output ``(B, T, F)``; ``d`` as in :class:`Dropout`.

    Parameters
    ----------
    rate : float
        Between 0 and 1.
    seed : int or numpy.random.Generator, optional
    name : str, optional
    dtype : {"float32", "float64"}, optional
    **layer_options
        ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/regularization_layers/spatial_dropout1d/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> y = rnn_ref.layers.SpatialDropout1D(0.5, seed=0)(np.ones((2, 5, 3)), training=True)
    >>> bool((y == y[:, :1]).all())
    True
    """

    def __init__(self, rate, seed=None, name=None, dtype=None, **layer_options):
        super().__init__(rate, (None, 1, None), seed, name=name, dtype=dtype, **layer_options)

    def forward(self, x, *, training: bool = False, drop=None):
        """``y = x d`` for ``x (B, T, F)`` and ``d (B, 1, F)``: see :meth:`Dropout.forward`."""
        return super().forward(self.as_input(x, rank=3), training=training, drop=drop)

    def get_config(self) -> dict:
        config = super().get_config()
        return {key: config[key] for key in ("rate", "seed", "name")} | {"dtype": self.dtype}  # Keras writes only these


class GaussianNoise(Layer):
    """Add normally distributed noise in training.

        y = x + n,    n ~ N(0, stddev²)

    Without ``training=True`` nothing happens. Input and output ``(B, ...)``.

    Parameters
    ----------
    stddev : float
        Between 0 and 1.
    seed : int or numpy.random.Generator, optional
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/regularization_layers/gaussian_noise/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> y = rnn_ref.layers.GaussianNoise(0.1, seed=0)(np.zeros((10, 100)), training=True)
    >>> abs(y.std() - 0.1) < 0.01
    np.True_
    """

    never_builds = True
    supports_masking = True
    call_arguments = ("training",)

    def __init__(self, stddev, seed=None, **layer_options):
        super().__init__(**layer_options)
        self.stddev = checks.fraction(stddev, "stddev", self.name)
        self.seed = random.from_config(seed)
        self._generator = random.make(self.seed)

    def forward(self, x, *, training: bool = False):
        """``y = x + n``; the tape is empty."""
        x = self.as_input(x)
        if training and self.stddev > 0:
            noise = self.stddev * self._generator.standard_normal(x.shape)  # on the CPU: see dropout_mask
            x = x + xp.asarray(noise.astype(self.dtype))
        return x, None

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy``."""
        return LayerGradients(xp.asarray(grads, self.dtype))

    def get_config(self) -> dict:
        return super().get_config() | {"stddev": self.stddev, "seed": random.to_config(self.seed)}
