"""Activation: an activation function as a layer."""

from __future__ import annotations

from rnn_ref.device import xp
from rnn_ref.layers import activations
from rnn_ref.layers.activation_option import ActivationOption
from rnn_ref.layers.layer import Layer, LayerGradients


class Activation(Layer):
    """Apply an activation to every number (softmax and the like: to every row).

    Parameters
    ----------
    activation : str or callable
        See :mod:`rnn_ref.layers.activations`.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``.

    References
    ----------
    https://keras.io/api/layers/core_layers/activation/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Activation("relu")([[-1.0, 2.0]])
    array([[0., 2.]], dtype=float32)
    """

    never_builds = True
    supports_masking = True
    activation = ActivationOption()

    def __init__(self, activation, **layer_options):
        super().__init__(**layer_options)
        self.activation = activation

    def forward(self, x, *, training: bool = False):
        """``a = f(x)``; the tape is ``(x, a)``."""
        x = self.as_input(x)
        a = self.activation.compute(x)
        return a, (x, a)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = da f'(x)``."""
        x, a = tape
        return LayerGradients(self.activation.gradient(x, a, xp.asarray(grads, self.dtype)))

    def compute_output_shape(self, input_shape):
        return self.activation.output_shape(input_shape)

    def get_config(self) -> dict:
        return super().get_config() | {"activation": activations.serialize(self.activation)}
