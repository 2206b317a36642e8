"""Data in two parts, to train with and to test with."""

from __future__ import annotations

import numbers

import numpy as np

from rnn_ref import checks, random
from rnn_ref.guard import guarded
from rnn_ref.models.data.kinds import comes_from
from rnn_ref.models.structure import leaves_of, put_back


@guarded
def split_dataset(dataset, left_size=None, right_size=None, shuffle: bool = False, seed=None, preferred_backend=None):
    """Split arrays into a left and a right part.

    ``keras.utils.split_dataset`` returns TensorFlow or PyTorch datasets; here parts of arrays are arrays again, in the
    same structure, unless PyTorch is asked for.

    Parameters
    ----------
    dataset : ndarray, or tuple, list or dict of ndarray, or torch.utils.data.Dataset
        Arrays may be nested; all have the same number of samples, which are along the first axis.
    left_size, right_size : float or int, optional
        A fraction of the samples, between 0 and 1, or their number. By default what the other leaves.
    shuffle : bool
        Whether to draw the samples of the left part at random, the same ones in all arrays.
    seed : int, optional
        For drawing them.
    preferred_backend : {None, "numpy", "torch"}
        ``"torch"`` makes PyTorch datasets from arrays. TensorFlow's are not supported.

    Returns
    -------
    left, right
        Each in the structure of ``dataset``: views of its arrays, unless ``shuffle``. PyTorch datasets of single
        samples if PyTorch is asked for, or given; the latter's samples are not read before they are used.

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
    if preferred_backend not in (None, "numpy", "torch"):
        raise ValueError(
            f"split_dataset: preferred_backend={preferred_backend!r} is not there: parts are arrays (None), or "
            "datasets of PyTorch ('torch')."
        )
    is_torch = comes_from(dataset, "torch.utils.data", "Dataset")
    if is_torch and preferred_backend == "numpy":
        raise ValueError("split_dataset: a PyTorch dataset is split into its like; leave preferred_backend out.")
    count = _samples_of_torch(dataset) if is_torch else _samples(leaves_of(dataset), dataset)
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
        if is_torch or preferred_backend == "torch":
            return _subset(dataset, order[rows].tolist(), is_torch)
        rows = order[rows] if shuffle else rows
        return put_back(dataset, [leaf[rows] for leaf in leaves_of(dataset)])

    return part(slice(0, left)), part(slice(left, left + right))


def _samples(leaves: list, dataset) -> int:
    """How many samples the arrays have."""
    if not leaves or not all(hasattr(leaf, "shape") and len(leaf.shape) for leaf in leaves):
        raise TypeError(
            "split_dataset takes an array, a tuple, list or dict of arrays, or a PyTorch dataset with a length, got "
            f"{type(dataset).__name__}; put what comes in batches together first."
        )
    for leaf in leaves:
        checks.unmasked(leaf, "dataset", "split_dataset")
    counts = {len(leaf) for leaf in leaves}
    if len(counts) > 1:
        raise ValueError(f"split_dataset: all arrays must have the same number of samples, got {sorted(counts)}.")
    return counts.pop()


def _samples_of_torch(dataset) -> int:
    if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
        raise TypeError(
            f"split_dataset: a PyTorch dataset needs __len__ and __getitem__ to be split; {type(dataset).__name__} "
            "lacks one (IterableDatasets have no numbered samples)."
        )
    return len(dataset)


def _subset(dataset, rows: list, is_torch: bool):
    """A PyTorch dataset of these samples."""
    import torch

    return torch.utils.data.Subset(dataset if is_torch else _Samples(dataset), rows)


class _Samples:
    """Single samples of arrays, as PyTorch tensors."""

    def __init__(self, arrays):
        self.arrays = arrays

    def __len__(self) -> int:
        return len(leaves_of(self.arrays)[0])

    def __getitem__(self, index):
        import torch

        return put_back(self.arrays, [torch.as_tensor(leaf[index]) for leaf in leaves_of(self.arrays)])


def _number(size, count: int, argument: str) -> int | None:
    """The number of samples, from a fraction or a number."""
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, numbers.Real):
        raise TypeError(f"split_dataset: {argument} must be a share or a number of samples, got {size!r}.")
    whole = isinstance(size, numbers.Integral)
    if not 0 <= size <= (count if whole else 1):
        raise ValueError(f"split_dataset: {argument}={size!r} must be a share from 0 to 1, or a number up to {count}.")
    return int(size) if whole else round(size * count)
