"""Windows over a long series, in batches, as `keras.utils.timeseries_dataset_from_array` makes them."""

from __future__ import annotations

import numbers
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from rnn_ref import checks, random
from rnn_ref.guard import guarded
from rnn_ref.random import Seed


class TimeseriesDataset:
    """Windows over a series; iterating over it, any number of times, gives batches of them.

    `timeseries_dataset_from_array` makes it from Keras's arguments. Windows are copied on demand, so that only the
    series and one batch are in memory.

    Parameters
    ----------
    data : numpy.ndarray, shape (steps, ...)
        The series.
    targets : numpy.ndarray, shape (steps, ...), or None
        The target of the window that begins at step `s` is `targets[s]`.
    starts : numpy.ndarray of int, shape (windows,)
        The first step of each window.
    offsets : numpy.ndarray of int, shape (T,)
        The steps of a window, counted from its first.
    batch_size : int or None
        Windows in a batch. `None` gives them one by one, without a batch axis.
    generator : numpy.random.Generator or None
        Shuffles the windows differently in each iteration. `None` leaves them in order of time.
    """

    def __init__(
        self,
        data: np.ndarray,
        targets: np.ndarray | None,
        starts: np.ndarray,
        offsets: np.ndarray,
        batch_size: int | None,
        generator: np.random.Generator | None,
    ):
        self.data = data
        self.targets = targets
        self.starts = starts
        self.offsets = offsets
        self.batch_size = batch_size
        self.generator = generator

    def __len__(self) -> int:
        """Return the number of batches, the last of which may be smaller."""
        return -(-len(self.starts) // (self.batch_size or 1))

    def __iter__(self) -> Iterator[np.ndarray | tuple[np.ndarray, np.ndarray]]:
        starts = self.starts if self.generator is None else self.generator.permutation(self.starts)
        if self.batch_size is None:
            yield from map(self._windows, starts)
        else:
            for first in range(0, len(starts), self.batch_size):
                yield self._windows(starts[first : first + self.batch_size])

    def _windows(self, starts: np.ndarray) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        x = self.data[np.add.outer(starts, self.offsets)]
        return x if self.targets is None else (x, self.targets[starts])


@guarded
def timeseries_dataset_from_array(
    data: ArrayLike,
    targets: ArrayLike | None,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: Seed = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str | None = None,
) -> TimeseriesDataset:
    """Slide a window over a series and pair each window with a target.

    The window that begins at step `s` holds the steps `s, s + sampling_rate, ...`, `sequence_length` of them,
    and its target is `targets[s]`. To predict the step right after a window of `T` steps, take
    `targets=series[T:]`. A window without a target is left out.

    Shuffling differs from Keras, which shuffles once, and then again within a buffer of 8 batches; here each iteration
    draws all windows in a new order. The same seed gives the same orders.

    Parameters
    ----------
    data : array_like, shape (steps, ...)
        The series, in order of time. The dataset takes its windows from it when they are asked for: it is not copied.
    targets : array_like, shape (at most steps, ...), or None
        `None` if there are no targets: the dataset then yields inputs only.
    sequence_length : int
        How many steps a window has, `T`.
    sequence_stride : int
        How many steps the next window begins after the last one.
    sampling_rate : int
        How many steps apart the steps of a window are.
    batch_size : int or None
        Windows in a batch. `None` gives them one by one, without a batch axis.
    shuffle : bool
        Whether to draw the windows in random order.
    seed : int, numpy.random.Generator or None
        Decides that order. `None` draws from the package-wide generator.
    start_index, end_index : int, optional
        Use only `data[start_index:end_index]`, to keep the rest for validation or testing. Targets are still indexed
        from the start of `targets`.
    format : None
        Keras's choice between TensorFlow and Grain datasets, neither of which is supported.

    Returns
    -------
    TimeseriesDataset
        Iterating yields `x`, or tuples `(x, y)`, with `x` of shape (batch, T, ...) and `y` of shape
        (batch, ...). It has no batches if the series is shorter than one window.

    Raises
    ------
    ValueError
        If a number is not an integer in its range; the message gives the range.

    Examples
    --------
    >>> series = [0.0, 0.1, 0.2, 0.3, 0.4]
    >>> dataset = timeseries_dataset_from_array(series, series[3:], sequence_length=3)
    >>> for x, y in dataset:
    ...     print(x, y)
    [[0.  0.1 0.2]
     [0.1 0.2 0.3]] [0.3 0.4]
    """
    if format is not None:
        other = {"tf": "TensorFlow's tf.data", "grain": "Grain"}.get(format)
        what = f"would be a dataset of {other}" if other else "is unknown"
        raise ValueError(f"format={format!r} {what}; what comes is a TimeseriesDataset of NumPy arrays. Leave it out.")
    data = np.asarray(checks.unmasked(data, "data", "timeseries_dataset_from_array"))
    if data.ndim == 0:
        raise ValueError("data should have an axis of time, got a scalar")
    steps = len(data)
    _check("sequence_length", sequence_length, 1)
    _check("sequence_stride", sequence_stride, 1, steps)
    _check("sampling_rate", sampling_rate, 1, steps)
    if batch_size is not None:
        _check("batch_size", batch_size, 1)
    start = 0
    if start_index is not None:
        _check("start_index", start_index, 0, steps)
        start = start_index
    end = steps
    if end_index is not None:
        _check("end_index", end_index, start + 1, steps)
        end = end_index

    checks.unmasked(targets, "targets", "timeseries_dataset_from_array")
    generator = random.make(seed)  # checked even if nothing is shuffled
    last_start = end - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = np.asarray(targets)
        last_start = min(last_start, len(targets))
    return TimeseriesDataset(
        data,
        targets,
        starts=np.arange(start, last_start, sequence_stride),
        offsets=np.arange(sequence_length) * sampling_rate,
        batch_size=batch_size,
        generator=generator if shuffle else None,
    )


def _check(name: str, number: int, low: int, high: int | None = None) -> None:
    """Raise unless `number` is an integer with `low <= number < high`; every `high` here is the series' length."""
    if not isinstance(number, numbers.Integral) or number < low or (high is not None and number >= high):
        below = "" if high is None else f" and less than the number of steps, {high}"
        raise ValueError(f"{name} should be an integer, at least {low}{below}; got {number!r}")
