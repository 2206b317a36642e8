"""Beam search: follow the best few sequences at once."""

import math
import numbers
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rnn_ref.guard import guard_methods
from rnn_ref.seq2seq.loop import Step, check_length, run_step, start_tokens
from rnn_ref.seq2seq.scores import top_indices
from rnn_ref.seq2seq.states import States, batch_size, gather


class BeamTree(NamedTuple):
    """The course of the search: the beams after each of the T steps, the best first.

    Attributes
    ----------
    tokens : numpy.ndarray of int, shape (N, T, K)
        The last token of each beam.
    parents : numpy.ndarray of int, shape (N, T, K)
        Which beam of the previous step it continues.
    scores : numpy.ndarray of float64, shape (N, T, K)
        Its score so far.
    """

    tokens: np.ndarray
    parents: np.ndarray
    scores: np.ndarray


class Beams(NamedTuple):
    """The result of beam search: K sequences for each of N rows, the best first.

    Attributes
    ----------
    tokens : numpy.ndarray of int, shape (N, K, T)
        The sequences without the start token; `T` is the number of steps. After its end token, a sequence is padded
        with that token.
    lengths : numpy.ndarray of int, shape (N, K)
        The number of tokens in each sequence, including its end token.
    log_probs : numpy.ndarray of float64, shape (N, K)
        The log-probability of each sequence: the sum over its tokens, including its end token.
    scores : numpy.ndarray of float64, shape (N, K)
        `log_probs` divided by the length penalty. If there are fewer possible sequences than beams, the last
        beams have a score of -inf and repeat the best one.
    tree : BeamTree
        The course of the search.
    """

    tokens: np.ndarray
    lengths: np.ndarray
    log_probs: np.ndarray
    scores: np.ndarray
    tree: BeamTree


@guard_methods
class BeamSearchDecoder:
    """Follow the `beam_width` best sequences at once and return them all.

    At each step every sequence is extended by every token, and the best of all these extensions are kept. A sequence
    that has ended is its own only extension: it keeps its score, and its place unless `beam_width` others are better.

    The score of a sequence of `length` tokens is its log-probability over ::

        ((5 + length) / 6) ** length_penalty

    from Wu et al. 2016, "Google's Neural Machine Translation System", section 7. Log-probabilities are negative
    and decrease with each token, so that without a penalty short sequences win; 0.6 to 0.7 worked best there.

    A width of 1 is greedy search; with a width of the number of all sequences it finds the best of all.

    Parameters
    ----------
    step : callable
        `step(tokens, states) -> (logits, states)`, with tokens (N * K,) and logits (N * K, V).
    beam_width : int
        The number of sequences to follow, `K`.
    start_token : int or array_like of int, shape (N,)
        The input of the first step.
    end_token : int, optional
        Ends a sequence. The search ends when all beams have.
    length_penalty : float
        The exponent, 0 or more. 0 ranks by log-probability.
    max_length : int
        The largest number of tokens in a sequence.

    Raises
    ------
    ValueError
        If a number is out of its range; when called, for the reasons of `greedy_search`.

    Examples
    --------
    Token 1 looks better at first, but all that follows it is unlikely:

    >>> table = np.log([[0.0001, 0.5999, 0.4], [0.3, 0.3, 0.4], [0.9, 0.05, 0.05]])
    >>> def step(tokens, states):
    ...     return table[tokens], states
    >>> beams = BeamSearchDecoder(step, beam_width=2, start_token=[0], max_length=2)(states=None)
    >>> beams.tokens
    array([[[2, 0],
            [1, 2]]])
    >>> np.exp(beams.log_probs).round(2)
    array([[0.36, 0.24]])
    """

    def __init__(
        self,
        step: Step,
        beam_width: int,
        start_token: ArrayLike,
        end_token: int | None = None,
        length_penalty: float = 0.0,
        max_length: int = 100,
    ):
        if not isinstance(beam_width, numbers.Integral) or beam_width < 1:
            raise ValueError(f"beam_width should be an integer, at least 1; got {beam_width!r}")
        if not 0 <= length_penalty < math.inf:
            raise ValueError(f"length_penalty should be 0 or more and finite, got {length_penalty}")
        check_length(max_length)
        self.step = step
        self.beam_width = beam_width
        self.start_token = start_token
        self.end_token = end_token
        self.length_penalty = length_penalty
        self.max_length = max_length

    def __call__(self, states: States) -> Beams:
        """Search from the given states.

        Parameters
        ----------
        states : nested list, tuple or dict of arrays of shape (N, ...), or None
            The states before the first step, one row for each row of the batch. Each row becomes `beam_width`
            rows next to each other.

        Returns
        -------
        Beams
        """
        N, K = batch_size(states, self.start_token), self.beam_width
        first_beam = np.arange(N)[:, np.newaxis] * K  # the first rows of the N groups of K rows
        states = gather(states, np.repeat(np.arange(N), K))
        tokens = np.repeat(start_tokens(self.start_token, N), K).reshape(N, K)
        # All beams of a row are still the same, so only one may be extended.
        log_probs = np.full((N, K), -np.inf)
        log_probs[:, 0] = 0
        lengths = np.zeros((N, K), dtype=np.int64)
        finished = np.zeros((N, K), dtype=bool)
        steps = []
        while len(steps) < self.max_length and not finished[np.isfinite(log_probs)].all():
            next_log_probs, states = run_step(
                self.step, tokens.reshape(N * K), states, finished.reshape(N * K), self.end_token
            )
            vocabulary = next_log_probs.shape[1]
            lengths = lengths + ~finished

            continued = log_probs[:, :, np.newaxis] + next_log_probs.reshape(N, K, vocabulary)
            scores = (continued / self.penalty(lengths)[:, :, np.newaxis]).reshape(N, K * vocabulary)
            best = top_indices(scores, K)
            best_scores = np.take_along_axis(scores, best, axis=1)
            # With fewer possible sequences than beams, the spare beams follow the best one, their score still
            # -inf, so that the step function never sees an impossible sequence.
            impossible = np.isneginf(best_scores)
            best = np.where(impossible, best[:, :1], best)
            parents, tokens = np.divmod(best, vocabulary)

            log_probs = np.take_along_axis(continued.reshape(N, K * vocabulary), best, axis=1)
            log_probs[impossible] = -np.inf
            lengths = np.take_along_axis(lengths, parents, axis=1)
            finished = np.take_along_axis(finished, parents, axis=1) | (tokens == self.end_token)
            states = gather(states, (first_beam + parents).reshape(N * K))
            steps.append((tokens, parents, best_scores))

        tree = BeamTree(*(np.stack(arrays, axis=1) for arrays in zip(*steps)))
        return Beams(sequences(tree), lengths, log_probs, tree.scores[:, -1], tree)

    def penalty(self, length: ArrayLike) -> np.ndarray:
        """Return the divisor of the log-probability of a sequence of this many tokens."""
        return ((5 + np.asarray(length)) / 6) ** self.length_penalty


def sequences(tree: BeamTree) -> np.ndarray:
    """Read the final beams' tokens off the tree, from the leaves back to the root.

    Parameters
    ----------
    tree : BeamTree
        Arrays of shape (N, T, K).

    Returns
    -------
    numpy.ndarray of int, shape (N, K, T)

    Examples
    --------
    The second beam overtook the first one:

    >>> tokens, parents = np.array([[[3, 4], [5, 6]]]), np.array([[[0, 0], [1, 0]]])
    >>> sequences(BeamTree(tokens, parents, np.zeros((1, 2, 2))))
    array([[[4, 5],
            [3, 6]]])
    """
    N, T, K = tree.tokens.shape
    tokens = np.empty((N, K, T), dtype=np.int64)
    beams = np.tile(np.arange(K), (N, 1))
    for t in reversed(range(T)):
        tokens[:, :, t] = np.take_along_axis(tree.tokens[:, t], beams, axis=1)
        beams = np.take_along_axis(tree.parents[:, t], beams, axis=1)
    return tokens
