"""Arrays cut into batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from rnn_ref import checks
from rnn_ref.device import array_module
from rnn_ref.models.data.batch import Batch, look_for_nan, one_batch, weighted
from rnn_ref.models.data.shuffling import rows_of_batches


class ArrayBatches:
    """Arrays cut into batches.

    Iterating yields ``(x, y, sample_weight)``, each a list of arrays (or Nones) with the same samples.

    Parameters
    ----------
    x, y, sample_weight
        Arrays, or lists or dicts of arrays.
    batch_size : int, optional
        By default such that ``steps`` batches cover all samples, or 32.
    shuffle : bool or "batch"
    class_weight : dict of int to float, optional
    """

    endless = False
    begins_anew = True
    shared = False  # among several processes
    why_empty = "There are no samples."

    def __init__(self, x, y, sample_weight, *, model, batch_size=None, shuffle=False, steps=None, class_weight=None):
        self.model, self.name, self.class_weight, self.shuffle = model, model.name, class_weight, shuffle
        self.x, self.y, self.sample_weight = arrays = one_batch(x, y, sample_weight, model=model)
        look_for_nan(*arrays, model=model)
        self.size = _size(self.x)
        self._batch_size, self._steps = batch_size, steps

    @property
    def batch_size(self) -> int:
        if self._batch_size is not None:
            return self._batch_size
        return 32 if self._steps is None else -(-self.size // self._steps)

    @property
    def number_of_batches(self) -> int:
        return -(-self.size // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        return self.batches()

    def batches(self, part: Callable | None = None) -> Iterator[Batch]:
        """The batches, or of each the samples that ``part`` picks from its indices (an array or a slice)."""
        everything = self.x, self.y, self.sample_weight
        for rows in rows_of_batches(self.size, self.batch_size, self.shuffle):
            rows = rows if part is None else part(rows)
            whole = rows == slice(0, self.size) if isinstance(rows, slice) else False
            batch = tuple(
                [array if array is None or whole else _rows(array, rows) for array in arrays] for arrays in everything
            )
            yield batch if self.class_weight is None else weighted(batch, self.class_weight, self.model)

    def split(self, fraction: float, *, batch_size=None, steps=None) -> tuple[ArrayBatches, ArrayBatches]:
        """Split off, before any shuffling, the last ``fraction`` of the samples for validation.

        ``batch_size`` and ``steps`` are those of the validation.
        """
        fraction = checks.number(fraction, "validation_split", self.name, "(0, 1)")
        border = int(np.floor(self.size * (1 - fraction)))
        if border in (0, self.size):
            raise ValueError(
                f"{self.name}: validation_split={fraction} of {self.size} samples leaves none for "
                f"{'validation' if border else 'training'}."
            )
        own = {"shuffle": False, "class_weight": None, "_batch_size": batch_size, "_steps": steps}
        return self._part(slice(0, border)), self._part(slice(border, None), **own)

    def _part(self, rows: slice, **changes) -> ArrayBatches:
        part = object.__new__(ArrayBatches)
        part.__dict__.update(self.__dict__, **changes)
        for name in ("x", "y", "sample_weight"):
            setattr(part, name, [None if array is None else array[rows] for array in getattr(self, name)])
        part.size = _size(part.x)
        return part

    def begin_pass(self, number: int) -> None:
        """Do nothing: there is nothing to prepare."""

    def on_epoch_begin(self) -> None:
        """Nor for an epoch."""

    def on_epoch_end(self) -> None:
        """Do nothing: there is nothing to clean up."""

    def close(self) -> None:
        """Nor then."""


def _size(x: list) -> int:
    """The number of samples; an optional input may have none."""
    return next(len(array) for array in x if array is not None)


def _rows(array, rows):
    """Some samples of an array; on a GPU the indices must be there, too."""
    return array[rows if isinstance(rows, slice) else array_module(array).asarray(rows)]
