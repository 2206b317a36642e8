"""Data in two parts: to train with, and to look at afterwards."""

from __future__ import annotations

import numbers

import numpy as np

from rnn_ref import checks, random
from rnn_ref.guard import guarded


@guarded
def split_dataset(dataset, left_size=None, right_size=None, shuffle: bool = False, seed=None, preferred_backend=None):
    """Split arrays into a left and a right part.

    ``keras.utils.split_dataset`` returns datasets of TensorFlow or PyTorch; here both parts are arrays again, in the
    structure of what was given.

    Parameters
    ----------
    dataset : ndarray, or tuple, list or dict of ndarray
        All with the same number of samples, which are along the first axis.
    left_size, right_size : float or int, optional
        A share of the samples, between 0 and 1, or their number. What the other leaves, when absent.
    shuffle : bool
        Whether samples are drawn for the left part at random, together in all arrays.
    seed : int, optional
        For the draw.
    preferred_backend : None
        Only None: there are no datasets of other libraries here.

    Returns
    -------
    left, right
        Each in the structure of ``dataset``; views of its arrays, unless ``shuffle``.

    References
    ----------
    https://keras.io/api/utils/python_utils/

    Examples
    --------
    >>> import numpy as np
    >>> (x_train, y_train), (x_test, y_test) = split_dataset((np.arange(10), np.arange(10)), left_size=0.8)
    >>> x_train.shape, y_test
    ((8,), array([8, 9]))
    """
    if preferred_backend not in (None, "numpy"):
        raise ValueError(
            f"split_dataset: preferred_backend={preferred_backend!r}: parts are arrays here; leave it out."
        )
    leaves = (
        dataset.values() if isinstance(dataset, dict) else dataset if isinstance(dataset, tuple | list) else [dataset]
    )
    if not leaves or not all(hasattr(leaf, "shape") and len(leaf.shape) for leaf in leaves):
        raise TypeError(
            f"split_dataset takes an array, or a tuple, list or dict of arrays, got {type(dataset).__name__}; "
            "put what comes in batches together first."
        )
    for leaf in leaves:
        checks.unmasked(leaf, "dataset", "split_dataset")
    counts = {len(leaf) for leaf in leaves}
    if len(counts) > 1:
        raise ValueError(f"split_dataset: all arrays must have the same number of samples, got {sorted(counts)}.")
    (count,) = counts
    left, right = (_number(s, count, w) for s, w in ((left_size, "left_size"), (right_size, "right_size")))
    if left is None and right is None:
        raise ValueError("split_dataset: give left_size, right_size, or both.")
    left = count - right if left is None else left
    right = count - left if right is None else right
    if left + right > count or not left or not right:
        raise ValueError(
            f"split_dataset: {count} samples cannot be split into {left} and {right} ({left_size=}, {right_size=}); "
            "both parts need samples, and together they have at most all."
        )
    generator = random.make(seed)  # checked even where nothing is shuffled
    order = generator.permutation(count) if shuffle else np.arange(count)

    def part(rows):
        rows = order[rows] if shuffle else rows
        if isinstance(dataset, dict):
            return {key: leaf[rows] for key, leaf in dataset.items()}
        return type(dataset)(leaf[rows] for leaf in dataset) if isinstance(dataset, tuple | list) else dataset[rows]

    return part(slice(0, left)), part(slice(left, left + right))


def _number(size, count: int, argument: str) -> int | None:
    """How many samples a share, or a number, is."""
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, numbers.Real):
        raise TypeError(f"split_dataset: {argument} must be a share or a number of samples, got {size!r}.")
    whole = isinstance(size, numbers.Integral)
    if not 0 <= size <= (count if whole else 1):
        raise ValueError(f"split_dataset: {argument}={size!r} must be a share from 0 to 1, or a number up to {count}.")
    return int(size) if whole else round(size * count)
