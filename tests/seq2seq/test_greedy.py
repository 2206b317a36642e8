import numpy as np
import pytest

from rnn_ref.seq2seq import greedy_search

# From each token the likeliest next one: 0 -> 2 -> 1 -> 3, and 3 ends.
TABLE = np.array([[0.1, 0.2, 0.6, 0.1], [0.1, 0.1, 0.1, 0.7], [0.3, 0.5, 0.1, 0.1], [0.9, 0.05, 0.03, 0.02]])


def step(tokens, states):
    return np.log(TABLE[tokens]), states


def test_by_hand():
    tokens, lengths, log_probs = greedy_search(step, None, start_token=[0, 1, 3], end_token=3)
    assert tokens.tolist() == [[2, 1, 3, 3], [3, 3, 3, 3], [0, 2, 1, 3]]
    assert lengths.tolist() == [3, 1, 4]
    np.testing.assert_allclose(np.exp(log_probs), [0.6 * 0.5 * 0.7, 0.7, 0.9 * 0.6 * 0.5 * 0.7])


def test_without_an_end():
    tokens, lengths, log_probs = greedy_search(step, None, start_token=[0, 1], max_length=5)
    assert tokens.tolist() == [[2, 1, 3, 0, 2], [3, 0, 2, 1, 3]]
    assert lengths.tolist() == [5, 5]
    np.testing.assert_allclose(np.exp(log_probs), [0.6 * 0.5 * 0.7 * 0.9 * 0.6, 0.7 * 0.9 * 0.6 * 0.5 * 0.7])


def test_states_are_handed_on():
    def counting(tokens, states):
        (count,) = states
        return np.eye(6)[count + 1], [count + 1]

    tokens = greedy_search(counting, [np.array([0, 2])], start_token=0, max_length=3).tokens
    assert tokens.tolist() == [[1, 2, 3], [3, 4, 5]]


def test_ties_go_to_the_smallest_token():
    assert greedy_search(lambda t, s: (np.zeros((1, 3)), s), None, [2], max_length=2).tokens.tolist() == [[0, 0]]


def test_a_step_function_may_say_anything_after_the_end():
    def failing(tokens, states):
        return np.where(tokens[:, None] == 3, np.nan, np.log(TABLE[tokens])), states

    assert greedy_search(failing, None, [0, 1], end_token=3).lengths.tolist() == [3, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_length": 0}, "max_length should be an integer, at least 1; got 0"),
        ({"end_token": 4}, "end_token 4 is not in the vocabulary: step returned logits of 4 tokens"),
        ({"start_token": [0.5]}, "type float64"),
        ({"start_token": [[0]]}, r"got shape \(1, 1\)"),
        ({"step": lambda t, s: (np.zeros((2, 4)), s)}, r"should return logits of shape \(1, V\), got \(2, 4\)"),
        ({"step": lambda t, s: (np.zeros((1, 1, 4)), s)}, r"got \(1, 1, 4\)"),
        ({"step": lambda t, s: (np.full((1, 4), np.nan), s)}, "NaN"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        greedy_search(**{"step": step, "states": None, "start_token": [0]} | arguments)
