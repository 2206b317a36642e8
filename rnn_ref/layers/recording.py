"""The context of a running user's ``call``: whether it trains, the weights it reads, and the masks of its arrays.

Layers called inside it, and weights whose value it reads, look here. Weights are noted as they are read: a ``call`` may
use those of any layer, and each gets its part of the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class Call:
    """A running ``call``.

    Attributes
    ----------
    training : bool
        For layers inside whose call does not set it.
    layer : Layer or None
        Whose call it is.
    options : dict
        What inspection asks of the layer's own computation: ``keep_z``, ``run_cell``.
    make_box : callable or None
        While autograd records, ``make_box(array)`` makes a box that it tracks.
    boxes, roots : dict of Variable
        The box for each weight that was read, and autograd's node of it.
    masks : dict of int to (object, mask)
        Masks of arrays, by identity.
    read : bool
        Whether any trainable weight was read.
    inner : list
        Tapes of the layer's own computation, from ``super().call``.
    penalties : list of (Layer, number)
        From ``add_loss``, and of the layers called inside; boxes while autograd records.
    """

    training: bool = False
    layer: Any = None
    options: dict = field(default_factory=dict)
    make_box: Callable | None = None
    boxes: dict = field(default_factory=dict)
    roots: dict = field(default_factory=dict)
    masks: dict = field(default_factory=dict)
    read: bool = False
    inner: list = field(default_factory=list)
    penalties: list = field(default_factory=list)

    def weight(self, variable, array):
        """A weight's box, or its array if nothing is recorded or it has no gradient."""
        if variable.trainable:
            self.read = True
        if self.make_box is None or (array.dtype.kind != "f" and variable not in self.boxes):
            return array
        if variable not in self.boxes:
            self.boxes[variable] = box = self.make_box(array)
            self.roots[variable] = box._node
        return self.boxes[variable]

    def mask_of(self, array):
        """The mask of an array, or None."""
        return self.masks.get(id(array), (None, None))[1]

    def note_mask(self, array, mask) -> None:
        """Attach a mask to an array, and keep the array alive so that its identity stays unique."""
        if mask is not None:
            self.masks[id(array)] = (array, mask)


_now: ContextVar[Call | None] = ContextVar("the call that is running", default=None)
now = _now.get


@contextmanager
def within(call: Call | None) -> Iterator[Call | None]:
    """A context in which this call runs; None for anything but a user's call."""
    token = _now.set(call)
    try:
        yield call
    finally:
        _now.reset(token)


_walking: ContextVar[Callable | None] = ContextVar("what makes a tensor of a weight in a model's call", default=None)
walking = _walking.get


@contextmanager
def weights_as_tensors(make: Callable | None) -> Iterator[None]:
    """A context in which reading a weight gives ``make(weight)``, a tensor, as in a model's call; None ends that."""
    token = _walking.set(make)
    try:
        yield
    finally:
        _walking.reset(token)
