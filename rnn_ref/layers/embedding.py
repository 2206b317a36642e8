"""Embedding: one row of a table for every token."""

from __future__ import annotations

import numpy as np

from rnn_ref import checks
from rnn_ref.device import to_numpy, xp
from rnn_ref.layers import constraints, initializers, regularizers
from rnn_ref.layers.layer import Layer, LayerGradients
from rnn_ref.reading import require


class Embedding(Layer):
    """Replace every token (an integer) by its row in a table.

        y[b, t] = E[x[b, t]]

    Input ``x (B, ...)`` with entries from 0 to V - 1, usually ``(B, T)``; output ``y (B, ..., H)``;
    weight ``embeddings E (V, H)``.

    Parameters
    ----------
    input_dim : int
        V, the number of different tokens: the largest one plus 1.
    output_dim : int
        H, the length of a row.
    embeddings_initializer, embeddings_regularizer, embeddings_constraint
        For ``embeddings (V, H)``.
    mask_zero : bool
        Whether token 0 is padding, which later layers skip.
    weights : ndarray (V, H), or a list with one, optional
        The initial table.
    input_length : int, optional
        T; the same as ``input_shape=(T,)``, kept for code written for Keras 2.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/core_layers/embedding/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> layer = rnn_ref.layers.Embedding(3, 2, weights=np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]))
    >>> layer([[2, 1]])
    array([[[3., 4.],
            [1., 2.]]], dtype=float32)
    """

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        weights=None,
        *,
        input_length=None,
        quantization_config=None,
        **layer_options,
    ):
        if quantization_config is not None:
            raise NotImplementedError("Embedding: quantization_config is not there; leave it out.")
        if input_length is not None:
            if {"input_shape", "batch_input_shape"} & set(layer_options):
                raise ValueError("Embedding: input_length says the same as input_shape; give one of them.")
            sizes = input_length if isinstance(input_length, (list, tuple)) else (input_length,)
            layer_options["input_shape"] = tuple(checks.positive_integer(n, "input_length", "Embedding") for n in sizes)
        super().__init__(**layer_options)
        self.input_dim = checks.positive_integer(input_dim, "input_dim", self.name)
        self.output_dim = checks.positive_integer(output_dim, "output_dim", self.name)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = checks.flag(mask_zero, "mask_zero", self.name)
        self.supports_masking = self.mask_zero
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)
        if weights is not None:
            if not self.built:
                self.build()  # the table does not depend on the shape of the inputs
            self.set_weights(weights if isinstance(weights, (list, tuple)) and len(weights) == 1 else [weights])

    def build(self, input_shape=None) -> None:
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            "embeddings",
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def as_tokens(self, x) -> np.ndarray:
        """Check that the inputs are integers from 0 to V - 1."""
        # The tokens as given: a cast to float32, as in `as_input`, would round numbers above 2**24.
        x = xp.asarray(x)
        self.as_input(x)
        inside = (x >= 0) & (x < self.input_dim)
        tokens = xp.where(inside, x, 0).astype(np.int64)
        right = inside & (tokens == x)

        def explain():
            place = tuple(int(k) for k in np.argwhere(~to_numpy(right))[0])
            return ValueError(
                f"{self.name}: token {to_numpy(x)[place]} at index {place} is not in this embedding; tokens are whole "
                f"numbers from 0 to {self.input_dim - 1} (input_dim={self.input_dim})."
            )

        require(right.all(), explain)
        return tokens

    def forward(self, x, *, training: bool = False):
        """``x (B, ...)`` -> ``E[x] (B, ..., H)``; the tape is ``x`` as integers."""
        tokens = self.as_tokens(x)
        return self.embeddings.value[tokens], tokens

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dE[v] = Σ dy[b, t]`` over all positions where ``x[b, t] = v``; the tokens themselves have no gradient."""
        tokens = tape.reshape(-1)
        dy = xp.asarray(grads, self.dtype).reshape(-1, self.output_dim)
        dE = xp.zeros_like(self.embeddings.value)
        if tokens.size:
            # With equal tokens sorted side by side, every row of dE is one sum: threads do not conflict, and the order
            # of summation is always the same.
            order = xp.argsort(tokens, kind="stable")
            if xp.device == "cpu":
                present, first = np.unique(tokens[order], return_index=True)
                dE[present] = np.add.reduceat(dy[order], first, axis=0)
            else:
                from rnn_ref.kernels.cuda.lookup import sum_rows

                sum_rows(dy, order, tokens[order], dE)
        return LayerGradients(None, {"embeddings": dE})

    def compute_mask(self, inputs, mask=None):
        """``x != 0`` with ``mask_zero``."""
        return xp.asarray(inputs) != 0 if self.mask_zero else super().compute_mask(inputs, mask)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict:
        return super().get_config() | {
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "quantization_config": None,
            "mask_zero": self.mask_zero,
        }
