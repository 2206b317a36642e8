"""The copy task: read some symbols, wait, then write them out again."""

import numpy as np

from rnn_ref import random
from rnn_ref.guard import guarded
from rnn_ref.random import Seed


@guarded
def copy_memory(
    samples: int, delay: int = 100, symbols: int = 8, length: int = 10, seed: Seed = None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw sequences that are to be repeated after a delay.

    In the form of Arjovsky, Shah and Bengio, "Unitary evolution recurrent neural networks" (2016),
    after Hochreiter and Schmidhuber (1997). There are `symbols` symbols, a blank (number `symbols`) and
    a delimiter (number `symbols + 1`). The input is `length` random symbols, `delay - 1` blanks, the
    delimiter, and `length` blanks. The target is `delay + length` blanks, then the symbols in the same order.

    A model without memory does best by writing blanks and then guessing; its mean cross-entropy over the
    steps is `length * log(symbols) / (delay + 2 * length)`.

    Parameters
    ----------
    samples : int
        Number of sequences, `N`.
    delay : int
        The paper's `T`; the whole sequence has `delay + 2 * length` steps.
    symbols : int
        Number of different symbols.
    length : int
        Number of symbols to remember.
    seed : int, numpy.random.Generator or None
        `None` draws from the package-wide generator.

    Returns
    -------
    x : numpy.ndarray of float32, shape (N, delay + 2 * length, symbols + 2)
        The input, one-hot.
    y : numpy.ndarray of int64, shape (N, delay + 2 * length)
        The target as class numbers, from 0 to `symbols`.

    Raises
    ------
    ValueError
        If one of the numbers is less than 1.

    Examples
    --------
    >>> x, y = copy_memory(samples=1, delay=3, symbols=4, length=2, seed=1)
    >>> x.argmax(axis=-1)
    array([[1, 2, 4, 4, 5, 4, 4]])
    >>> y
    array([[4, 4, 4, 4, 4, 1, 2]])
    """
    for name, value in {"samples": samples, "delay": delay, "symbols": symbols, "length": length}.items():
        if value < 1:
            raise ValueError(f"{name} should be at least 1, got {value}")
    blank, delimiter = symbols, symbols + 1
    message = random.make(seed).integers(symbols, size=(samples, length))
    read = np.full((samples, delay + 2 * length), blank)
    read[:, :length] = message
    read[:, length + delay - 1] = delimiter
    write = np.full_like(read, blank)
    write[:, -length:] = message
    return np.eye(symbols + 2, dtype=np.float32)[read], write
