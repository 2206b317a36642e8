"""Attention over axes other than time: the attended axes become one, the others go into the batch."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from rnn_ref.device import xp


class AttentionAxes(NamedTuple):
    """Which axes of ``(B, ..., F)`` are attended to.

    A query attends to all values at the same position along the free axes. In the folded shape ``B'`` stands for the
    batch and the free axes, ``T'`` for the attended ones. ``(B, T, F)`` folds to itself.

    Attributes
    ----------
    attended, free : tuple of int
        Together all but the first and the last.
    """

    attended: tuple[int, ...]
    free: tuple[int, ...]

    @classmethod
    def of(cls, axes: tuple[int, ...] | None, rank: int, layer: str) -> AttentionAxes:
        """The axes for arrays of this rank; by default all between batch and features are attended to."""
        inner = tuple(range(1, rank - 1))
        attended = inner if axes is None else tuple(axis + rank if axis < 0 else axis for axis in axes)
        if not attended or len(set(attended)) < len(attended) or not set(attended) <= set(inner):
            raise ValueError(
                f"{layer}: attention_axes={axes} of inputs with {rank} axes; they must be different ones of "
                f"{', '.join(map(str, inner))}, which are between batch and features."
            )
        return cls(attended, tuple(axis for axis in inner if axis not in attended))

    def sizes(self, shape) -> tuple[tuple, tuple]:
        """The sizes of the free axes, and of the attended ones."""
        return tuple(shape[axis] for axis in self.free), tuple(shape[axis] for axis in self.attended)

    def fold(self, x):
        """``(B, ..., F)`` -> ``(B', T', F)``."""
        free, attended = self.sizes(x.shape)
        last = x.ndim - 1
        x = x.transpose(0, *self.free, *self.attended, last)
        return xp.ascontiguousarray(x).reshape(x.shape[0] * prod(free), prod(attended), x.shape[-1])

    def unfold(self, y, shape, *features: int):
        """``(B', T', F)`` -> ``(B, ..., *features)``, with the axes of the query, whose shape is given."""
        free, attended = self.sizes(shape)
        y = y.reshape(shape[0], *free, *attended, *features)
        places = (0, *self.free, *self.attended)
        return y.transpose(*(places.index(axis) for axis in range(len(places))), *range(len(places), y.ndim))

    def scores_shape(self, query, value, heads: int) -> tuple:
        """``(B, *free, N, *attended of query, *attended of value)``, from the two shapes."""
        free, of_query = self.sizes(query)
        return (query[0], *free, heads, *of_query, *self.sizes(value)[1])

    def fold_mask(self, mask, query, value, heads: int, layer: str):
        """An ``attention_mask`` as ``(B' or 1, N or 1, Tq', Tv')``, for a query and value of these shapes."""
        full = self.scores_shape(query, value, heads)
        pairs = 2 * len(self.attended)
        before = len(full) - pairs  # batch, free axes, heads
        given = mask.shape[: max(mask.ndim - pairs, 0)]
        # Axes of heads, free axes and batch may be missing, in this order: the mask is then the same along them.
        forms = {0: (1,) * before, 1: (*given, *[1] * (before - 1)), before - 1: (*given, 1), before: given}
        shape = (*forms.get(len(given), ()), *mask.shape[len(given) :])
        if len(shape) != len(full) or any(size not in (1, expected) for size, expected in zip(shape, full)):
            raise ValueError(
                f"{layer}: attention_mask has shape {mask.shape}, expected {(query[0], *full[-pairs:])}, or {full} "
                "for every head its own."
            )
        batch = full[: before - 1] if self.free else shape[:1]
        tail = full[-pairs:] if len(self.attended) > 1 else shape[-pairs:]
        mask = xp.broadcast_to(mask.reshape(shape), (*batch, shape[before - 1], *tail))
        half = len(self.attended)
        return mask.reshape(prod(batch), shape[before - 1], prod(tail[:half]), prod(tail[half:]))
