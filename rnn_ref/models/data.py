"""Batches from arrays, or from anything that can be iterated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rnn_ref import random
from rnn_ref.device import array_module, to_numpy
from rnn_ref.layers.layer import warn_nan
from rnn_ref.models.structure import as_arrays, flatten


def one_batch(x, y, sample_weight, *, model) -> tuple[list, list, list]:
    """Inputs, targets and weights of the same samples, each a list of arrays (or Nones)."""
    name = model.name
    x = as_arrays(model.flatten_inputs(x, f"{name}: x"), f"{name}: x")
    names = model.output_names  # of some models known only now
    y = as_arrays(flatten(y, names, f"{name}: y"), f"{name}: y")
    sample_weight = as_arrays(spread(sample_weight, names, f"{name}: sample_weight"), f"{name}: sample_weight")
    size = len(x[0])
    for what, arrays in (("x", x), ("y", y), ("sample_weight", sample_weight)):
        for array in arrays:
            if array is not None and len(array) != size:
                raise ValueError(f"{name}: {what} has {len(array)} samples, x has {size}; each sample needs its own.")
    if size == 0:
        raise ValueError(f"{name}: x is empty (shape {x[0].shape}); at least one sample is needed.")
    return x, y, sample_weight


def look_for_nan(x, y, sample_weight, *, model) -> None:
    """Warn about NaN or infinity among the arrays of :func:`one_batch`."""
    for what, arrays in (("x", x), ("y", y), ("sample_weight", sample_weight)):
        for array in arrays:
            if array is not None:
                warn_nan(array, f"{model.name}: {what}")


class ArrayBatches:
    """Arrays cut into batches.

    Iterating gives ``(x, y, sample_weight)``, each a list of arrays (or Nones) with the same samples.
    """

    def __init__(self, x, y, sample_weight, *, model, batch_size=None, shuffle=False):
        name = model.name
        self.x, self.y, self.sample_weight = arrays = one_batch(x, y, sample_weight, model=model)
        look_for_nan(*arrays, model=model)
        self.size = len(self.x[0])
        batch_size = 32 if batch_size is None else batch_size
        if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size <= 0:
            raise ValueError(f"{name}: batch_size must be a positive integer, got {batch_size!r}.")
        self.batch_size = int(batch_size)
        if shuffle not in (True, False):
            raise ValueError(f"{name}: shuffle must be True or False, got {shuffle!r}.")
        self.shuffle = shuffle

    def __len__(self) -> int:
        return -(-self.size // self.batch_size)

    def __iter__(self) -> Iterator[tuple[list, list, list]]:
        if self.batch_size >= self.size and not self.shuffle:
            yield list(self.x), list(self.y), list(self.sample_weight)
            return
        order = random.generator().permutation(self.size) if self.shuffle else None
        for first in range(0, self.size, self.batch_size):
            rows = slice(first, first + self.batch_size)
            if order is not None:
                rows = order[rows]
            yield tuple(
                [None if array is None else _rows(array, rows) for array in arrays]
                for arrays in (self.x, self.y, self.sample_weight)
            )

    def split(self, fraction: float) -> tuple[ArrayBatches, ArrayBatches]:
        """The last ``fraction`` of the samples for validation; the rest, before any shuffling, for training."""
        if not 0 < fraction < 1:
            raise ValueError(f"validation_split must lie between 0 and 1, got {fraction!r}.")
        border = int(np.floor(self.size * (1 - fraction)))
        if border == 0:
            raise ValueError(f"validation_split={fraction} leaves none of the {self.size} samples for training.")
        return self._part(slice(0, border), self.shuffle), self._part(slice(border, None), False)

    def _part(self, rows: slice, shuffle: bool) -> ArrayBatches:
        part = object.__new__(ArrayBatches)
        part.__dict__.update(self.__dict__, shuffle=shuffle)
        for name in ("x", "y", "sample_weight"):
            setattr(part, name, [None if array is None else array[rows] for array in getattr(self, name)])
        part.size = len(part.x[0])
        return part


def _rows(array, rows):
    """Some samples of an array; one on a GPU is told by an array on the GPU."""
    return array[rows if isinstance(rows, slice) else array_module(array).asarray(rows)]


class IterableBatches:
    """Batches that somebody else makes: each item is ``x``, ``(x, y)`` or ``(x, y, sample_weight)``."""

    def __init__(self, source, *, model, steps=None):
        self.source, self.model, self.steps = source, model, steps

    def __len__(self) -> int | None:
        if self.steps is not None:
            return self.steps
        return len(self.source) if hasattr(self.source, "__len__") else None

    def __iter__(self):
        name = self.model.name
        for step, item in enumerate(self.source):
            if self.steps is not None and step == self.steps:
                return
            x, y, sample_weight = (*item, None, None)[:3] if isinstance(item, tuple) else (item, None, None)
            yield (
                as_arrays(self.model.flatten_inputs(x, f"{name}: x"), f"{name}: x"),
                as_arrays(flatten(y, self.model.output_names, f"{name}: y"), f"{name}: y"),
                as_arrays(spread(sample_weight, self.model.output_names, name), name),
            )


def spread(sample_weight: Any, names: list[str], what: str) -> list:
    """One sample weight serves every output, unless there is one for each."""
    if sample_weight is None or isinstance(sample_weight, dict) or len(names) == 1:
        return flatten(sample_weight, names, what)
    if isinstance(sample_weight, (list, tuple)) and len(sample_weight) == len(names):
        return list(sample_weight)
    return [sample_weight] * len(names)


def batches(x, y=None, sample_weight=None, *, model, batch_size=None, shuffle=False, steps=None):
    """Batches from arrays, or from an iterable of batches given as ``x``."""
    is_arrays = hasattr(x, "__array__") or isinstance(x, (list, tuple, dict))
    if is_arrays:
        if steps is not None:
            raise ValueError(f"{model.name}: steps are for iterables of batches; with arrays give batch_size.")
        return ArrayBatches(x, y, sample_weight, model=model, batch_size=batch_size, shuffle=shuffle)
    if not hasattr(x, "__iter__"):
        raise TypeError(f"{model.name}: x must be an array, a list or dict of arrays, or an iterable of batches.")
    if y is not None or sample_weight is not None:
        raise ValueError(f"{model.name}: x is an iterable of batches, so y and sample_weight must come from it.")
    return IterableBatches(x, model=model, steps=steps)


def weigh_classes(class_weight: dict[int, float], y: np.ndarray, sample_weight):
    """Sample weights from ``{class: weight}``; classes are integers, or the largest entry of a one-hot row."""
    y = to_numpy(y)
    classes = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y), -1)[:, 0]
    weights = np.array([class_weight.get(int(k), 1.0) for k in classes], dtype="float32")
    return weights if sample_weight is None else weights * to_numpy(sample_weight)
