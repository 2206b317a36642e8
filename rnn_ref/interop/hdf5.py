"""HDF5 files, read with limits: only plain datasets of numbers stored in the file itself."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from rnn_ref.interop import hdf5_probe
from rnn_ref.interop.errors import BrokenFile, UnsafeFile, reading
from rnn_ref.interop.optional import need

DEPTH = 100
OBJECTS = 200_000
EXPANSION = 1000  # times the stored bytes, for compressed datasets
SMALL = 1 << 16
SECONDS, BYTES_PER_SECOND = 1, 50 << 20  # of processor time, to check a file
OUT_OF_TIME = -27  # ended by SIGPROF


class Stored:
    """The groups and datasets of an open file that has been checked.

    Attributes
    ----------
    datasets : dict of str to h5py.Dataset
        By path, without a leading slash.
    groups : dict of str to h5py.Group
        ``""`` is the file itself.
    """

    def __init__(self, file, where: str):
        self.where = where
        self.datasets: dict[str, Any] = {}
        self.groups: dict[str, Any] = {"": file}
        self._look("", file, 0, set())

    def _look(self, path: str, group, depth: int, above: set) -> None:
        h5py = need("h5py", "reading HDF5")
        if depth > DEPTH or len(self.groups) + len(self.datasets) > OBJECTS:
            raise UnsafeFile(f"{self.where}: has groups without end.")
        for name in group:
            place = f"{path}/{name}".lstrip("/")
            link = group.get(name, getclass=True, getlink=True)
            if link is not h5py.HardLink:
                raise UnsafeFile(f"{self.where}: {place!r} is a {link.__name__}, which may lead to other files.")
            entry = group[name]
            if isinstance(entry, h5py.Group):
                if entry.id.__hash__() in above:
                    raise UnsafeFile(f"{self.where}: the group {place!r} holds itself.")
                self.groups[place] = entry
                self._look(place, entry, depth + 1, above | {entry.id.__hash__()})
            elif isinstance(entry, h5py.Dataset):
                self._check(place, entry)
                self.datasets[place] = entry
            else:
                raise BrokenFile(f"{self.where}: {place!r} is neither a group nor a dataset.")

    def _check(self, place: str, dataset) -> None:
        if dataset.external:
            raise UnsafeFile(f"{self.where}: the numbers of {place!r} lie in another file.")
        if dataset.is_virtual:
            raise UnsafeFile(f"{self.where}: {place!r} is put together from other datasets.")
        if dataset.dtype.kind not in "fiub" or dataset.dtype.itemsize > 8 or dataset.dtype.subdtype is not None:
            raise BrokenFile(f"{self.where}: {place!r} is of {dataset.dtype}; weights are numbers.")
        if dataset.shape is None:
            raise BrokenFile(f"{self.where}: {place!r} is empty.")
        size, stored = math.prod(dataset.shape) * dataset.dtype.itemsize, dataset.id.get_storage_size()
        if size > max(SMALL, EXPANSION * stored):
            raise UnsafeFile(f"{self.where}: {place!r} says to be {size} bytes, and {stored} are stored.")

    def __contains__(self, path: str) -> bool:
        return path in self.datasets

    def array(self, path: str) -> np.ndarray:
        """The numbers of a dataset; bfloat16, which Keras keeps as two bytes, is not read."""
        dataset = self.datasets[path]
        if dataset.attrs.get("dtype") == "bfloat16":
            raise BrokenFile(f"{self.where}: {path!r} is of bfloat16, which is not read.")
        return np.asarray(dataset[()])

    def sizes(self) -> int:
        """The number of values in all datasets."""
        return sum(math.prod(dataset.shape) for dataset in self.datasets.values())

    def inside(self, path: str) -> list[str]:
        """The names of the direct members of a group."""
        return list(self.groups[path]) if path in self.groups else []


def _probe(file, where) -> None:
    """Read the file in another process first, as HDF5 may hang or crash."""
    size = len(file) if isinstance(file, bytes) else os.path.getsize(file)
    seconds = SECONDS + size // BYTES_PER_SECOND
    asked = {
        "path": [str(folder) for folder in sys.path],
        "file": None if isinstance(file, bytes) else os.path.abspath(file),
        "seconds": seconds,
        "limits": [EXPANSION, SMALL, OBJECTS],
    }
    command = [sys.executable, "-I", "-S", hdf5_probe.__file__]
    content = json.dumps(asked).encode() + b"\n" + (file if isinstance(file, bytes) else b"")
    try:
        code = subprocess.run(command, input=content, capture_output=True, timeout=60 + 10 * seconds).returncode
    except subprocess.TimeoutExpired:
        code = OUT_OF_TIME
    if code:
        what = f"does not come to an end of it (in {seconds} s)" if code == OUT_OF_TIME else f"crashes on it ({code})"
        raise BrokenFile(f"{where}: HDF5 {what}; the file is damaged.")


@contextmanager
def opened(file, where) -> Iterator[Stored]:
    """Open an HDF5 file, by path or as bytes, and check it."""
    h5py = need("h5py", "reading HDF5")
    _probe(file, where)
    with reading(where), h5py.File(io.BytesIO(file) if isinstance(file, bytes) else file, "r") as found:
        yield Stored(found, str(where))
