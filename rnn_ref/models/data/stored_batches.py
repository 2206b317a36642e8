"""Batches of arrays that do not fit into memory: read in blocks, ahead of time in a thread, then cut."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnn_ref import random
from rnn_ref.models.data.ahead import made_ahead
from rnn_ref.models.data.arrays import ArrayBatches
from rnn_ref.models.data.batch import Batch, look_for_nan, one_batch, weighted
from rnn_ref.models.data.stored import BLOCK, Stored, adapted, adapters_in, rows_of


class StoredBatches(ArrayBatches):
    """Arrays, some of which stay on disk, cut into batches.

    A block holds as many samples as make up half of ``BLOCK`` bytes, in whole chunks; while one is used, a thread reads
    the next. To shuffle, blocks are taken in random order, and samples in random order within the block in memory; the
    order does not depend on how fast the thread is. What fits into one block is shuffled as if it were in memory.

    Parameters
    ----------
    x, y, sample_weight
        Arrays, or lists or dicts of arrays, at least one of which is stored.
    batch_size, shuffle, steps, class_weight
        As for :class:`~rnn_ref.models.data.arrays.ArrayBatches`.
    """

    def __init__(self, x, y, sample_weight, *, model, batch_size=None, shuffle=False, steps=None, class_weight=None):
        self.model, self.name, self.class_weight, self.shuffle = model, model.name, class_weight, shuffle
        whats = ("x", "y", "sample_weight")
        self.parts = [adapted(part, f"{self.name}: {what}") for part, what in zip((x, y, sample_weight), whats)]
        arrays = [array for part in self.parts for array in adapters_in(part)]
        self.first, self.last = 0, len(arrays[0])
        _check_lengths(arrays)
        one_batch(*self._read(0, min(1, self.size)), model=model)  # raises if something is wrong, and builds the model
        for array in arrays:
            array.warn_of_chunks()
        self._batch_size, self._steps = batch_size, steps
        self._fine = True  # until NaN has been found and warned about
        self._stored = [array for array in arrays if not array.in_memory]

    @property
    def size(self) -> int:
        return self.last - self.first

    @property
    def block_size(self) -> int:
        """The number of samples in a block."""
        each = sum(array.sample_bytes for array in self._stored)
        rows = max(self.batch_size, BLOCK // 2 // max(1, each))
        for array in self._stored:
            if array.chunk is not None and array.chunk[0] * each <= BLOCK // 2:
                rows = max(rows // array.chunk[0], 1) * array.chunk[0]
        return rows

    def _read(self, first: int, last: int) -> list:
        return [rows_of(part, first, last) for part in self.parts]

    def __iter__(self) -> Iterator[Batch]:
        if self.size <= self.block_size:
            return self._from_memory()
        draws = np.random.default_rng(int(random.generator().integers(2**63))) if self.shuffle else None
        return self._batches(draws)

    def _from_memory(self) -> Iterator[Batch]:
        """All samples as one block."""
        options = {"batch_size": self.batch_size, "shuffle": self.shuffle, "class_weight": self.class_weight}
        yield from ArrayBatches(*self._read(self.first, self.last), model=self.model, **options)

    def _batches(self, draws: np.random.Generator | None) -> Iterator[Batch]:
        firsts = range(self.first, self.last, self.block_size)
        order = draws.permutation(firsts).tolist() if self.shuffle is True else firsts
        blocks = made_ahead(
            lambda first: self._read(first, min(first + self.block_size, self.last)), order, workers=1, ahead=1
        )
        begun: Batch | None = None  # a batch cut short by the end of a block
        for parts in blocks:
            block = one_batch(*parts, model=self.model)
            if self._fine:
                self._fine = look_for_nan(*block, model=self.model)
            size = _size(block)
            rows = draws.permutation(size) if self.shuffle is True else np.arange(size)
            place = 0
            while place < size:
                needed = self.batch_size - (0 if begun is None else _size(begun))
                batch = _joined(begun, _rows(block, rows[place : place + needed]))
                place, begun = place + needed, None
                if _size(batch) < self.batch_size:
                    begun = batch
                else:
                    yield self._finished(batch, draws)
        if begun is not None:
            yield self._finished(begun, draws)

    def _finished(self, batch: Batch, draws: np.random.Generator | None) -> Batch:
        if self.shuffle == "batch":
            batch = _rows(batch, draws.permutation(_size(batch)))
        return batch if self.class_weight is None else weighted(batch, self.class_weight, self.model)

    def _part(self, rows: slice, **changes) -> StoredBatches:
        part = object.__new__(StoredBatches)
        part.__dict__.update(self.__dict__, **changes)
        part.first, part.last, _ = rows.indices(self.last)
        return part


def _check_lengths(arrays: list[Stored]) -> None:
    size = len(arrays[0])
    for array in arrays:
        if len(array) != size:
            raise ValueError(f"{array.what} has {len(array)} samples, x has {size}; each sample needs its own.")


def _size(batch: Batch) -> int:
    return next(len(array) for array in batch[0] if array is not None)


def _rows(batch: Batch, rows: np.ndarray) -> Batch:
    return tuple([None if array is None else array[rows] for array in part] for part in batch)


def _joined(begun: Batch | None, more: Batch) -> Batch:
    if begun is None:
        return more
    return tuple(
        [None if a is None else np.concatenate([a, b]) for a, b in zip(part, rest)] for part, rest in zip(begun, more)
    )
