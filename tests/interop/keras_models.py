"""Models that Keras and rnn_ref can both be, with data for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..differential.configurations import Configuration, draw
from ..differential.running import build, data


def mixed(k):
    """Two inputs, and most kinds of layers that have weights."""
    L = k.layers
    series, ids = k.Input((4, 3), name="series"), k.Input((4,), name="ids")
    x = L.Embedding(5, 4)(ids)
    x = L.LSTM(2, return_sequences=True)(x)
    x = L.Bidirectional(L.GRU(3, return_sequences=True))(x)
    x = L.RNN([L.LSTMCell(4), L.GRUCell(2, reset_after=False)], return_sequences=True)(x)
    x = L.TimeDistributed(L.Dense(3))(x)
    x = L.MultiHeadAttention(2, 3, use_gate=True)(x, series)
    x = L.PReLU()(L.BatchNormalization()(x))
    inner = k.Sequential([k.Input((4, 3)), L.Dense(3), L.Conv1D(3, 2, padding="same")])
    x = L.Add()([inner(x), x])
    return k.Model([series, ids], L.Dense(1)(x))


def mixed_data(seed=0):
    drawn = np.random.default_rng(seed)
    x = [drawn.normal(size=(2, 4, 3)).astype("float32"), drawn.integers(0, 5, (2, 4))]
    return x, drawn.normal(size=(2, 4, 1)).astype("float32")


def filled(model, seed=0):
    """The same model with weights at random, those of variances positive."""
    drawn = np.random.default_rng(seed)
    values = [drawn.normal(size=w.shape) for w in model.get_weights()]
    model.set_weights([abs(v) if v.ndim == 1 else v for v in values])
    return model


def random_models(first: int, count: int) -> list[Configuration]:
    """Configurations in float32, which JAX has without being asked.

    Without masks beside given states, which Keras forgets (departures.md).
    """
    found, seed = [], first
    while len(found) < count:
        c = replace(draw(np.random.default_rng(seed), seed), dtype="float32")
        found += [] if c.mask and c.initial_state else [c]
        seed += 1
    return found


__all__ = ["build", "data", "filled", "mixed", "mixed_data", "random_models"]
