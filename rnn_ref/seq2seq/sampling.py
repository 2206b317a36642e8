"""Sampling: draw the next token from the model's distribution, or from the likelier part of it."""

import numbers

import numpy as np
from numpy.typing import ArrayLike

from rnn_ref import random
from rnn_ref.guard import guarded
from rnn_ref.random import Seed
from rnn_ref.seq2seq.loop import Decoded, Step, decode
from rnn_ref.seq2seq.scores import log_softmax, top_indices
from rnn_ref.seq2seq.states import States


@guarded
def token_probabilities(
    logits: ArrayLike, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> np.ndarray:
    """Return the distribution that `sample` draws from.

    The model's distribution is changed in three steps: `temperature` sharpens or flattens it, `top_k` keeps its
    likeliest tokens, and `top_p` keeps the fewest of these that hold most of the probability. After each cut the rest
    is normalized again.

    Parameters
    ----------
    logits : array_like, shape (N, V)
        Unnormalized log-probabilities.
    temperature : float
        Divides the logits. Below 1, likely tokens become likelier; 0 leaves only the likeliest (the smallest of
        equally likely ones), and a large value makes all possible tokens nearly equally likely.
    top_k : int, optional
        Keep this many tokens (Fan et al. 2018, "Hierarchical Neural Story Generation"). At the limit the smaller of
        two equally likely ones is kept.
    top_p : float, optional
        Keep the fewest tokens whose probabilities add up to this or more (nucleus sampling, Holtzman et al. 2020,
        "The Curious Case of Neural Text Degeneration").

    Returns
    -------
    numpy.ndarray of float64, shape (N, V)
        Rows that sum to 1.

    Raises
    ------
    ValueError
        If an option is out of its range, or the logits have another shape or rows that are no distribution.

    Examples
    --------
    >>> logits = np.log([[0.5, 0.25, 0.15, 0.1]])
    >>> token_probabilities(logits, top_k=2).round(3)
    array([[0.667, 0.333, 0.   , 0.   ]])
    >>> token_probabilities(logits, top_p=0.8).round(3)
    array([[0.556, 0.278, 0.167, 0.   ]])
    """
    if not 0 <= temperature < np.inf:
        raise ValueError(f"temperature should be 0 or more and finite, got {temperature}")
    if top_k is not None and (not isinstance(top_k, numbers.Integral) or top_k < 1):
        raise ValueError(f"top_k should be an integer, at least 1, or None; got {top_k!r}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p should be above 0 and at most 1, or None; got {top_p}")

    log_probs = log_softmax(logits)
    vocabulary = log_probs.shape[1]
    if temperature == 0:
        log_probs = _keep(log_probs, log_probs.argmax(axis=1)[:, np.newaxis])
    else:
        # The largest entry is 0 here, so that overflow does not matter.
        with np.errstate(over="ignore"):
            log_probs = log_softmax((log_probs - log_probs.max(axis=1, keepdims=True)) / temperature)
    if top_k is not None and top_k < vocabulary:
        log_probs = _keep(log_probs, top_indices(log_probs, top_k))
    if top_p is not None and top_p < 1:  # at 1, rounding could still cut off a long tail
        log_probs = _keep_mass(log_probs, top_p)
    return np.exp(log_probs)


@guarded
def sample(
    logits: ArrayLike,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: Seed = None,
) -> np.ndarray:
    """Draw one token for each row of the logits.

    Parameters
    ----------
    logits : array_like, shape (N, V)
        Unnormalized log-probabilities.
    temperature, top_k, top_p
        Reshape the distribution, as in `token_probabilities`.
    seed : int, numpy.random.Generator or None
        `None` draws from the package-wide generator. In a loop give a generator: an integer draws the same
        tokens each time.

    Returns
    -------
    numpy.ndarray of int, shape (N,)

    Raises
    ------
    ValueError
        As `token_probabilities`.

    Examples
    --------
    >>> sample([[0.0, 0.0, -np.inf]] * 8, seed=0)
    array([1, 0, 0, 0, 1, 1, 1, 1])
    """
    probabilities = token_probabilities(logits, temperature, top_k, top_p)
    # A uniform number falls into one of V intervals, whose widths are the tokens' probabilities.
    edges = probabilities.cumsum(axis=1)
    draws = random.make(seed).random((len(edges), 1)) * edges[:, -1:]
    return (edges <= draws).sum(axis=1)


@guarded
def sample_search(
    step: Step,
    states: States,
    start_token: ArrayLike,
    end_token: int | None = None,
    max_length: int = 100,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: Seed = None,
) -> Decoded:
    """Draw a token at each step and feed it back.

    Parameters
    ----------
    step, states, start_token, end_token, max_length
        As in `greedy_search`.
    temperature, top_k, top_p
        Reshape each step's distribution, as in `token_probabilities`.
    seed : int, numpy.random.Generator or None
        `None` draws from the package-wide generator.

    Returns
    -------
    Decoded
        `tokens` (N, T), `lengths` (N,) and `log_probs` (N,), the latter of the model itself (temperature 1,
        nothing cut off), to be compared with those of the other searches.

    Raises
    ------
    ValueError
        As `greedy_search` and `token_probabilities`.

    Examples
    --------
    >>> def coin(tokens, states):
    ...     return np.zeros((len(tokens), 2)), states
    >>> sample_search(coin, states=None, start_token=[0, 0], max_length=6, seed=0).tokens
    array([[1, 0, 1, 1, 1, 1],
           [0, 0, 1, 1, 1, 0]])
    """
    generator = random.make(seed)
    return decode(
        step,
        states,
        start_token,
        end_token,
        max_length,
        lambda log_probs: sample(log_probs, temperature, top_k, top_p, generator),
    )


def _keep(log_probs: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Make all tokens except those in `kept` (N, k) impossible, and normalize."""
    cut = np.full_like(log_probs, -np.inf)
    np.put_along_axis(cut, kept, np.take_along_axis(log_probs, kept, axis=1), axis=1)
    return log_softmax(cut)


def _keep_mass(log_probs: np.ndarray, mass: float) -> np.ndarray:
    """Make all tokens except the fewest with a total probability of `mass` impossible, and normalize."""
    order = np.argsort(-log_probs, axis=1, kind="stable")
    ranked = np.take_along_axis(log_probs, order, axis=1)
    # A token is not needed once those ahead of it reach the mass.
    reached = np.exp(ranked).cumsum(axis=1) >= mass
    ranked[:, 1:][reached[:, :-1]] = -np.inf
    cut = np.empty_like(log_probs)
    np.put_along_axis(cut, order, ranked, axis=1)
    return log_softmax(cut)
