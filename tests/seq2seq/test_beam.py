import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_ref.seq2seq import BeamSearchDecoder, greedy_search
from rnn_ref.seq2seq.scores import log_softmax

END = 0
seeds = st.integers(0, 2**32 - 1)


class Model:
    """A random model whose next token depends on the row, the last token and the sum of all tokens so far."""

    def __init__(self, seed, rows=2, vocabulary=3):
        self.table = np.random.default_rng(seed).normal(0, 2, (rows, vocabulary, 4, vocabulary))
        self.rows, self.vocabulary = rows, vocabulary
        self.states = {"row": np.arange(rows), "sum": [np.zeros(rows, int)]}

    def step(self, tokens, states):
        row, (total,) = states["row"], states["sum"]
        total = (total + tokens) % 4
        return self.table[row, tokens, total], {"row": row, "sum": [total]}

    def log_prob(self, row, tokens, start_token=1):
        """Add up the log-probabilities of a sequence, token by token."""
        total, last, log_prob = 0, start_token, 0.0
        for token in tokens:
            total = (total + last) % 4
            log_prob += log_softmax(self.table[row, last, total][None])[0, token]
            last = token
        return log_prob

    def all_sequences(self, length, end_token):
        """Every sequence of `length` tokens, cut off after its end token."""
        found = set()
        for tokens in itertools.product(range(self.vocabulary), repeat=length):
            end = tokens.index(end_token) + 1 if end_token in tokens else length
            found.add(tokens[:end])
        return found


@settings(deadline=None)
@given(seeds, st.integers(1, 4), st.sampled_from([END, None]), st.sampled_from([0.0, 0.6, 2.0]))
def test_full_width_is_exhaustive_search(seed, length, end_token, alpha):
    model = Model(seed)
    width = model.vocabulary**length
    decoder = BeamSearchDecoder(model.step, width, 1, end_token, length_penalty=alpha, max_length=length)
    beams = decoder(model.states)
    for row in range(model.rows):
        expected = []
        for tokens in model.all_sequences(length, end_token):
            expected.append((model.log_prob(row, tokens) / ((5 + len(tokens)) / 6) ** alpha, tokens))
        expected.sort(reverse=True)
        count = len(expected)
        np.testing.assert_allclose(beams.scores[row, :count], [score for score, _ in expected])
        assert np.isneginf(beams.scores[row, count:]).all()
        found = [tuple(t[:n].tolist()) for t, n in zip(beams.tokens[row], beams.lengths[row])]
        assert found[:count] == [tokens for _, tokens in expected]
        assert set(found[count:]) <= {found[0]}


@settings(deadline=None)
@given(seeds, st.integers(1, 8), st.sampled_from([END, None]), st.sampled_from([0.0, 1.0]))
def test_width_one_is_greedy(seed, length, end_token, alpha):
    model = Model(seed, rows=3)
    beams = BeamSearchDecoder(model.step, 1, 1, end_token, alpha, length)(model.states)
    greedy = greedy_search(model.step, model.states, 1, end_token, length)
    np.testing.assert_array_equal(beams.tokens[:, 0], greedy.tokens)
    np.testing.assert_array_equal(beams.lengths[:, 0], greedy.lengths)
    np.testing.assert_allclose(beams.log_probs[:, 0], greedy.log_probs)


@settings(deadline=None)
@given(seeds, st.integers(1, 6), st.integers(1, 6), st.sampled_from([END, None]), st.sampled_from([0.0, 0.7]))
def test_scores_are_sums_of_log_probs(seed, width, length, end_token, alpha):
    model = Model(seed)
    beams = BeamSearchDecoder(model.step, width, 1, end_token, alpha, length)(model.states)
    assert (np.diff(beams.scores[np.isfinite(beams.scores).all(axis=1)], axis=1) <= 0).all()  # best first
    for row, beam in zip(*np.nonzero(np.isfinite(beams.scores))):
        tokens, n = beams.tokens[row, beam], beams.lengths[row, beam]
        assert END not in tokens[: n - 1] or end_token is None
        assert (tokens[n:] == END).all()
        np.testing.assert_allclose(beams.log_probs[row, beam], model.log_prob(row, tokens[:n]))
        np.testing.assert_allclose(beams.scores[row, beam], beams.log_probs[row, beam] / ((5 + n) / 6) ** alpha)
    real = [
        {tuple(t) for t, s in zip(beams.tokens[row].tolist(), beams.scores[row]) if s > -np.inf} for row in range(2)
    ]
    assert [len(r) for r in real] == np.isfinite(beams.scores).sum(axis=1).tolist()  # no sequence twice


@settings(deadline=None)
@given(seeds)
def test_a_batch_is_its_rows_one_by_one(seed):
    model = Model(seed, rows=3)
    decoder = BeamSearchDecoder(model.step, 3, 1, END, max_length=5)
    batch = decoder(model.states)
    for row in range(3):
        alone = decoder({"row": np.array([row]), "sum": [np.zeros(1, int)]})
        steps = alone.tokens.shape[2]
        np.testing.assert_array_equal(batch.tokens[row, :, :steps], alone.tokens[0])
        np.testing.assert_allclose(batch.scores[row], alone.scores[0])


def test_a_wider_beam_finds_what_greedy_search_misses():
    table = np.log([[0.001, 0.599, 0.4], [0.3, 0.3, 0.4], [0.9, 0.05, 0.05]])
    step = lambda tokens, states: (table[tokens], states)  # noqa: E731
    greedy = greedy_search(step, None, [0], max_length=2)
    assert greedy.tokens.tolist() == [[1, 2]]
    beams = BeamSearchDecoder(step, 2, [0], max_length=2)(None)
    assert beams.tokens.tolist() == [[[2, 0], [1, 2]]]
    np.testing.assert_allclose(np.exp(beams.scores), [[0.4 * 0.9, 0.599 * 0.4]])
    assert beams.tree.parents.tolist() == [[[0, 0], [1, 0]]]
    assert beams.tree.tokens.tolist() == [[[1, 2], [0, 2]]]


def test_length_penalty_changes_the_winner():
    # End at once with probability 0.3, or take 1, 1, 1, end with 0.7 * 0.7 * 0.7 * 0.7 = 0.24.
    table = np.log([[0.98, 0.01, 0.01], [0.3, 0.7, 1e-9], [0.3, 0.6, 0.1]])

    def step(tokens, states):
        logits = table[tokens].copy()
        logits[states >= 3] = np.log([0.7, 0.3 - 1e-9, 1e-9])
        return logits, states + 1

    winners = {}
    for alpha in (0.0, 1.0):
        beams = BeamSearchDecoder(step, 8, 1, END, length_penalty=alpha, max_length=4)(np.zeros(1, int))
        winners[alpha] = beams.tokens[0, 0, : beams.lengths[0, 0]].tolist()
        score = beams.scores[0, 0]
    assert winners == {0.0: [0], 1.0: [1, 1, 1, 0]}
    np.testing.assert_allclose(score, 4 * np.log(0.7) / (9 / 6), rtol=1e-6)


def test_finished_beams_are_kept():
    # The first beam ends at once; what the others do later is less likely.
    table = np.log([[1.0, 1e-9, 1e-9], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1]])
    beams = BeamSearchDecoder(lambda t, s: (table[t], s), 2, [1], END, max_length=6)(None)
    assert beams.tokens[0, 0].tolist() == [0] * beams.tokens.shape[2]
    assert beams.lengths[0, 0] == 1
    np.testing.assert_allclose(np.exp(beams.log_probs[0, 0]), 0.6, rtol=1e-6)
    np.testing.assert_allclose(np.exp(beams.tree.scores[0, :, 0]), 0.6, rtol=1e-6)
    assert beams.tokens.shape[2] < 6  # stops when all have ended


def test_the_step_function_never_sees_an_impossible_sequence():
    follows = {1: [2], 2: [3], 3: [END]}  # one sequence only

    def step(tokens, states):
        logits = np.full((len(tokens), 4), -np.inf)
        for row, token in zip(logits, tokens):
            if token != END:
                row[follows[token]] = 0
        return logits, states

    beams = BeamSearchDecoder(step, 3, [1], END)(None)
    assert beams.scores.tolist() == [[0, -np.inf, -np.inf]]
    assert beams.tokens.tolist() == [[[2, 3, END]] * 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beam_width": 0}, "beam_width should be an integer, at least 1; got 0"),
        ({"length_penalty": -0.1}, "length_penalty should be 0 or more and finite, got -0.1"),
        ({"max_length": 0}, "max_length"),
        ({"end_token": 3}, "end_token 3 is not in the vocabulary"),
        ({"start_token": [0, 0, 0]}, "agree in their first axis"),
        ({"step": lambda tokens, states: (np.zeros((2, 3)), states)}, r"shape \(4, V\), got \(2, 3\)"),
    ],
)
def test_errors(arguments, message):
    model = Model(0)
    with pytest.raises(ValueError, match=message):
        BeamSearchDecoder(**{"step": model.step, "beam_width": 2, "start_token": 1} | arguments)(model.states)
