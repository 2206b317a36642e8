"""Random orders of samples."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnn_ref import random


def in_order(count: int, shuffle) -> range | list[int]:
    """The numbers below ``count``, shuffled if asked for."""
    return random.generator().permutation(count).tolist() if shuffle else range(count)


def rows_of_batches(samples: int, batch_size: int, shuffle) -> Iterator:
    """The samples of each batch: a slice, or an array of indices if they are shuffled.

    ``shuffle="batch"`` keeps the batches and shuffles within each.

    Examples
    --------
    >>> list(rows_of_batches(5, 2, False))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    order = np.asarray(in_order(samples, True)) if shuffle is True else None
    for first in range(0, samples, batch_size):
        rows = slice(first, min(first + batch_size, samples))
        if shuffle == "batch":
            yield first + random.generator().permutation(rows.stop - first)
        else:
            yield rows if order is None else order[rows]
