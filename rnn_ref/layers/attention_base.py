"""What the two attention layers share: from scores to an average of the values, and back."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnn_ref import checks, random
from rnn_ref.device import xp
from rnn_ref.equations.rows import d_softmax, softmax
from rnn_ref.layers.dropout import draw_mask
from rnn_ref.layers.layer import Layer, LayerGradients
from rnn_ref.layers.matmul import matmul
from rnn_ref.layers.several_inputs import as_arrays
from rnn_ref.layers.symbolic import NEEDS_ALL_STEPS, is_shape

FAR_BELOW = 1e9  # Keras's constant: taken from a masked score, so that its softmax is 0


class AttentionTape(NamedTuple):
    """What attention remembers; all axes before time are folded into one, ``B``.

    Attributes
    ----------
    query : ndarray, (B, Tq, D)
    value : ndarray, (B, Tv, H)
    key : ndarray, (B, Tv, D)
    scores : ndarray, (B, Tq, Tv)
        How much of each value goes into each output, after softmax and dropout; this is what
        ``return_attention_scores`` returns.
    softmax : ndarray, (B, Tq, Tv)
        The same before dropout; each row sums to 1.
    drop : ndarray, (B, Tq, Tv), or None
        Dropout mask.
    query_mask : ndarray of bool, (B, Tq), or None
    own_key : bool
        Whether the key was given as a third input.
    memory
        What the score function remembers.
    lead : tuple
        The sizes of the axes before time.
    """

    query: np.ndarray
    value: np.ndarray
    key: np.ndarray
    scores: np.ndarray
    softmax: np.ndarray
    drop: np.ndarray | None
    query_mask: np.ndarray | None
    own_key: bool
    memory: Any
    lead: tuple


class BaseAttention(Layer):
    """Base of the attention layers.

        z[t, s] = score(query[t], key[s])                        minus 1e9 where masked
        scores[t] = dropout(softmax(z[t]))
        y[t] = Σ_s scores[t, s] value[s]                         0 where the query is masked

    A subclass makes its weights in ``build`` and writes ``score(query, key) -> (z, memory)`` and
    ``score_back(query, key, memory, dz) -> (dquery, dkey, weight gradients)``.
    """

    supports_masking = True
    takes_mask = True
    call_arguments = ("mask", "training", "return_attention_scores", "use_causal_mask")

    def __init__(self, use_scale, dropout, seed, **layer_options):
        super().__init__(**layer_options)
        self.use_scale = checks.flag(use_scale, "use_scale", self.name)
        self.dropout = checks.fraction(dropout, "dropout", self.name)
        self.seed = random.from_config(seed)
        self._generator = random.make(self.seed)

    def check_shapes(self, shapes) -> None:
        """Check that ``[query, value]`` or ``[query, value, key]`` fit together."""
        if is_shape(shapes) or len(shapes) not in (2, 3):
            raise ValueError(
                f"{self.name}: expected a list [query, value] or [query, value, key], got "
                + (f"one input of shape {tuple(shapes)}." if is_shape(shapes) else f"{len(shapes)} inputs.")
            )
        query, value, key = (*shapes, shapes[1])[:3]
        for what, shape in (("query", query), ("value", value), ("key", key)):
            if len(shape) < 3:
                raise ValueError(
                    f"{self.name}: {what} must have 3 axes (B, T, features) or more, got shape {tuple(shape)}. "
                    + NEEDS_ALL_STEPS
                )
        if not len(query) == len(value) == len(key):
            raise ValueError(
                f"{self.name}: query, value and key must have as many axes; got query {tuple(query)}, "
                f"value {tuple(value)}, key {tuple(key)}."
            )
        for what, sizes in (
            ("batch sizes of query, value and key", {query[0], value[0], key[0]}),
            *(("axes before time", set(axis)) for axis in zip(query[1:-2], value[1:-2], key[1:-2])),
            ("features of query and key", {query[-1], key[-1]}),
            ("time steps of value and key", {value[-2], key[-2]}),
        ):
            if len(sizes - {None}) > 1:
                raise ValueError(
                    f"{self.name}: the {what} must be equal; got query {tuple(query)}, value {tuple(value)}, "
                    f"key {tuple(key)}."
                )

    def score(self, query, key) -> tuple[np.ndarray, Any]:
        """``(B, Tq, D)``, ``(B, Tv, D)`` -> ``z (B, Tq, Tv)`` and what ``score_back`` needs."""
        raise NotImplementedError(f"{type(self).__name__} has no score().")

    def score_back(self, query, key, memory, dz) -> tuple[np.ndarray, np.ndarray, dict]:
        """dL/dz -> dL/dquery, dL/dkey, and the gradients of the weights by name."""
        raise NotImplementedError(f"{type(self).__name__} has no score_back().")

    def forward(
        self,
        x,
        *,
        mask=None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
        drop=None,
    ):
        """Run the layer.

        Parameters
        ----------
        x : list of ndarray
            ``query (B, Tq, D)``, ``value (B, Tv, H)``, and optionally ``key (B, Tv, D)``, by default the value.
            Further axes before time are treated like the batch.
        mask : list of ndarray of bool or None, optional
            ``query_mask (B, Tq)``: the output is 0 where False. ``value_mask (B, Tv)``: values get no weight where
            False.
        training : bool
            Whether to apply dropout.
        return_attention_scores : bool
            Return ``[y, scores]``.
        use_causal_mask : bool
            Step t attends only to steps up to t.
        drop : ndarray (B, Tq, Tv), optional
            The dropout mask, instead of a drawn one.

        Returns
        -------
        y : ndarray, (B, Tq, H)
            Or ``[y, scores]``.
        tape : AttentionTape
        """
        arrays = as_arrays(self, x, "a list [query, value] or [query, value, key]")
        query, value, key = (*arrays, arrays[1])[:3]
        query_mask, value_mask = self.check_masks(mask, query, value)
        lead = query.shape[:-2]
        query, value, key = (array.reshape(-1, *array.shape[-2:]) for array in (query, value, key))
        z, memory = self.score(query, key)
        allowed = None if value_mask is None else value_mask[:, None]
        if use_causal_mask:
            causal = xp.tri(*z.shape[1:], dtype=bool)
            allowed = causal if allowed is None else causal & allowed
        if allowed is not None:
            z = xp.where(allowed, z, z - np.dtype(self.dtype).type(FAR_BELOW))
        scores = weights = softmax(z)
        if drop is None and training and self.dropout > 0:
            drop = draw_mask(self._generator, z.shape, self.dropout, self.dtype)
        if drop is not None:
            drop = xp.asarray(drop, self.dtype)
            scores = weights * drop
        y = matmul(scores, value)
        if query_mask is not None:
            y = xp.where(query_mask[..., None], y, 0)
        tape = AttentionTape(query, value, key, scores, weights, drop, query_mask, len(arrays) == 3, memory, lead)
        y = y.reshape(*lead, *y.shape[1:])
        return ([y, scores.reshape(*lead, *scores.shape[1:])] if return_attention_scores else y), tape

    def check_masks(self, mask, query, value) -> tuple[np.ndarray | None, np.ndarray | None]:
        """The masks of query and value, with one axis before time."""
        if mask is None:
            return None, None
        if not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3):
            raise ValueError(f"{self.name}: mask must be a list [query_mask, value_mask], got {type(mask).__name__}.")
        masks = []
        for what, m, array in (("query", mask[0], query), ("value", mask[1], value)):
            m = None if m is None else xp.asarray(m, bool)
            if m is not None and m.shape != array.shape[:-1]:
                raise ValueError(f"{self.name}: the {what} mask has shape {m.shape}, expected {array.shape[:-1]}.")
            masks.append(None if m is None else m.reshape(-1, m.shape[-1]))
        return tuple(masks)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """dL/dy (B, Tq, H), or a list with dL/dscores (B, Tq, Tv) as well, -> dL/dinputs and weight gradients.

        ``inputs`` of the result has three arrays, for query, value and key, if a key was given; otherwise two, and
        the value's gradient covers both its uses.
        """
        dy, dscores = grads if isinstance(grads, (list, tuple)) else (grads, None)
        B, Tq, _ = tape.query.shape
        H = tape.value.shape[2]
        dy = xp.zeros((B, Tq, H), self.dtype) if dy is None else xp.asarray(dy, self.dtype).reshape(B, Tq, H)
        if tape.query_mask is not None:
            dy = xp.where(tape.query_mask[..., None], dy, 0)
        # y = scores @ value
        dvalue = matmul(tape.scores.swapaxes(1, 2), dy)
        dweights = matmul(dy, tape.value.swapaxes(1, 2))
        if dscores is not None:
            dweights = dweights + xp.asarray(dscores, self.dtype).reshape(dweights.shape)
        # scores = drop softmax(z); what a mask takes from z is a constant
        if tape.drop is not None:
            dweights = dweights * tape.drop
        dz = d_softmax(tape.softmax, dweights)
        dquery, dkey, weights = self.score_back(tape.query, tape.key, tape.memory, dz)
        if not input_gradient:
            return LayerGradients(None, weights)
        dquery, dvalue, dkey = (d.reshape(*tape.lead, *d.shape[1:]) for d in (dquery, dvalue, dkey))
        return LayerGradients([dquery, dvalue, dkey] if tape.own_key else [dquery, dvalue + dkey], weights)

    def run(self, x, *, return_attention_scores: bool = False, **arguments):
        outputs, tape, mask = super().run(x, return_attention_scores=return_attention_scores, **arguments)
        return outputs, tape, [mask, None] if return_attention_scores else mask

    def compute_mask(self, inputs, mask=None):
        """The mask of the query."""
        return None if mask is None else mask[0]

    def compute_output_shape(self, input_shape):
        self.check_shapes(input_shape)
        return (*input_shape[0][:-1], input_shape[1][-1])

    def call_output_shape(self, input_shape, arguments: dict):
        """Shape of the output, and of the scores if the call asks for them."""
        shape = self.compute_output_shape(input_shape)
        if not arguments.get("return_attention_scores"):
            return shape
        return [shape, (*input_shape[0][:-1], input_shape[1][-2])]

    def get_config(self) -> dict:
        return super().get_config() | {
            "use_scale": self.use_scale,
            "dropout": self.dropout,
            "seed": random.to_config(self.seed),
        }
