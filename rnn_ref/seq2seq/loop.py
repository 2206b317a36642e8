"""One sequence for each row: choose a token, feed it back, until the end."""

import numbers
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rnn_ref.seq2seq.scores import log_softmax
from rnn_ref.seq2seq.states import States, batch_size

Step = Callable[[np.ndarray, States], tuple[ArrayLike, States]]
"""From tokens (N,) and states to logits (N, V) and states; see the docstring of `rnn_ref.seq2seq`."""


class Decoded(NamedTuple):
    """The result of a decoding loop: one sequence for each row of the batch.

    Attributes
    ----------
    tokens : numpy.ndarray of int, shape (N, T)
        The sequences without the start token; `T` is the longest length. After its end token, a sequence is padded
        with that token.
    lengths : numpy.ndarray of int, shape (N,)
        The number of tokens in each sequence, including its end token.
    log_probs : numpy.ndarray of float64, shape (N,)
        The log-probability of each sequence under the model: the sum over its tokens, including its end token.
    """

    tokens: np.ndarray
    lengths: np.ndarray
    log_probs: np.ndarray


def decode(
    step: Step,
    states: States,
    start_token: ArrayLike,
    end_token: int | None,
    max_length: int,
    choose: Callable[[np.ndarray], np.ndarray],
) -> Decoded:
    """Run the loop that greedy search and sampling share.

    Parameters
    ----------
    step, states, start_token, end_token, max_length
        As in `greedy_search`.
    choose : callable
        From log-probabilities (N, V) to the next tokens (N,).

    Returns
    -------
    Decoded
    """
    check_length(max_length)
    tokens = start_tokens(start_token, batch_size(states, start_token))
    each = np.arange(len(tokens))
    lengths = np.zeros(len(tokens), dtype=np.int64)
    log_probs = np.zeros(len(tokens))
    finished = np.zeros(len(tokens), dtype=bool)
    sequence = []
    while len(sequence) < max_length and not finished.all():
        next_log_probs, states = run_step(step, tokens, states, finished, end_token)
        tokens = choose(next_log_probs)
        log_probs += next_log_probs[each, tokens]
        lengths += ~finished
        finished |= tokens == end_token
        sequence.append(tokens)
    return Decoded(np.stack(sequence, axis=1), lengths, log_probs)


def start_tokens(start_token: ArrayLike, size: int) -> np.ndarray:
    """Return `start_token`, an integer or one for each sequence, as an array of shape (size,)."""
    tokens = np.asarray(start_token)
    if tokens.ndim > 1 or not np.issubdtype(tokens.dtype, np.integer):
        raise ValueError(
            f"start_token should be an integer or integers of shape (N,), got shape {tokens.shape} and type "
            f"{tokens.dtype}"
        )
    return np.array(np.broadcast_to(tokens, (size,)), dtype=np.int64)


def check_length(max_length: int) -> None:
    """Raise a ValueError unless `max_length` is a positive integer."""
    if not isinstance(max_length, numbers.Integral) or max_length < 1:
        raise ValueError(f"max_length should be an integer, at least 1; got {max_length!r}")


def run_step(
    step: Step, tokens: np.ndarray, states: States, finished: np.ndarray, end_token: int | None
) -> tuple[np.ndarray, States]:
    """Call the step function; return log-probabilities (N, V), checked, and the new states.

    After a `finished` sequence the end token is certain, whatever the step function says: the sequence is padded with
    it, and its log-probability no longer changes.
    """
    logits, states = step(tokens, states)
    logits = np.array(logits, dtype=np.float64)
    if logits.ndim != 2 or len(logits) != len(tokens):
        raise ValueError(
            f"step got {len(tokens)} tokens and should return logits of shape ({len(tokens)}, V), got {logits.shape}"
        )
    if end_token is not None:
        if not 0 <= end_token < logits.shape[1]:
            raise ValueError(
                f"end_token {end_token} is not in the vocabulary: step returned logits of {logits.shape[1]} tokens"
            )
        logits[finished] = -np.inf
        logits[finished, end_token] = 0
    return log_softmax(logits), states
