"""One long sequence in batches whose rows continue from one to the next, for training stateful layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rnn_ref import checks
from rnn_ref.guard import guarded


class StatefulBatches:
    """Batches of a long sequence in a fixed order, made by :func:`stateful_batches`.

    Only iterable, not indexable, since `fit` shuffles data that can be indexed by batch.

    Attributes
    ----------
    batch_size, length : int
        Rows of every batch, and their steps.
    left_over : int
        The number of steps at the end that are in no batch.
    """

    def __init__(self, data: Any, targets: Any, batch_size: int, length: int, reset: Any = None):
        self._data, self._targets, self._reset = data, targets, reset
        self.batch_size, self.length = batch_size, length
        steps = len(data) - (targets is None)
        self._batches = steps // (batch_size * length)
        self.left_over = steps - self._batches * batch_size * length

    def __len__(self) -> int:
        """Return the number of batches."""
        return self._batches

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        if self._reset is not None:
            self._reset.reset_states()
        return map(self._batch, range(self._batches))

    def _batch(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        starts = [(row * self._batches + number) * self.length for row in range(self.batch_size)]
        if self._targets is not None:
            return self._rows(self._data, starts, self.length), self._rows(self._targets, starts, self.length)
        steps = self._rows(self._data, starts, self.length + 1)
        return steps[:, :-1], steps[:, 1:]

    def _rows(self, array: Any, starts: list[int], length: int) -> np.ndarray:
        return np.stack([np.asarray(array[start : start + length]) for start in starts])


@guarded
def stateful_batches(
    data: Any, batch_size: int, length: int, targets: Any = None, reset: Any = None
) -> StatefulBatches:
    """Arrange a long sequence so that row `i` of a batch continues where row `i` of the previous one ended.

    The sequence is cut into `batch_size` pieces of equal length, one for each row, and these into batches of `length`
    steps. A layer with ``stateful=True`` carries its states from batch to batch, so it reads every piece from beginning
    to end, while gradients go back only `length` steps: truncated backpropagation through time. `fit` takes the batches
    in order, whatever its `shuffle`.

    Parameters
    ----------
    data : array_like, shape (steps, ...)
        Indices of words or characters, or values. It is read a batch at a time: a memory-mapped, h5py or Zarr array
        stays on disk.
    batch_size : int
        Rows `B` of every batch: the batch size of the stateful layers.
    length : int
        Steps `T` of every batch.
    targets : array_like, shape (steps, ...), optional
        The target of each step, by default the following step.
    reset : Model or layer, optional
        Its states are reset to zeros whenever iteration starts, so in each epoch of `fit`. By default they carry over
        from the end of one epoch to the next, unless you call ``model.reset_states()``. A validation between epochs
        leaves its own states behind.

    Returns
    -------
    StatefulBatches
        Iterating gives tuples ``(x, y)`` of shape ``(B, T, ...)``. Steps at the end that do not fill a batch are left
        out; `left_over` says how many.

    Raises
    ------
    ValueError, TypeError
        If the sequence is too short for one batch, is text, or has no target for each step.

    References
    ----------
    R. J. Williams and J. Peng, "An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories", Neural Computation, 1990.

    Examples
    --------
    >>> batches = stateful_batches(range(14), batch_size=2, length=3)
    >>> for x, y in batches:
    ...     print(x.tolist(), y.tolist())
    [[0, 1, 2], [6, 7, 8]] [[1, 2, 3], [7, 8, 9]]
    [[3, 4, 5], [9, 10, 11]] [[4, 5, 6], [10, 11, 12]]
    >>> batches.left_over
    1
    """
    owner = "stateful_batches"
    checks.integer(batch_size, "batch_size", owner, least=1)
    checks.integer(length, "length", owner, least=1)
    data = _sequence(data, "data", owner)
    if targets is not None:
        targets = _sequence(targets, "targets", owner)
        if len(targets) != len(data):
            raise ValueError(f"{owner}: data has {len(data)} steps, targets {len(targets)}; each step needs its own.")
    if reset is not None and not callable(getattr(reset, "reset_states", None)):
        raise TypeError(
            f"{owner}: reset should be a model or a stateful layer, which has reset_states(), got {reset!r}."
        )
    if reset is not None and getattr(reset, "stateful", True) is False:
        raise ValueError(f"{owner}: reset={reset.name!r} keeps no states; make it with stateful=True.")
    needed = batch_size * length + (targets is None)
    if len(data) < needed:
        following = " and a step to follow the last" if targets is None else ""
        raise ValueError(
            f"{owner}: one batch of {batch_size} rows of {length} steps{following} needs {needed} steps, data has "
            f"{len(data)}. Choose a smaller batch_size or length."
        )
    return StatefulBatches(data, targets, batch_size, length, reset)


def _sequence(given: Any, name: str, owner: str) -> Any:
    """Data with a time axis that holds numbers; what is on disk stays there."""
    if isinstance(given, (str, bytes)):
        raise TypeError(
            f"{owner}: {name} is text; give the numbers of its words or characters, such as "
            "preprocessing.text.Tokenizer makes: tokenizer.texts_to_sequences([text])[0]."
        )
    checks.unmasked(given, name, owner)
    if not (hasattr(given, "shape") and hasattr(given, "dtype")):
        given = np.asarray(given)
    if len(given.shape) == 0:
        raise ValueError(f"{owner}: {name} should have an axis of time, got a scalar.")
    return checks.numbers(given, name, owner)
