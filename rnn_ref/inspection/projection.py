"""Principal components: the two directions in which hidden states vary most."""

from __future__ import annotations

import numpy as np

from rnn_ref import linalg
from rnn_ref.layers.matmul import matmul


def principal_components(states: np.ndarray, count: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Project states on the directions of their largest variance.

    Parameters
    ----------
    states : ndarray, (N, H)
    count : int

    Returns
    -------
    coordinates : ndarray, (N, count)
        The mean is the origin; missing directions (H or N too small) are zero.
    directions : ndarray, (count, H)
        Of length 1, with the sign chosen so that the largest entry is positive.
    shares : ndarray, (count,)
        Fractions of the variance.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.outer([-1.0, 0.0, 1.0], [3.0, 4.0])
    >>> coordinates, directions, shares = principal_components(line)
    >>> coordinates[:, 0].round(6), directions[0], shares.round(6)
    (array([-5.,  0.,  5.]), array([0.6, 0.8]), array([1., 0.]))
    """
    states = np.asarray(states, "float64")
    centred = states - states.mean(axis=0)
    _, sizes, rows = linalg.svd(centred, full_matrices=False)
    directions, variances = np.zeros((count, states.shape[1])), np.zeros(count)
    found = min(count, len(sizes))
    largest = rows[np.arange(found), np.abs(rows[:found]).argmax(axis=1)]
    directions[:found] = rows[:found] * np.where(largest < 0, -1, 1)[:, None]
    variances[:found] = sizes[:found] ** 2
    total = (sizes**2).sum()
    return matmul(centred, directions.T), directions, variances / total if total > 0 else variances
