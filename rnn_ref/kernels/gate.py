"""The one gate to the kernels, which read and write by addresses and cannot look: shape, precision, layout."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnn_ref.device import xp
from rnn_ref.kernels.tape import Tape, WrittenTape

REAL = {name: np.dtype(name) for name in ("float32", "float64")}
NAMES = {dtype: name for name, dtype in REAL.items()}  # what NumPy finds out anew each time it is asked


def spread(array, shape: tuple[int, ...], owner: str, name: str):
    """The array in this shape; an axis of one element stands for all of them, an array of fewer axes for nothing."""
    if array.shape == shape:
        return array
    if array.ndim != len(shape) or any(n not in (1, m) for n, m in zip(array.shape, shape)):
        raise ValueError(
            f"{owner}: {name} has shape {array.shape}, expected {shape}"
            f"{'' if array.ndim != len(shape) else ' (or 1 for an axis along which all are the same)'}."
        )
    return xp.ascontiguousarray(xp.broadcast_to(array, shape))


def fits(array, shape: tuple[int, ...], dtype: str) -> bool:
    """Whether kernels of the CPU can read the array as it is: most can, and then no name need be made for an error."""
    return (
        type(array) is np.ndarray
        and array.shape == shape
        and array.dtype is REAL.get(dtype)
        and array.flags.c_contiguous
        and xp.device == "cpu"
    )


def admitted(array, shape: tuple[int, ...], dtype: str, owner: str, name: str):
    """The array as kernels read it: on the device, in this shape and precision, in C order; itself if it is so.

    Parameters
    ----------
    array : array_like of real numbers
    shape : tuple of int
        An axis of one element in ``array`` stands for all.
    dtype : str
    owner, name : str
        Whose argument it is, and what it is called there, for the error.

    Raises
    ------
    ValueError
        If the shape is another.
    TypeError
        If these are no real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> admitted(np.ones((1, 2)), (3, 2), "float32", "lstm", "x_drop").shape
    (3, 2)
    >>> admitted(np.ones(3), (3, 2), "float32", "lstm", "x_drop")
    Traceback (most recent call last):
    ValueError: lstm: x_drop has shape (3,), expected (3, 2).
    """
    if fits(array, shape, dtype):
        return array
    array = xp.asarray(array)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{owner}: {name} must hold real numbers, got {array.dtype}.")
    return xp.ascontiguousarray(spread(array, shape, owner, name), dtype)


def in_place(shape: tuple[int, ...], owner: str, **arrays) -> bool:
    """Whether a kernel can write to these arrays, each as one row of numbers: they themselves, not copies of them.

    False where NumPy or CuPy have to do it: on another device, in another order, or of several precisions.

    Raises
    ------
    ValueError
        If one has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> in_place((2, 3), "adam", value=np.ones((2, 3))), in_place((2, 3), "adam", value=np.ones((3, 2)).T)
    (True, False)
    >>> in_place((2, 3), "adam", momentum=np.ones(2))
    Traceback (most recent call last):
    ValueError: adam: momentum has shape (2,), expected (2, 3).
    """
    fits, dtypes = xp.device == "cpu", set()
    for name, array in arrays.items():
        if array.shape != shape:
            raise ValueError(f"{owner}: {name} has shape {array.shape}, expected {shape}.")
        fits = fits and type(array) is np.ndarray and array.flags.carray
        dtypes.add(array.dtype)
    return fits and len(dtypes) == 1 and not dtypes.isdisjoint(REAL.values())


def _masks(drop, blocks: int) -> int:
    """How many dropout masks there are: one for all blocks, or one for each."""
    return 1 if drop is not None and drop.shape[:1] == (1,) else blocks


def admitted_tape(tape: Tape, blocks: int, gates: int, units: int, dtype: str, owner: str) -> Tape:
    """The tape as the kernels that go back read it; itself if it is so, as one that was left alone always is.

    Parameters
    ----------
    tape : Tape
    blocks, gates, units : int
        How many pre-activations and gates there are, and H.
    dtype, owner : str
        See :func:`admitted`.

    Raises
    ------
    ValueError, TypeError
        If an array on it has another shape or precision, or is no array of numbers.
    """
    T, B, F = tape.x.shape
    if tape.x.dtype != REAL[dtype]:
        raise TypeError(f"{owner}: the tape's x is {tape.x.dtype}, expected {dtype}.")
    step, states, changed = (T, B, units), (T + 1, B, units), {}
    for name, array, shape in (
        ("h", tape.h, states),
        ("c", tape.c, states),
        ("gates", tape.gates, (gates, *step)),
        ("z", tape.z, (blocks, *step)),
        ("q", tape.q, step),
        ("x_drop", tape.x_drop, (_masks(tape.x_drop, blocks), B, F)),
        ("h_drop", tape.h_drop, (_masks(tape.h_drop, blocks), B, units)),
    ):
        if array is not None and not fits(array, shape, dtype):
            found = admitted(array, shape, dtype, owner, f"the tape's {name}")
            if found is not array:
                changed[name] = found
    if tape.mask is not None and tape.mask.shape != (T, B):
        raise ValueError(f"{owner}: the tape's mask has shape {tape.mask.shape}, expected {(T, B)}.")
    return replace(tape, **changed) if changed else tape


def admitted_written_tape(tape: WrittenTape, program, units: int, dtype: str, owner: str) -> WrittenTape:
    """The same for the tape of a cell that was written as equations: ``program`` says how many of everything there are.

    Raises
    ------
    ValueError, TypeError
        If an array on it has another shape or precision, or is no array of numbers.
    """
    T, B, F = tape.x.shape
    if tape.x.dtype != REAL[dtype]:
        raise TypeError(f"{owner}: the tape's x is {tape.x.dtype}, expected {dtype}.")
    G, P, A = (len(parts) for parts in (program.x_parts, program.h_parts, program.q_parts))
    step = (T, B, units)
    shapes = {"h": (T + 1, B, units), "others": (len(program.written.states) - 1, T + 1, B, units)}
    shapes |= {"gates": (G, *step), "q": (A, *step)}
    if tape.z is None and program.needs_z:
        raise ValueError(f"{owner}: the tape has no pre-activations z, which the way back needs.")
    shapes |= {} if tape.z is None else {"z": (G, *step)}
    if tape.x_drop is not None:
        shapes["x_drop"] = (_masks(tape.x_drop, G), B, F)
    if tape.h_drop is not None:
        shapes["h_drop"] = (P, B, units)
    arrays = {
        name: admitted(getattr(tape, name), shape, dtype, owner, f"the tape's {name}") for name, shape in shapes.items()
    }
    if tape.mask is not None and tape.mask.shape != (T, B):
        raise ValueError(f"{owner}: the tape's mask has shape {tape.mask.shape}, expected {(T, B)}.")
    changed = {name: array for name, array in arrays.items() if array is not getattr(tape, name)}
    return replace(tape, **changed) if changed else tape
