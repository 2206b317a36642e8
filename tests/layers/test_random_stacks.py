"""Layers in random rows, inside one another and side by side: gradients against central differences."""

import autograd.numpy as anp
import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, Sequential, layers

T, F = 4, 3
PENALTY = {"activity_regularizer": "l2"}


class Doubled(layers.Layer):
    """A layer called inside another's call, with a loss of its own."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, x):
        y = self.inner(x)
        self.add_loss(0.1 * anp.mean(y**2))
        return anp.tanh(2 * y)


# From (B, T, F) to (B, some steps, some features).
MAKE = [
    lambda: layers.Dense(3, "tanh", **PENALTY),
    lambda: layers.Conv1D(3, 2, padding="causal", activation="sigmoid"),
    lambda: layers.LSTM(3, return_sequences=True),
    lambda: layers.GRU(2, return_sequences=True, go_backwards=True, **PENALTY),
    lambda: layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True, **PENALTY), merge_mode="mul"),
    lambda: layers.LayerNormalization(),
    lambda: layers.UnitNormalization(),
    lambda: layers.GroupNormalization(1),
    lambda: layers.BatchNormalization(),
    lambda: layers.AveragePooling1D(2, strides=1),
    lambda: layers.MaxPooling1D(2, strides=1),
    lambda: layers.PReLU(alpha_initializer="ones"),
    lambda: layers.LeakyReLU(),
    lambda: layers.Activation("gelu"),
    lambda: layers.Lambda(lambda x: x * anp.sin(x)),
    lambda: layers.TimeDistributed(layers.Dense(3, **PENALTY)),
    lambda: layers.TimeDistributed(Sequential([layers.Dense(2, "tanh"), layers.BatchNormalization()])),
    lambda: Doubled(layers.Dense(3, **PENALTY)),
    lambda: Doubled(layers.SimpleRNN(2, return_sequences=True)),
    lambda: Doubled(Sequential([layers.Dense(2, "tanh", **PENALTY), Doubled(layers.LayerNormalization())])),
]


def row(rng, count):
    return [MAKE[k]() for k in rng.choice(len(MAKE), count, replace=False)]


def model_of(seed):
    """A row; two rows side by side; or a row in a model whose layers come twice."""
    rng = np.random.default_rng(seed)
    x = Input((T, F))
    y = x
    for layer in row(rng, 2):
        y = layer(y)
    if seed % 3 == 1:
        width = layers.Dense(2)
        y = layers.Add()([width(layers.GlobalAveragePooling1D()(y)), width(layers.GlobalAveragePooling1D()(y * y))])
    elif seed % 3 == 2:
        inner = Sequential([Input(y.shape[1:]), layers.Dense(y.shape[-1], "tanh"), *row(rng, 1), layers.Dense(2)])
        y = layers.Concatenate(axis=1)([inner(y), inner(2 * y)])
    return Model(x, y)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("seed", range(9))
def test_gradients_of_random_stacks(seed, training):
    model = model_of(seed)
    x = np.random.default_rng(100 + seed).normal(size=(3, T, F))
    errors = rnn_ref.check_gradients(model, x, samples=4, training=training)
    assert set(errors) >= {"inputs", *model.trainable_named_weights()}
    assert max(errors.values()) < 2e-6, (errors, [layer.name for layer in model.layers])
