"""One call that makes a program repeatable."""

import numbers
import random

import numpy as np

from rnn_ref import random as package_random
from rnn_ref.guard import explained


@explained
def set_random_seed(seed: int) -> None:
    """Seed Python's `random`, NumPy's global generator, and the generator of `rnn_ref`.

    As `keras.utils.set_random_seed`: with the same seed a program gives the same bits. Initializers that have
    no seed of their own take one when they are made, so call this before making the layers.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1, the range that NumPy's global generator accepts.

    Raises
    ------
    ValueError
        If `seed` is not such an integer.

    Examples
    --------
    >>> set_random_seed(1)
    >>> first = random.random(), np.random.rand(), package_random.generator().random()
    >>> set_random_seed(1)
    >>> first == (random.random(), np.random.rand(), package_random.generator().random())
    True
    """
    if not isinstance(seed, numbers.Integral) or not 0 <= seed < 2**32:
        raise ValueError(f"seed should be an integer from 0 to 2**32 - 1, got {seed!r} of type {type(seed).__name__}")
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 (user code may still draw from it)
    package_random.set_seed(seed)
