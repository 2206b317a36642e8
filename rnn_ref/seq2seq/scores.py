"""From logits to log-probabilities, and the best of many scores."""

import numpy as np
from numpy.typing import ArrayLike


def log_softmax(logits: ArrayLike) -> np.ndarray:
    """Normalize logits to log-probabilities, in float64.

    Parameters
    ----------
    logits : array_like, shape (N, V)
        A token with a logit of -inf is impossible.

    Returns
    -------
    numpy.ndarray of float64, shape (N, V)

    Raises
    ------
    ValueError
        If the shape is different, or a row has NaN, +inf, or no possible token.

    Examples
    --------
    >>> np.exp(log_softmax([[0.0, np.log(3.0)]]))
    array([[0.25, 0.75]])
    """
    logits = np.asarray(logits, dtype=np.float64)
    if logits.ndim != 2 or not logits.shape[1]:
        raise ValueError(f"logits should have shape (N, V) with V at least 1, got {logits.shape}")
    largest = logits.max(axis=1, keepdims=True)
    if not np.isfinite(largest).all():
        row = int(np.flatnonzero(~np.isfinite(largest))[0])
        raise ValueError(
            f"each row of the logits should be free of NaN and +inf and have a finite entry; the largest entry of "
            f"row {row} is {largest[row, 0]}"
        )
    shifted = logits - largest  # so that the largest exponential is 1
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def top_indices(scores: np.ndarray, k: int) -> np.ndarray:
    """Find the `k` best of each row, the best first; of equal scores, the leftmost comes first.

    Parameters
    ----------
    scores : numpy.ndarray, shape (N, M)
        Free of NaN.
    k : int
        At least 1, at most M.

    Returns
    -------
    numpy.ndarray of int, shape (N, k)

    Examples
    --------
    >>> top_indices(np.array([[1.0, 3.0, 2.0, 3.0]]), k=3)
    array([[1, 3, 2]])
    """
    # Sorting the few that reach the k-th best is far less work than sorting a vocabulary.
    worst_kept = np.partition(scores, -k, axis=1)[:, -k]
    best = np.empty((len(scores), k), dtype=np.intp)
    for n, row in enumerate(scores):
        candidates = np.flatnonzero(row >= worst_kept[n])
        best[n] = candidates[np.argsort(-row[candidates], kind="stable")[:k]]
    return best
