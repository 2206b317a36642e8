"""Sources of batches: arrays, objects with numbered batches, iterables. One function tells them apart."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Any

from rnn_ref import checks
from rnn_ref.models.data.ahead import made_ahead
from rnn_ref.models.data.arrays import ArrayBatches
from rnn_ref.models.data.batch import Batch, look_for_nan, one_batch
from rnn_ref.models.data.kinds import comes_from, is_array, is_structure
from rnn_ref.models.data.packing import unpack_x_y_sample_weight
from rnn_ref.models.data.processes import Processes
from rnn_ref.models.data.py_dataset import PyDataset
from rnn_ref.models.data.shuffling import in_order
from rnn_ref.models.data.stored import any_stored
from rnn_ref.models.data.stored_batches import StoredBatches


def source(
    x,
    y=None,
    sample_weight=None,
    *,
    model,
    batch_size=None,
    shuffle=False,
    steps=None,
    class_weight=None,
    again=False,
):
    """The source of batches for the given data; see the table in the package's docstring.

    Parameters
    ----------
    again : bool
        Whether the batches are needed more than once, so that those of a generator must be kept.
    """
    name = model.name
    if not isinstance(shuffle, str) or shuffle != "batch":
        shuffle = checks.flag(shuffle, "shuffle", name)
    batch_size = checks.integer(batch_size, "batch_size", name, least=1, optional=True)
    if is_array(x) or is_structure(x):
        kind = StoredBatches if any_stored([x, y, sample_weight]) else ArrayBatches
        return kind(
            x,
            y,
            sample_weight,
            model=model,
            batch_size=batch_size,
            shuffle=shuffle,
            steps=steps,
            class_weight=class_weight,
        )
    kind = _kind(x, name)
    for what, given in (("y", y), ("sample_weight", sample_weight)):
        if given is not None:
            raise ValueError(f"{name}: x is a {type(x).__name__}, so {what} must come in its batches, not as {what}=.")
    if batch_size is not None:
        warnings.warn(
            f"{name}: batch_size={batch_size} has no effect; a {type(x).__name__} makes its own batches.", stacklevel=3
        )
    if class_weight is not None and (kind is GeneratedBatches or comes_from(x, "torch")):
        raise ValueError(
            f"{name}: class_weight is not for a {type(x).__name__}; let it give (x, y, sample_weight), or make a "
            "PyDataset of it."
        )
    made = kind(x, model=model, class_weight=class_weight, shuffle=shuffle)
    return KeptBatches(made) if again and kind is GeneratedBatches else made


def _kind(x: Any, name: str) -> type:
    if isinstance(x, PyDataset):
        return IndexedBatches
    if comes_from(x, "torch.utils.data", "Dataset"):
        raise TypeError(f"{name}: x is a torch Dataset, which gives single samples; wrap it in a DataLoader.")
    if not isinstance(x, (str, bytes, set, frozenset, type)):
        if hasattr(x, "__getitem__") and hasattr(x, "__len__"):
            return IndexedBatches
        if hasattr(x, "__iter__"):
            return GeneratedBatches if iter(x) is x else IterableBatches
    hint = f" Call it: {getattr(x, '__name__', 'x')}()." if callable(x) else ""
    raise TypeError(
        f"{name}: x must be an array, a list or dict of arrays, or an iterable of batches, got a {type(x).__name__}."
        + hint
    )


class IterableBatches:
    """Batches of an iterable that can be restarted, such as a DataLoader."""

    endless = False
    begins_anew = True
    shared = False  # among several processes
    why_empty = "At least one is needed."
    lists = True
    number_of_pass = 0  # in this training, from 1

    def __init__(self, x, *, model, class_weight=None, shuffle=False):
        self.x, self.model, self.class_weight, self.shuffle = x, model, class_weight, shuffle
        self.name = model.name
        self._fine = True  # until NaN has been found and warned about

    @property
    def number_of_batches(self) -> int | None:
        try:
            return len(self.x)
        except TypeError:
            return None

    def __iter__(self) -> Iterator[Batch]:
        for item in self.items():
            yield self.batch(item)

    def items(self) -> Iterator:
        return iter(self.x)

    def batch(self, item) -> Batch:
        """The given batch, checked like arrays."""
        parts = unpack_x_y_sample_weight(item, self.name, lists=self.lists)
        batch = one_batch(*parts, model=self.model, class_weight=self.class_weight)
        if self._fine:
            self._fine = look_for_nan(*batch, model=self.model, only_here=True)
        return batch

    def begin_pass(self, number: int) -> None:
        """Of the passes of a training this is the next."""
        self.number_of_pass = number

    def on_epoch_begin(self) -> None:
        getattr(self.x, "on_epoch_begin", _nothing)()

    def on_epoch_end(self) -> None:
        getattr(self.x, "on_epoch_end", _nothing)()

    def close(self) -> None:
        """Nothing to put away."""


class IndexedBatches(IterableBatches):
    """Numbered batches: a PyDataset, or an object with ``__len__`` and ``__getitem__``."""

    why_empty = "Its length is 0."
    _processes: Processes | None = None

    @property
    def number_of_batches(self) -> int | None:
        return self.x.num_batches if isinstance(self.x, PyDataset) else len(self.x)

    @property
    def endless(self) -> bool:
        return self.number_of_batches is None

    def items(self) -> Generator:
        numbers = itertools.count() if self.endless else in_order(self.number_of_batches, self.shuffle)
        x, make = self.x, partial(_item, self.x)
        if not isinstance(x, PyDataset) or x.workers < (1 if x.use_multiprocessing else 2):
            return (make(number) for number in numbers)
        if x.use_multiprocessing:
            self._processes = self._processes or Processes(x)
            return self._processes.batches(numbers, self.number_of_pass)
        return made_ahead(make, numbers, workers=x.workers, ahead=x.max_queue_size or x.workers)

    def __iter__(self) -> Iterator[Batch]:
        with closing(self.items()) as items:  # and whoever makes them
            for item in items:
                yield self.batch(item)

    def close(self) -> None:
        """No process stays."""
        if self._processes is not None:
            self._processes.close()


class GeneratedBatches(IterableBatches):
    """Batches of a generator: each can be read only once."""

    begins_anew = False
    why_empty = "A generator can be gone through once; this one was empty, or is at its end."
    lists = False
    number_of_batches = None


class KeptBatches(GeneratedBatches):
    """Batches of a generator, copied and kept as they are drawn, so that each pass starts with the first."""

    begins_anew = True
    warn = False  # whether the generator is exhausted

    def __init__(self, generated: GeneratedBatches):
        self.__dict__.update(generated.__dict__)
        self._kept: list[Batch] = []

    def __iter__(self) -> Iterator[Batch]:
        yield from self._kept
        for item in self.x:
            batch = self.batch(item)
            self._kept.append(tuple([None if a is None else a.copy() for a in part] for part in batch))
            yield batch
        if self.warn:
            self.warn = False
            warnings.warn(
                f"{self.name}: Your input ran out of data after {len(self._kept)} batches. It is a generator, "
                "so they were kept in memory, and every further epoch goes through them again. Give "
                "steps_per_epoch, or a PyDataset.",
                stacklevel=2,
            )


def _item(x, number: int) -> Any:
    try:
        return x[number]
    except Exception as error:
        error.add_note(f"batch {number} of {type(x).__name__}")
        raise


def _nothing() -> None:
    pass
