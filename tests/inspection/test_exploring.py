"""Gradient flow of untrained layers, against backpropagation written out in NumPy, and what is known of it."""

import numpy as np
import pytest

from rnn_ref import initializers
from rnn_ref.inspection.exploring import BATCH, FEATURES, untrained_flow


def test_simple_rnn_by_hand():
    T, H, scale = 12, 6, 0.8
    W = initializers.GlorotUniform(seed=3)((FEATURES, H), "float64")
    U = initializers.Orthogonal(gain=scale, seed=3)((H, H), "float64")
    rng = np.random.default_rng(3)
    target, x = rng.normal(size=(BATCH, H)), rng.normal(size=(T, BATCH, FEATURES))
    states = [np.zeros((BATCH, H))]
    for x_t in x:
        states.append(np.tanh(x_t @ W + states[-1] @ U))
    dh = [2 * (states[-1] - target) / target.size]
    for h in states[:1:-1]:
        dh.insert(0, (dh[0] * (1 - h**2)) @ U.T)
    norm = np.linalg.norm(dh, axis=-1).mean(axis=1)
    found = untrained_flow("SimpleRNN", length=T, scale=scale, units=H, seed=3)
    np.testing.assert_allclose(found.norm, norm, rtol=1e-4)  # computed in float32


@pytest.mark.parametrize("scale", [0.5, 0.9, 1.0])
def test_the_gradient_of_a_simple_rnn_stays_below_its_bound(scale):
    """Pascanu et al. 2013: per step at most ||U|| times the largest slope of tanh, 1."""
    norm = untrained_flow("SimpleRNN", length=60, scale=scale).norm
    assert (norm <= norm[-1] * scale ** np.arange(59, -1, -1) * (1 + 1e-5)).all()


def test_an_open_forget_gate_keeps_the_gradient():
    kept = [untrained_flow("LSTM", forget_bias=bias).norm for bias in (-1.0, 1.0, 3.0, 5.0)]
    shares = [norm[0] / norm[-1] for norm in kept]
    assert shares == sorted(shares)
    assert shares[0] < 1e-6
    assert shares[-1] > 1e-3


def test_only_the_lstm_has_a_forget_bias():
    a, b = (untrained_flow("GRU", length=20, forget_bias=bias).norm for bias in (0.0, 5.0))
    np.testing.assert_array_equal(a, b)


def test_unknown_cells_and_too_few_steps():
    with pytest.raises(ValueError, match="cell='lstm', but there are SimpleRNN, LSTM, GRU"):
        untrained_flow("lstm")
    with pytest.raises(ValueError, match="length=1"):
        untrained_flow(length=1)
