"""Rectifiers as layers: ReLU, LeakyReLU, ELU, and PReLU, whose slope is learned."""

from __future__ import annotations

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.layers import constraints, initializers, regularizers
from rnn_ref.layers.layer import Layer, LayerGradients

NOT_NEGATIVE = "[0, inf]"


class ReLU(Layer):
    """Set negative numbers to 0, or make them less negative.

        y = min(x, max_value)               where x > threshold
        y = negative_slope (x - threshold)  elsewhere

    Input and output ``(B, ...)``.

    Parameters
    ----------
    max_value : float, optional
        The upper limit of the output.
    negative_slope : float
    threshold : float
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/activation_layers/relu/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.ReLU(max_value=2.0, negative_slope=0.5)([[-4.0, 1.0, 3.0]])
    array([[-2.,  1.,  2.]], dtype=float32)
    """

    never_builds = True
    supports_masking = True

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **layer_options):
        super().__init__(**layer_options)
        self.max_value = checks.number(max_value, "max_value", self.name, NOT_NEGATIVE, optional=True)
        self.negative_slope = checks.number(negative_slope, "negative_slope", self.name, NOT_NEGATIVE)
        self.threshold = checks.number(threshold, "threshold", self.name, NOT_NEGATIVE)

    def forward(self, x, *, training: bool = False):
        """``x (B, ...)`` -> ``y`` in the same shape; the tape is ``x``."""
        x = self.as_input(x)
        high = x if self.max_value is None else xp.minimum(x, np.dtype(self.dtype).type(self.max_value))
        slope, threshold = map(np.dtype(self.dtype).type, (self.negative_slope, self.threshold))
        low = slope * (x - threshold) if slope else xp.where(xp.isnan(x), x, 0)
        return xp.where(x > threshold, high, low), x

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy`` above the threshold and below ``max_value``, ``negative_slope dy`` below the threshold."""
        x, dy = tape, xp.asarray(grads, self.dtype)
        above = dy if self.max_value is None else xp.where(x < self.max_value, dy, 0)
        below = np.dtype(self.dtype).type(self.negative_slope) * dy
        return LayerGradients(xp.where(x > self.threshold, above, below))

    def get_config(self) -> dict:
        return super().get_config() | {
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(Layer):
    """Make negative numbers less negative.

        y = x where x > 0, else negative_slope x

    Input and output ``(B, ...)``.

    Parameters
    ----------
    negative_slope : float
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013;
    https://keras.io/api/layers/activation_layers/leaky_relu/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.LeakyReLU(0.25)([[-4.0, 1.0]])
    array([[-1.,  1.]], dtype=float32)
    """

    never_builds = True
    supports_masking = True

    def __init__(self, negative_slope=0.3, **layer_options):
        super().__init__(**layer_options)
        self.negative_slope = checks.number(negative_slope, "negative_slope", self.name, NOT_NEGATIVE)

    def forward(self, x, *, training: bool = False):
        """``x (B, ...)`` -> ``y`` in the same shape; the tape is ``x``."""
        x = self.as_input(x)
        return self._times_slope(x, x), x

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy`` where x > 0, else ``negative_slope dy``."""
        return LayerGradients(self._times_slope(tape, xp.asarray(grads, self.dtype)))

    def _times_slope(self, x, value):
        return xp.where(x > 0, value, np.dtype(self.dtype).type(self.negative_slope) * value)

    def get_config(self) -> dict:
        return super().get_config() | {"negative_slope": self.negative_slope}


class ELU(Layer):
    """Exponential linear unit.

        y = x where x > 0, else α (exp(x) - 1)

    Input and output ``(B, ...)``.

    Parameters
    ----------
    alpha : float
        α; negative outputs approach -α.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2015,
    https://arxiv.org/abs/1511.07289; https://keras.io/api/layers/activation_layers/elu/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.ELU(alpha=2.0)([[-100.0, 1.0]])
    array([[-2.,  1.]], dtype=float32)
    """

    never_builds = True
    supports_masking = True

    def __init__(self, alpha=1.0, **layer_options):
        super().__init__(**layer_options)
        self.alpha = checks.number(alpha, "alpha", self.name)

    def forward(self, x, *, training: bool = False):
        """``x (B, ...)`` -> ``y`` in the same shape; the tape is ``x``."""
        x = self.as_input(x)
        # Where x > 0 the exponential is not needed, and could overflow.
        return xp.where(x > 0, x, np.dtype(self.dtype).type(self.alpha) * xp.expm1(xp.minimum(x, 0))), x

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy`` where x > 0, else ``α exp(x) dy``."""
        dy = xp.asarray(grads, self.dtype)
        slope = np.dtype(self.dtype).type(self.alpha) * xp.exp(xp.minimum(tape, 0))
        return LayerGradients(xp.where(tape > 0, dy, slope * dy))

    def get_config(self) -> dict:
        return super().get_config() | {"alpha": self.alpha}


class PReLU(Layer):
    """A rectifier whose slope for negative numbers is learned.

        y = x where x > 0, else α x

    Input and output ``(B, ...)``; weight ``alpha α`` in the shape of one sample, with size 1 on ``shared_axes``.

    Parameters
    ----------
    alpha_initializer, alpha_regularizer, alpha_constraint
    shared_axes : int or list of int, optional
        Axes along which α is shared, counted with the batch: ``[1]`` shares it over the time steps of ``(B, T, F)``,
        which is needed for sequences of any length.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015, https://arxiv.org/abs/1502.01852;
    https://keras.io/api/layers/activation_layers/prelu/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.PReLU(rnn_ref.initializers.Constant(0.5))([[-4.0, 1.0]])
    array([[-2.,  1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer="zeros",
        alpha_regularizer=None,
        alpha_constraint=None,
        shared_axes=None,
        **layer_options,
    ):
        super().__init__(**layer_options)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        axes = shared_axes if shared_axes is None or isinstance(shared_axes, (list, tuple)) else [shared_axes]
        if axes is not None and any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in axes):
            raise TypeError(f"{self.name}: shared_axes must be axes such as [1], got {shared_axes!r}.")
        self.shared_axes = None if axes is None else [int(axis) for axis in axes]
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)

    def build(self, input_shape) -> None:
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            if not 1 <= axis < len(input_shape):
                raise ValueError(
                    f"{self.name}: shared_axes={self.shared_axes}, but inputs of shape {tuple(input_shape)} have the "
                    f"axes 1 to {len(input_shape) - 1} (0 is the batch)."
                )
            shape[axis - 1] = 1
        if None in shape:
            raise ValueError(
                f"{self.name}: α has one number for every place of a sample, so its sizes must be known; got shape "
                f"{tuple(input_shape)}. Share α along the open axis: shared_axes=[{shape.index(None) + 1}]."
            )
        self.alpha = self.add_weight(
            tuple(shape),
            self.alpha_initializer,
            "alpha",
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )

    def forward(self, x, *, training: bool = False):
        """``x (B, ...)`` -> ``y`` in the same shape; the tape is ``x``."""
        x = self.as_input(x)
        fits = len(x.shape) == 1 + len(self.alpha.shape) and all(
            size in (1, given) for size, given in zip(self.alpha.shape, x.shape[1:])
        )
        if not fits:
            raise ValueError(
                f"{self.name}: got inputs of shape {x.shape}, but α has shape {self.alpha.shape} (that of the samples "
                "it was built with, 1 where it is shared)."
            )
        return xp.where(x > 0, x, self.alpha.value * x), x

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy`` where x > 0, else ``α dy``; ``dα`` is the sum of ``dy x`` where x ≤ 0."""
        x, dy = tape, xp.asarray(grads, self.dtype)
        shared = tuple(k for k, size in enumerate(self.alpha.shape, 1) if size == 1)
        dalpha = xp.where(x > 0, 0, dy * x).sum(axis=(0, *shared)).reshape(self.alpha.shape)
        dx = xp.where(x > 0, dy, self.alpha.value * dy) if input_gradient else None
        return LayerGradients(dx, {"alpha": dalpha})

    def get_config(self) -> dict:
        return super().get_config() | {
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
