"""The symbolic calls of a layer, of which only the first is kept alive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakSet


class SymbolicCalls:
    """The number of calls so far, and the nodes that tensors and models still refer to.

    If it held them all, a layer called on many inputs would keep every graph it was ever part of alive. The first node
    stays, because ``layer.output`` is that of a layer's only call, whatever became of the tensor.
    """

    def __init__(self):
        self._first = None
        self._more: WeakSet = WeakSet()
        self._count = 0

    def append(self, node) -> None:
        if self._count:
            self._more.add(node)
        else:
            self._first = node
        self._count += 1

    def pop(self, count: int = 1) -> None:
        """Forget the last calls."""
        self._count -= count
        if not self._count:
            self._first = None
            self._more.clear()

    def __len__(self) -> int:
        return self._count

    @property
    def first(self) -> Any:
        """The node of the first call, or None."""
        return self._first

    def __iter__(self) -> Iterator:
        """The nodes that are still alive, the first one first."""
        return iter(([self._first] if self._count else []) + list(self._more))

    def __getstate__(self) -> tuple:  # a copy must hold its nodes until the tensors of the copied model do
        return self._first, list(self._more), self._count

    def __setstate__(self, state: tuple) -> None:
        self._first, more, self._count = state
        self._more = WeakSet(more)
