"""ActivityRegularization: a penalty on what passes through."""

from __future__ import annotations

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.layers import regularizers
from rnn_ref.layers.layer import Layer, LayerGradients


class ActivityRegularization(Layer):
    """Pass the input on, and add a penalty on it to the loss in ``fit``.

        penalty = l1 Σ|x| + l2 Σx²,  divided by the batch size

    Input and output ``(B, ...)``.

    Parameters
    ----------
    l1, l2 : float
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/regularization_layers/activity_regularization/

    Examples
    --------
    >>> import rnn_ref
    >>> layer = rnn_ref.layers.ActivityRegularization(l2=0.5)
    >>> layer([[1.0, 2.0]])
    array([[1., 2.]], dtype=float32)
    >>> layer.activity_regularizer([[1.0, 2.0]])
    2.5
    """

    never_builds = True
    supports_masking = True

    def __init__(self, l1=0.0, l2=0.0, **layer_options):
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **layer_options)
        self.l1 = checks.number(l1, "l1", self.name)
        self.l2 = checks.number(l2, "l2", self.name)

    def forward(self, x, *, training: bool = False):
        """``y = x``; the tape is empty."""
        return self.as_input(x), None

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx = dy``; the model adds the gradient of the penalty."""
        return LayerGradients(xp.asarray(grads, self.dtype))

    def get_config(self) -> dict:
        config = super().get_config() | {"l1": self.l1, "l2": self.l2}
        del config["activity_regularizer"]
        return config
