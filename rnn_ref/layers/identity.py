"""Identity: the output is the input."""

from __future__ import annotations

from rnn_ref.device import xp
from rnn_ref.layers.layer import Layer, LayerGradients


class Identity(Layer):
    """Pass the input on.

        y = x

    A placeholder for an optional layer.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/core_layers/identity/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Identity()([[1.0, 2.0]])
    array([[1., 2.]], dtype=float32)
    """

    never_builds = True
    supports_masking = True

    def forward(self, x, *, training: bool = False):
        """``y = x``; the tape is empty."""
        return self.as_input(x), None

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy``."""
        return LayerGradients(xp.asarray(grads, self.dtype))
