"""Batches of which every rank has its share."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import closing

import numpy as np

from rnn_ref import random
from rnn_ref.distribution.ranks import Ranks
from rnn_ref.models.data.arrays import ArrayBatches


class SharedBatches:
    """A source of batches, of which this rank is given its rows: of B those from ``B * rank // ranks`` on.

    Every pass begins with the first rank's generator of random numbers, so that all draw the same order. Of arrays
    each rank reads its own rows; of anything else it makes the whole batch, and takes its rows.

    Attributes
    ----------
    rows, total : int
        Samples of the last batch: here, and in all.
    """

    shared = True

    def __init__(self, source, ranks: Ranks):
        self._source, self._ranks = source, ranks
        self.rows = self.total = 0
        if isinstance(source, ArrayBatches):
            self._check(source.size % source.batch_size or source.batch_size)

    def __getattr__(self, name: str):
        return getattr(self._source, name)

    def __iter__(self) -> Iterator:
        state = self._ranks.from_first(random.to_config(random.generator()))
        random.generator().bit_generator.state = random.from_config(state).bit_generator.state
        if type(self._source) is ArrayBatches:
            yield from self._source.batches(self._part)
            return
        with closing(iter(self._source)) as batches:
            for number in range(2**63):
                with self._ranks.telling():
                    batch = next(batches, None)
                if batch is None:
                    return
                if number == 0:
                    self._compare(batch)
                rows = self._part(slice(0, next(len(array) for array in batch[0] if array is not None)))
                yield tuple([None if array is None else array[rows] for array in part] for part in batch)

    def _part(self, rows):
        total = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        self._check(total)
        first, last = (total * k // self._ranks.size for k in (self._ranks.rank, self._ranks.rank + 1))
        self.rows, self.total = last - first, total
        return slice(rows.start + first, rows.start + last) if isinstance(rows, slice) else rows[first:last]

    def _check(self, total: int) -> None:
        if total < self._ranks.size:
            raise ValueError(
                f"{self.name}: a batch of {total} samples cannot be shared by {self._ranks.size} ranks. Choose a "
                "batch_size that leaves a larger last batch, leave the samples that are too many out, or start fewer "
                "ranks."
            )

    def _compare(self, batch) -> None:
        """Whatever makes its own batches must make the same everywhere."""
        sums = self._ranks.to_all([_checksum(array) for part in batch for array in part])
        for rank, other in enumerate(sums):
            if other != sums[0]:
                raise ValueError(
                    f"{self.name}: rank {rank} was given another first batch than rank 0. Every rank must be given the "
                    "same batches, of which it takes its share: seed what draws them alike on all ranks."
                )


def _checksum(array) -> int | None:
    return None if array is None else zlib.crc32(np.ascontiguousarray(array))
