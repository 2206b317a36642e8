import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnn_ref import random
from rnn_ref.seq2seq import sample, sample_search, token_probabilities

PROBABILITIES = np.array([0.1, 0.4, 0.05, 0.3, 0.15])
LOGITS = np.log(PROBABILITIES)[np.newaxis] + 3  # any constant

logits = hnp.arrays(float, (2, 5), elements=st.floats(-5, 5))


def support(**options):
    return set(np.flatnonzero(token_probabilities(LOGITS, **options)[0]).tolist())


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, {0, 1, 2, 3, 4}),
        ({"top_k": 1}, {1}),
        ({"top_k": 3}, {1, 3, 4}),
        ({"top_k": 9}, {0, 1, 2, 3, 4}),
        ({"top_p": 0.01}, {1}),
        ({"top_p": 0.39}, {1}),
        ({"top_p": 0.41}, {1, 3}),
        ({"top_p": 0.71}, {1, 3, 4}),
        ({"top_p": 1.0}, {0, 1, 2, 3, 4}),
        # Of the three kept, 0.4 / 0.85 = 0.47 and 0.7 / 0.85 = 0.82.
        ({"top_k": 3, "top_p": 0.8}, {1, 3}),
        ({"top_k": 3, "top_p": 0.83}, {1, 3, 4}),
        # Squared and normalized: 0.16 / 0.295 = 0.54.
        ({"temperature": 0.5, "top_p": 0.54}, {1}),
        ({"temperature": 0.0}, {1}),
        ({"temperature": 1e-300}, {1}),
    ],
)
def test_support(options, kept):
    assert support(**options) == kept


@given(logits, st.floats(0.01, 1))
def test_top_p_keeps_the_fewest_likeliest(logits, top_p):
    full, cut = token_probabilities(logits), token_probabilities(logits, top_p=top_p)
    for before, after in zip(full, cut):
        kept = after > 0
        mass = before[kept].sum()
        assert mass >= top_p - 1e-12
        assert mass - before[kept].min() < top_p + 1e-12
        assert before[kept].min() >= before[~kept].max(initial=0) - 1e-15
        np.testing.assert_allclose(after[kept], before[kept] / mass)


@given(logits, st.integers(1, 6))
def test_top_k_keeps_the_likeliest(logits, top_k):
    full, cut = token_probabilities(logits), token_probabilities(logits, top_k=top_k)
    for before, after in zip(full, cut):
        kept = after > 0
        assert kept.sum() == min(top_k, 5)
        assert before[kept].min() >= before[~kept].max(initial=0) - 1e-15
        np.testing.assert_allclose(after[kept], before[kept] / before[kept].sum())


@given(logits, st.floats(0.1, 10))
def test_temperature_divides_the_logits(logits, temperature):
    powers = token_probabilities(logits) ** (1 / temperature)
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(token_probabilities(logits, temperature), expected, rtol=1e-9)


def test_temperature_limits():
    np.testing.assert_allclose(token_probabilities(LOGITS, 1e-3), [[0, 1, 0, 0, 0]], atol=1e-15)
    np.testing.assert_allclose(token_probabilities(LOGITS, 1e9), np.full((1, 5), 0.2), rtol=1e-8)
    assert token_probabilities([[1.0, 2.0, 2.0, -np.inf]], 0).tolist() == [[0, 1, 0, 0]]
    possible = token_probabilities([[1.0, 2.0, -np.inf]], 1e9)
    np.testing.assert_allclose(possible, [[0.5, 0.5, 0]], rtol=1e-8)


@pytest.mark.parametrize("options", [{}, {"temperature": 2.0}, {"top_k": 3}, {"top_p": 0.7, "temperature": 1.5}])
def test_frequencies(options):
    expected = token_probabilities(LOGITS, **options)[0]
    tokens = sample(np.repeat(LOGITS, 20_000, axis=0), **options, seed=0)
    counts = np.bincount(tokens, minlength=5)
    assert (counts[expected == 0] == 0).all()
    possible = expected > 0
    assert scipy.stats.chisquare(counts[possible], 20_000 * expected[possible]).pvalue > 0.01


def test_seeds():
    many = np.repeat(LOGITS, 100, axis=0)
    assert sample(many, seed=1).tolist() == sample(many, seed=1).tolist() != sample(many, seed=2).tolist()
    generator = np.random.default_rng(1)
    assert sample(many, seed=generator).tolist() != sample(many, seed=generator).tolist()
    random.set_seed(3)
    first = sample(many).tolist()
    random.set_seed(3)
    assert sample(many).tolist() == first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -1.0}, "Received: temperature=-1.0"),
        ({"temperature": np.inf}, "a number in .*temperature=inf"),
        ({"temperature": np.nan}, "Received: temperature=nan"),
        ({"top_k": 0}, "top_k .* got 0"),
        ({"top_k": 2.5}, "`top_k` must be an integer or None. Received: top_k=2.5"),
        ({"top_p": 0.0}, "top_p .* got 0.0"),
        ({"top_p": 1.1}, "top_p .* got 1.1"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        sample(LOGITS, **options)


TABLE = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])


def step(tokens, states):
    return np.log(TABLE[tokens]), states


def test_search_draws_from_the_model():
    tokens, lengths, log_probs = sample_search(step, None, np.zeros(20_000, int), end_token=2, max_length=3, seed=0)
    ended = tokens == 2
    np.testing.assert_array_equal(lengths, np.where(ended.any(axis=1), ended.argmax(axis=1) + 1, 3))
    for row, length, log_prob in list(zip(tokens, lengths, log_probs))[:200]:
        path = [0, *row[:length]]
        np.testing.assert_allclose(log_prob, np.log(TABLE[path[:-1], path[1:]]).sum())
        assert (row[length:] == 2).all()
    # 2; then 02, 12; then all that is left
    expected = np.array([0.3, 0.2 * 0.3, 0.5 * 0.1])
    counts = [(lengths == 1).sum(), *((lengths == 2) & (tokens[:, 0] == first) for first in (0, 1))]
    counts = np.array([counts[0], counts[1].sum(), counts[2].sum()])
    pvalue = scipy.stats.chisquare([*counts, 20_000 - counts.sum()], 20_000 * np.array([*expected, 0.59])).pvalue
    assert pvalue > 0.01


def test_search_without_heat_is_greedy():
    options = {"start_token": [0, 1, 2], "max_length": 4}
    tokens, _, log_probs = sample_search(step, None, **options, temperature=0)
    assert tokens.tolist() == [[1, 0, 1, 0], [0, 1, 0, 1], [2, 2, 2, 2]]
    np.testing.assert_allclose(np.exp(log_probs), [0.09, 0.09, 0.7**4])
    assert sample_search(step, None, **options, top_k=1).tokens.tolist() == tokens.tolist()
    assert (
        sample_search(step, None, **options, seed=5).tokens.tolist()
        == sample_search(step, None, **options, seed=np.random.default_rng(5)).tokens.tolist()
    )
