"""AdditiveAttention: averages of the values, weighted by a small network on query plus key (Bahdanau)."""

from __future__ import annotations

from rnn_ref.device import xp
from rnn_ref.layers.attention_base import BaseAttention
from rnn_ref.layers.matmul import matmul


class AdditiveAttention(BaseAttention):
    """Additive attention (Bahdanau).

        z[t, s] = Σ_d scale[d] tanh(query[t, d] + key[s, d])
        scores[t] = dropout(softmax(z[t]))
        y[t] = Σ_s scores[t, s] value[s]

    Inputs: a list of ``query (B, Tq, D)``, ``value (B, Tv, H)`` and, unless it is the value, ``key (B, Tv, D)``.
    Output ``y (B, Tq, H)``. Weight: ``scale (D,)`` with ``use_scale``.

    Calls take the arguments of :meth:`forward`: ``mask``, ``training``, ``return_attention_scores``,
    ``use_causal_mask``. The tape holds the ``scores (B, Tq, Tv)``.

    Parameters
    ----------
    use_scale : bool
        Whether the scale is learned; otherwise it is 1.
    dropout : float
        Fraction of the scores dropped in training.
    seed : int or numpy.random.Generator, optional
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate", 2014,
    https://arxiv.org/abs/1409.0473; https://keras.io/api/layers/attention_layers/additive_attention/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> layer = rnn_ref.layers.AdditiveAttention()
    >>> layer([np.zeros((2, 3, 4)), np.zeros((2, 5, 4))]).shape
    (2, 3, 4)
    """

    def __init__(self, use_scale=True, dropout=0.0, seed=None, **layer_options):
        super().__init__(use_scale, dropout, seed, **layer_options)

    def build(self, input_shape) -> None:
        self.check_shapes(input_shape)
        features = input_shape[0][-1]
        if features is None:
            raise ValueError(f"{self.name}: the last axis must have a known size, got shapes {list(input_shape)}.")
        self.scale = self.add_weight((features,), "glorot_uniform", "scale") if self.use_scale else None

    def score(self, query, key):
        if self.scale is not None:
            self.check_features(query.shape[-1], self.scale.shape[0])
        t = xp.tanh(query[:, :, None] + key[:, None])  # (B, Tq, Tv, D)
        return (t.sum(axis=-1) if self.scale is None else matmul(t, self.scale.value)), t

    def score_back(self, query, key, memory, dz):
        t, weights = memory, {}
        dt = dz[..., None]
        if self.scale is not None:
            weights["scale"] = xp.einsum("bts,btsd->d", dz, t)
            dt = dt * self.scale.value
        du = dt * (1 - t * t)  # u = query + key
        return du.sum(axis=2), du.sum(axis=1), weights
