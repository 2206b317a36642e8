"""A tensor of a model together with the axes that ONNX gave it.

ONNX puts time before the batch, adds an axis for directions, and moves and drops axes around every recurrent operator;
here the batch comes first. A :class:`Held` value keeps both: the tensor as made by layers, and which of its parts is on
which of ONNX's axes. Transposing, squeezing and most reshaping then only move entries of a list; a ``Permute`` or
``Reshape`` layer is made only if a layer needs a different order from the tensor's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnn_ref.layers import Permute, Reshape
from rnn_ref.layers.symbolic import SymbolicTensor


@dataclass(eq=False)
class Atom:
    """A part of an axis that is never split further; ``size`` is None if it is dynamic."""

    size: int | None
    batch: bool = False


Group = tuple  # of atoms: one axis; () is an axis of size 1


@dataclass(eq=False)
class Size:
    """The size of a dynamic axis, in computations with shapes."""

    group: Group


@dataclass(eq=False)
class Filled:
    """The same number everywhere, in a shape that depends on the batch, such as zeros for initial states."""

    value: float


@dataclass(eq=False)
class Held:
    """A tensor: its own axes ``own``, the batch first, and ONNX's ``axes``, as groups of the same atoms."""

    tensor: SymbolicTensor
    own: list[Group]
    axes: list[Group]

    @property
    def rank(self) -> int:
        return len(self.axes)

    @property
    def batch(self) -> int:
        """Which of ONNX's axes is the batch, by itself."""
        for place, group in enumerate(self.axes):
            if len(group) == 1 and group[0].batch:
                return place
        raise ValueError("it puts the batch and other axes together, or drops the batch.")

    def sizes(self) -> list:
        """The result of ONNX's ``Shape``: numbers, or :class:`Size` if they are dynamic."""
        return [Size(group) if has_batch(group) or size_of(group) is None else size_of(group) for group in self.axes]


def has_batch(group: Group) -> bool:
    return any(atom.batch for atom in group)


def size_of(group: Group) -> int | None:
    sizes = [atom.size for atom in group]
    return None if None in sizes else math.prod(sizes)


def made(tensor: SymbolicTensor, batch_at: int, batch: Atom) -> Held:
    """A tensor whose axes are ONNX's, except for the batch, which ONNX has at ``batch_at``."""
    rest = [(Atom(size),) for size in tensor.shape[1:]]
    axes = [*rest[:batch_at], (batch,), *rest[batch_at:]]
    return Held(tensor, [(batch,), *rest], axes)


def arranged(value: Held, wanted: list[Group]) -> SymbolicTensor:
    """The tensor with these axes; ``()`` stands for an axis of size 1."""
    if wanted == value.own:
        return value.tensor
    if not wanted or not (len(wanted[0]) == 1 and wanted[0][0].batch):
        raise ValueError("the batch would not stand first.")
    tensor = value.tensor
    atoms = [atom for group in value.own for atom in group]
    order = [atom for group in wanted for atom in group]
    if set(atoms) != set(order):
        raise ValueError("an axis of it is lost on the way.")
    if [(atom,) for atom in atoms] != value.own:
        tensor = _reshaped(tensor, [(atom,) for atom in atoms])
    if atoms != order:
        tensor = Permute([1 + atoms[1:].index(atom) for atom in order[1:]])(tensor)
    if [(atom,) for atom in order] != wanted:
        tensor = _reshaped(tensor, wanted)
    return tensor


def _reshaped(tensor: SymbolicTensor, groups: list[Group]) -> SymbolicTensor:
    sizes = [size_of(group) for group in groups[1:]]
    if sizes.count(None) > 1:
        raise ValueError("it reshapes more than one axis of unknown size.")
    return Reshape([-1 if size is None else size for size in sizes])(tensor)


def natural(value: Held) -> tuple[SymbolicTensor, int]:
    """The tensor with ONNX's axes, but the batch first; and where ONNX has the batch."""
    place = value.batch
    wanted = [value.axes[place], *value.axes[:place], *value.axes[place + 1 :]]
    return arranged(value, wanted), place


def axis_here(axis: int, rank: int, batch: int, what: str = "it works on") -> int:
    """The position of an ONNX axis, other than the batch, in a tensor that has the batch first."""
    if not -rank <= axis < rank:
        raise ValueError(f"it has no axis {axis}.")
    axis %= rank
    if axis == batch:
        raise ValueError(f"{what} the batch axis; samples must stay apart.")
    return axis + (axis < batch)


def constant_here(array: np.ndarray, rank: int, batch: int) -> np.ndarray:
    """A constant that is repeated along the other axes, in the order of a tensor that has the batch first."""
    if array.ndim > rank:
        raise ValueError(f"a constant of shape {array.shape} adds axes.")
    array = array.reshape((1,) * (rank - array.ndim) + array.shape)
    if array.shape[batch] != 1:
        raise ValueError(f"a constant of shape {array.shape} differs from sample to sample.")
    return np.moveaxis(array, batch, 0)


def reshape(value: Held, target: list) -> Held:
    """ONNX's ``Reshape``: the atoms in the same order, grouped differently; an atom may be split.

    ``target`` holds numbers (0 keeps the axis at this position, -1 is inferred) and :class:`Size`.
    """
    replaced: dict[Atom, tuple] = {}
    pool = [atom for group in value.axes for atom in group]
    if sum(isinstance(entry, int) and entry == -1 for entry in target) > 1:
        raise ValueError("its shape has more than one -1.")
    at = next((k for k, entry in enumerate(target) if isinstance(entry, int) and entry == -1), len(target))
    first = [_take(pool, entry, k, value, replaced, 0) for k, entry in enumerate(target[:at])]
    last = [
        _take(pool, entry, k, value, replaced, -1)
        for k, entry in reversed(list(enumerate(target[at + 1 :], at + 1)))
    ][::-1]  # fmt: skip
    middle = [tuple(pool)] if at < len(target) else []
    if pool and not middle:
        raise ValueError(f"the shape {_shown(target)} does not hold all of its input.")
    own = [tuple(part for atom in group for part in replaced.get(atom, (atom,))) for group in value.own]
    return Held(value.tensor, own, [*first, *middle, *last])


def _shown(target: list) -> list:
    return [entry if isinstance(entry, int) else "?" for entry in target]


def _take(pool: list, entry, place: int, value: Held, replaced: dict, end: int) -> Group:
    """Atoms from one end of the pool that make an axis of this size."""
    wanted = None
    if isinstance(entry, Size):
        wanted = list(entry.group)
    elif entry == 0:
        if place >= value.rank:
            raise ValueError("its shape has a 0 where there is no axis.")
        wanted = [part for atom in value.axes[place] for part in replaced.get(atom, (atom,))]
    if wanted is not None:
        found = pool[: len(wanted)] if end == 0 else pool[len(pool) - len(wanted) :]
        if found != wanted:
            raise ValueError("it reshapes an axis of unknown size together with others.")
        del pool[slice(len(wanted)) if end == 0 else slice(len(pool) - len(wanted), None)]
        return tuple(found)
    taken: list[Atom] = []
    if entry == 1 and pool and pool[end].batch and pool[end].size == 1:
        taken.append(pool.pop(end))
    while (product := size_of(tuple(taken))) != entry:
        if product is None or not pool or entry % product:
            raise ValueError(f"an axis of size {entry} cannot be made of its input.")
        atom = pool.pop(end)
        rest = entry // product
        if atom.size is not None and atom.size > rest:
            if atom.size % rest or atom.batch:
                raise ValueError(f"an axis of size {entry} cannot be made of its input.")
            parts = (Atom(rest), Atom(atom.size // rest)) if end == 0 else (Atom(atom.size // rest), Atom(rest))
            own = next((a for a, p in replaced.items() if atom in p), None)
            if own is None:
                replaced[atom] = parts
            else:
                replaced[own] = tuple(q for p in replaced[own] for q in (parts if p is atom else (p,)))
            pool.insert(0 if end == 0 else len(pool), parts[1 - (end == -1)])
            atom = parts[0 - (end == -1)]
        taken.insert(len(taken) if end == 0 else 0, atom)
    return tuple(taken)
