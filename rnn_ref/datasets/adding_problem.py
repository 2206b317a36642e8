"""The adding problem: remember two marked numbers, and add them at the end."""

import numpy as np

from rnn_ref import random
from rnn_ref.guard import guarded
from rnn_ref.random import Seed


@guarded
def adding_problem(samples: int, length: int = 100, seed: Seed = None) -> tuple[np.ndarray, np.ndarray]:
    """Draw sequences of numbers, two of them marked, whose sum is the target after the last step.

    From Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997), section 5.4, with all sequences of one
    length. The first feature is uniform in [-1, 1]. The second is 1 at the two marked steps, -1 at the first
    and the last step, and 0 elsewhere. One mark is among the first ten steps and the other among the first
    `length / 2 - 1`, so that at least half of the sequence separates them from the answer. A mark that falls
    on the first step stays -1 and its number becomes 0. The target, `0.5 + (X1 + X2) / 4`, lies between 0 and
    1.

    Guessing 0.5 every time has a mean squared error of about 1/24 = 0.042.

    Parameters
    ----------
    samples : int
        Number of sequences, `N`.
    length : int
        Number of steps, `T`, at least 8.
    seed : int, numpy.random.Generator or None
        `None` draws from the package-wide generator.

    Returns
    -------
    x : numpy.ndarray of float32, shape (N, T, 2)
    y : numpy.ndarray of float32, shape (N, 1)

    Raises
    ------
    ValueError
        If `samples` is less than 1 or `length` less than 8.

    Examples
    --------
    >>> x, y = adding_problem(samples=4, length=50, seed=0)
    >>> x.shape, y.shape
    ((4, 50, 2), (4, 1))
    """
    if samples < 1 or length < 8:
        raise ValueError(f"samples should be at least 1 and length at least 8, got {samples} and {length}")
    rng = random.make(seed)
    values = rng.uniform(-1, 1, (samples, length))
    early = length // 2 - 1
    first = rng.integers(min(10, early), size=samples)
    # A step of the first half other than `first`: draw from one fewer and step over it.
    second = rng.integers(early - 1, size=samples)
    second += second >= first

    each = np.arange(samples)
    marks = np.zeros((samples, length))
    marks[each, first] = marks[each, second] = 1
    values[marks[:, 0] == 1, 0] = 0
    marks[:, [0, -1]] = -1
    target = 0.5 + (values[each, first] + values[each, second]) / 4
    x = np.stack([values, marks], axis=-1)
    return x.astype(np.float32), target[:, np.newaxis].astype(np.float32)
