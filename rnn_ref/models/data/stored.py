"""Arrays that stay on disk, or in Dask, and are read a few samples at a time: one adapter for each kind."""

from __future__ import annotations

import math
import mmap
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnn_ref.models.data.kinds import comes_from, to_array

BLOCK = 2**26  # bytes of samples in memory: half in use, half being read


class Stored:
    """Base of the adapters; by itself for an array in memory.

    Attributes
    ----------
    chunk : tuple of int or None
        The shape of the blocks that are read as a whole; None where any row can be read by itself.
    """

    in_memory = False

    def __init__(self, array: Any, what: str):
        self.array, self.what = array, what
        self.shape, self.dtype = tuple(array.shape), np.dtype(array.dtype)
        if self.dtype.kind not in "biuf":
            raise ValueError(f"{what}: expected an array of numbers, got dtype {self.dtype}.")
        if not self.shape:
            raise ValueError(f"{what}: expected an array with a batch axis, got a single value.")
        self.chunk = self._chunk()

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample."""
        return self.dtype.itemsize * math.prod(self.shape[1:])

    def rows(self, first: int, last: int) -> np.ndarray:
        """Read some samples into memory."""
        return np.array(self.array[first:last])

    def _chunk(self) -> tuple[int, ...] | None:
        return None

    def warn_of_chunks(self) -> None:
        """Warn where reading a few samples means reading many others as well."""
        if self.chunk is None or self.chunk[0] * self.sample_bytes <= BLOCK:
            return
        better = (max(1, min(len(self), 2**22 // max(1, self.sample_bytes))), *self.shape[1:])
        warnings.warn(
            f"{self.what}: its chunks of shape {self.chunk} run the wrong way: to read a few samples, chunks that hold "
            f"{self.chunk[0]} of the {len(self)} are read, over and over. Store it with chunks of the shape {better}.",
            stacklevel=6,
        )


class InMemory(Stored):
    """An array in memory that goes with a stored one."""

    in_memory = True

    def rows(self, first: int, last: int) -> np.ndarray:
        return self.array[first:last]


class Mapped(Stored):
    """A file mapped by NumPy, ``numpy.load(path, mmap_mode="r")``."""

    def rows(self, first: int, last: int) -> np.ndarray:
        read = super().rows(first, last)
        if hasattr(mmap, "MADV_DONTNEED") and self.array.mode != "c":  # read pages would count as memory in use
            self.array._mmap.madvise(mmap.MADV_DONTNEED)
        return read

    def warn_of_chunks(self) -> None:
        if self.array.ndim > 1 and self.array.strides[0] < max(self.array.strides[1:]):
            warnings.warn(
                f"{self.what}: its samples are not in one piece (Fortran's order): to read some, the whole file is "
                "gone through. Store it anew: numpy.save(path, numpy.ascontiguousarray(array)).",
                stacklevel=6,
            )


class Chunked(Stored):
    """An h5py dataset, or a Zarr array."""

    def _chunk(self) -> tuple[int, ...] | None:
        chunk = getattr(self.array, "shards", None) or self.array.chunks
        return None if chunk is None else tuple(chunk)


class OfDask(Stored):
    """A Dask array, computed by Dask's own threads."""

    def rows(self, first: int, last: int) -> np.ndarray:
        return np.asarray(self.array[first:last].compute())

    def _chunk(self) -> tuple[int, ...]:
        if any(math.isnan(size) for size in self.shape):
            raise ValueError(f"{self.what}: the sizes of its chunks are not known; call array.compute_chunk_sizes().")
        return tuple(max(sizes) for sizes in self.array.chunks)


def kind_of(x: Any) -> type[Stored] | None:
    """The adapter for a stored array; None for anything else."""
    if isinstance(x, np.memmap):
        return Mapped if x._mmap is not None else None
    if comes_from(x, "h5py", "Dataset") or comes_from(x, "zarr", "Array"):
        return Chunked
    return OfDask if comes_from(x, "dask.array", "Array") else None


def any_stored(given: Any) -> bool:
    """Whether any array in lists and dicts is stored."""
    if isinstance(given, (list, tuple, Mapping)):
        return any(any_stored(entry) for entry in (given.values() if isinstance(given, Mapping) else given))
    return kind_of(given) is not None


def adapted(given: Any, what: str) -> Any:
    """Lists and dicts with every array wrapped in its adapter; None stays."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        return {key: adapted(entry, f"{what}[{key!r}]") for key, entry in given.items()}
    if isinstance(given, (list, tuple)):
        return [adapted(entry, what) for entry in given]
    kind = kind_of(given)
    return InMemory(to_array(given, what), what) if kind is None else kind(given, what)


def adapters_in(structure: Any) -> list[Stored]:
    """All adapters in lists and dicts."""
    if isinstance(structure, (list, Mapping)):
        inside = structure.values() if isinstance(structure, Mapping) else structure
        return [found for entry in inside for found in adapters_in(entry)]
    return [] if structure is None else [structure]


def rows_of(structure: Any, first: int, last: int) -> Any:
    """The same structure with some samples of every array."""
    if isinstance(structure, Mapping):
        return {key: rows_of(entry, first, last) for key, entry in structure.items()}
    if isinstance(structure, list):
        return [rows_of(entry, first, last) for entry in structure]
    return None if structure is None else structure.rows(first, last)
