"""PyDataset: batches by index."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from rnn_ref import checks


class PyDataset:
    """Base class for data that makes its batches on demand; Keras 2 called it ``Sequence``.

    A subclass has ``__getitem__(self, index)``, which returns a whole batch ``(x,)``, ``(x, y)`` or
    ``(x, y, sample_weight)``, and ``__len__(self)``, the number of batches; one without end sets ``num_batches = None``
    instead.

    Parameters
    ----------
    workers : int
        With more than one, this many threads call ``__getitem__`` ahead of time; batches come in order. What threads
        draw from a shared generator depends on which of them is first; with one generator per batch it does not.
    use_multiprocessing : bool
        Use processes instead of threads, even for a single worker, if ``__getitem__`` computes in Python. Each gets a
        copy, pickled before every epoch, after ``on_epoch_begin``: put the class into a module, the program under
        ``if __name__ == "__main__":``, and large arrays into files. The generators of Python, NumPy and the package
        are seeded for each batch, so that any number of processes draws the same numbers.
    max_queue_size : int
        How many batches may be made ahead; with 0, one for each worker.

    References
    ----------
    https://keras.io/api/utils/python_utils/#pydataset-class

    Examples
    --------
    >>> import numpy as np
    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...
    ...     def __getitem__(self, index):
    ...         x = np.arange(4 * index, 4 * index + 4)
    ...         return x, x**2
    >>> [y.tolist() for x, y in Squares()]
    [[0, 1, 4, 9], [16, 25, 36, 49], [64, 81, 100, 121]]
    """

    workers = 1  # defaults for a subclass that does not call this __init__
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        owner = type(self).__name__
        self.use_multiprocessing = checks.flag(use_multiprocessing, "use_multiprocessing", owner)
        self.workers = checks.integer(workers, "workers", owner, least=0)
        self.max_queue_size = checks.integer(max_queue_size, "max_queue_size", owner, least=0)

    def __getitem__(self, index: int) -> Any:
        """The batch with this index."""
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__(self, index), which makes batch `index`.")

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None if there is no end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"{type(self).__name__} has no __len__(self), the number of batches; without end, set num_batches = None."
        )

    def __iter__(self) -> Iterator:
        try:
            number = self.num_batches
        except NotImplementedError:  # as in Keras: iterating by hand runs the end of the epoch, too
            number = None
        for index in itertools.count() if number is None else range(number):
            yield self[index]

    def on_epoch_begin(self) -> None:
        """Called before every epoch."""

    def on_epoch_end(self) -> None:
        """Called after every epoch, for instance to draw a new order."""
