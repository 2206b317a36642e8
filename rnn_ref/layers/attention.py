"""Attention: averages of the values, weighted by how well query and key match (Luong)."""

from __future__ import annotations

from rnn_ref.device import xp
from rnn_ref.layers.attention_base import BaseAttention
from rnn_ref.layers.matmul import matmul


class Attention(BaseAttention):
    """Dot-product attention (Luong).

        z[t, s] = scale Σ_d query[t, d] key[s, d]                        (score_mode="dot")
        z[t, s] = w Σ_d tanh(scale (query[t, d] + key[s, d]))            (score_mode="concat")
        scores[t] = dropout(softmax(z[t]))
        y[t] = Σ_s scores[t, s] value[s]

    Inputs: a list of ``query (B, Tq, D)``, ``value (B, Tv, H)`` and, unless it is the value, ``key (B, Tv, D)``.
    Output ``y (B, Tq, H)``. Weights: ``scale ()`` with ``use_scale``, ``concat_score_weight w ()`` with ``"concat"``;
    both start at 1.

    Calls take the arguments of :meth:`forward`: ``mask``, ``training``, ``return_attention_scores``,
    ``use_causal_mask``. The tape holds the ``scores (B, Tq, Tv)``.

    Parameters
    ----------
    use_scale : bool
        Whether to learn a scale.
    score_mode : {"dot", "concat"}
    dropout : float
        Fraction of the scores dropped in training.
    seed : int or numpy.random.Generator, optional
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Luong, Pham and Manning, "Effective Approaches to Attention-based Neural Machine Translation", 2015,
    https://arxiv.org/abs/1508.04025; https://keras.io/api/layers/attention_layers/attention/

    Examples
    --------
    >>> import rnn_ref
    >>> query, value = [[[9.0, 0.0]]], [[[1.0, 0.0], [0.0, 1.0]]]
    >>> y, scores = rnn_ref.layers.Attention()([query, value], return_attention_scores=True)
    >>> scores.round(3)
    array([[[1., 0.]]], dtype=float32)
    """

    def __init__(self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **layer_options):
        super().__init__(use_scale, dropout, seed, **layer_options)
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"{self.name}: score_mode must be 'dot' or 'concat', got {score_mode!r}.")
        self.score_mode = score_mode

    def build(self, input_shape) -> None:
        self.check_shapes(input_shape)
        self.scale = self._number("scale") if self.use_scale else None
        self.concat_score_weight = self._number("concat_score_weight") if self.score_mode == "concat" else None

    def _number(self, name: str):
        """A weight that is a single number."""
        return self.add_weight((), "ones", name=name)

    def score(self, query, key):
        scale = 1 if self.scale is None else self.scale.value
        if self.score_mode == "dot":
            product = matmul(query, key.swapaxes(1, 2))
            return product * scale, product
        t = xp.tanh(scale * (query[:, :, None] + key[:, None]))  # (B, Tq, Tv, D)
        return self.concat_score_weight.value * t.sum(axis=-1), t

    def score_back(self, query, key, memory, dz):
        scale, weights = 1 if self.scale is None else self.scale.value, {}
        if self.score_mode == "dot":
            if self.scale is not None:
                weights["scale"] = xp.asarray((dz * memory).sum())
            dproduct = dz * scale
            return matmul(dproduct, key), matmul(dproduct.swapaxes(1, 2), query), weights
        t = memory
        weights["concat_score_weight"] = xp.asarray((dz * t.sum(axis=-1)).sum())
        du = (dz * self.concat_score_weight.value)[..., None] * (1 - t * t)  # u = scale (query + key)
        if self.scale is not None:
            weights["scale"] = xp.asarray((du * (query[:, :, None] + key[:, None])).sum())
        du = du * scale
        return du.sum(axis=2), du.sum(axis=1), weights

    def get_config(self) -> dict:
        return super().get_config() | {"score_mode": self.score_mode}
