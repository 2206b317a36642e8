"""Greedy search: always the most probable next token."""

from numpy.typing import ArrayLike

from rnn_ref.guard import guarded
from rnn_ref.seq2seq.loop import Decoded, Step, decode
from rnn_ref.seq2seq.states import States


@guarded
def greedy_search(
    step: Step,
    states: States,
    start_token: ArrayLike,
    end_token: int | None = None,
    max_length: int = 100,
) -> Decoded:
    """Take the most probable token at each step and feed it back.

    Each choice is the best one by itself, but the sequence need not be the most probable one. Beam search looks
    further ahead.

    Parameters
    ----------
    step : callable
        `step(tokens, states) -> (logits, states)`, with tokens (N,) and logits (N, V).
    states : nested list, tuple or dict of arrays of shape (N, ...), or None
        The states before the first step, for example an encoder's last states.
    start_token : int or array_like of int, shape (N,)
        The input of the first step.
    end_token : int, optional
        Ends a sequence. The loop ends when all sequences have.
    max_length : int
        The largest number of tokens in a sequence.

    Returns
    -------
    Decoded
        `tokens` (N, T), `lengths` (N,) and `log_probs` (N,). Of equally probable tokens the smallest is taken.

    Raises
    ------
    ValueError
        If the first axes of the states disagree, `end_token` is not in the vocabulary, `max_length` is not
        positive, or the logits have another shape or rows that are not a distribution.

    Examples
    --------
    >>> import numpy as np
    >>> def count_up(tokens, states):
    ...     return np.eye(10)[tokens + 1], states
    >>> greedy_search(count_up, states=None, start_token=[2, 4], end_token=6).tokens
    array([[3, 4, 5, 6],
           [5, 6, 6, 6]])
    """
    return decode(step, states, start_token, end_token, max_length, lambda log_probs: log_probs.argmax(axis=1))
