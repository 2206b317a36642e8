"""RepeatVector: the same vector at every time step."""

from __future__ import annotations

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.layers.layer import Layer, LayerGradients


class RepeatVector(Layer):
    """Repeat a vector over n time steps, as between an encoder and a decoder.

        y[b, t] = x[b]

    Input ``(B, F)``, output ``(B, n, F)``. Masks end here.

    Parameters
    ----------
    n : int
        Number of time steps.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/reshaping_layers/repeat_vector/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.RepeatVector(2)([[1.0, 2.0]])
    array([[[1., 2.],
            [1., 2.]]], dtype=float32)
    """

    def __init__(self, n, **layer_options):
        super().__init__(**layer_options)
        self.n = checks.positive_integer(n, "n", self.name)

    def forward(self, x, *, training: bool = False):
        """``x (B, F)`` -> ``(B, n, F)``; the tape is empty."""
        return xp.repeat(self.as_input(x, rank=2)[:, None], self.n, axis=1), None

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx[b] = Σ_t dy[b, t]``."""
        return LayerGradients(xp.asarray(grads, self.dtype).sum(axis=1))

    def compute_output_shape(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(self.rank_message(input_shape, 2))
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict:
        return super().get_config() | {"n": self.n}
