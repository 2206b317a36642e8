"""What an ONNX graph computes from constants and shapes alone, evaluated on reading with NumPy and within limits."""

from __future__ import annotations

import numpy as np

from rnn_ref.interop.onnx.axes import Filled, Size
from rnn_ref.interop.onnx.reading import ELEMENTS


def sizes(shape) -> list:
    """A shape as numbers and :class:`Size`."""
    if not isinstance(shape, np.ndarray) or shape.ndim > 1:
        raise ValueError("a shape is computed from the data.")
    return [entry if isinstance(entry, Size) else int(entry) for entry in shape.reshape(-1).tolist()]


def integers(value, what: str) -> list[int]:
    """Constant whole numbers."""
    if not isinstance(value, np.ndarray) or value.ndim > 1 or value.dtype.kind not in "iu":
        raise ValueError(f"its {what} are no constants.")
    return [int(entry) for entry in value.reshape(-1)]


def tidy(array) -> np.ndarray:
    """Turn an array of shapes without dynamic sizes into numbers again."""
    array = np.asarray(array)
    if array.dtype != object or any(isinstance(entry, Size) for entry in array.reshape(-1)):
        return array
    return array.astype("int64")


def _limited(shape: list) -> list:
    if any(n < 0 for n in shape) or int(np.prod(shape, dtype=object)) > ELEMENTS // 4:
        raise ValueError(f"it makes an array of shape {shape}; that cannot be.")
    return shape


def constant_of_shape(shape, value: np.ndarray | None):
    number = np.zeros(1, "float32") if value is None else value.reshape(-1)
    if number.size != 1:
        raise ValueError("its value is no single number.")
    wanted = sizes(shape)
    if any(isinstance(n, Size) for n in wanted):
        return Filled(float(number[0]))
    return np.full(_limited(wanted), number[0])


def expand(array: np.ndarray, shape):
    wanted = sizes(shape)
    if any(isinstance(n, Size) for n in wanted):
        if array.dtype == object or array.size == 0 or (array != array.flat[0]).any():
            raise ValueError("it repeats an array of different numbers to the size of the batch.")
        return Filled(float(array.flat[0]))
    rank = max(len(wanted), array.ndim)
    _limited([max(a, b) for a, b in zip([1] * (rank - len(wanted)) + wanted, (1,) * (rank - array.ndim) + array.shape)])
    return array * np.ones(wanted, array.dtype)


def slices(rank: int, inputs: list) -> list[slice]:
    """ONNX's ``Slice``: the part of each axis that is kept; ``inputs`` are starts, ends, axes, steps."""
    starts, ends = integers(inputs[0], "starts"), integers(inputs[1], "ends")
    axes = integers(inputs[2], "axes") if inputs[2] is not None else list(range(len(starts)))
    steps = integers(inputs[3], "steps") if inputs[3] is not None else [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or any(not -rank <= axis < rank for axis in axes):
        raise ValueError(f"its starts {starts}, ends {ends}, axes {axes} and steps {steps} do not fit {rank} axes.")
    found = [slice(None)] * rank
    for start, end, axis, step in zip(starts, ends, axes, steps):
        if step == 0:
            raise ValueError("a step is 0.")
        # Going backwards, a negative end beyond the front means down to and including the first.
        beyond = step < 0 and end <= -(2**31)
        found[axis] = slice(start if abs(start) < 2**31 else None, None if beyond or end >= 2**31 - 1 else end, step)
    return found


BINARY = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": None, "Pow": np.power, "Min": np.minimum,
          "Max": np.maximum}  # fmt: skip
UNARY = {"Neg": np.negative, "Abs": np.abs, "Sqrt": np.sqrt, "Exp": np.exp, "Floor": np.floor, "Ceil": np.ceil}


def binary(operator: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if object in (a.dtype, b.dtype):
        raise ValueError("it computes with sizes that are not known.")
    _limited(list(np.broadcast_shapes(a.shape, b.shape)))
    with np.errstate(all="ignore"):
        if operator == "Div":
            return a / b if a.dtype.kind == "f" else (np.sign(a) * np.sign(b) * (abs(a) // np.maximum(abs(b), 1)))
        return BINARY[operator](a, b)
