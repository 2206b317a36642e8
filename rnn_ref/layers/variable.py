"""A weight of a layer: an array with a name."""

from __future__ import annotations

import operator

import numpy as np

from rnn_ref.device import array_module, asarray, is_array, to_numpy, xp
from rnn_ref.guard import explained
from rnn_ref.kernels.gate import spread
from rnn_ref.layers.recording import now, walking
from rnn_ref.layers.symbolic import Tensor

PYTHON = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "true_divide": operator.truediv,
    "power": operator.pow,
    "matmul": operator.matmul,
    "negative": operator.neg,
}


class Variable:
    """A weight: an array that the optimizer updates in place.

    Attributes
    ----------
    name : str
        Short name, such as ``"kernel"``.
    path : str
        Name including its layer's, such as ``"lstm/kernel"``.
    value : ndarray
        On the current device, where it moves when it is read. In a ``call`` that autograd records it is the box that
        stands for the weight, so that its gradient is found.
    trainable : bool
    regularizer : callable or None
        Adds ``regularizer(value)`` to the loss; has a ``gradient``.
    constraint : callable or None
        Applied to the value after every update.
    """

    def __init__(self, value, name, *, path=None, trainable=True, regularizer=None, constraint=None):
        self.name = name
        self.path = path or name
        self.hold(value)
        self.trainable = trainable
        self.regularizer = regularizer
        self.constraint = constraint

    @property
    def value(self):
        if self._device != xp.device:
            self._array, self._device = asarray(self._array), xp.device
        call = now()
        return self._array if call is None else call.weight(self, self._array)

    @value.setter
    def value(self, array) -> None:
        """A copy of an array, in the shape of the first value; autograd's boxes are stored as they are."""
        self.hold(array.copy() if is_array(array) else array)

    def hold(self, array) -> None:
        """Make this very array the value, for internal use; ``value = array`` makes a copy."""
        if not hasattr(array, "_trace") and hasattr(array, "shape"):
            expected = self.__dict__.setdefault("_shape", array.shape)
            if array.shape != expected:
                array = spread(array, expected, self.path, "a new value")
            elif not array.flags.c_contiguous:
                array = array_module(array).ascontiguousarray(array)
        self._array = array
        self._device = xp.device if array_module(array) is xp.module else "elsewhere"

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    @property
    def dtype(self) -> str:
        return self._array.dtype.name

    @property
    def size(self) -> int:
        return self._array.size

    def numpy(self) -> np.ndarray:
        """A copy of the value."""
        return np.array(to_numpy(self._array))

    @explained
    def assign(self, value) -> None:
        """Replace the value, keeping shape and precision; in a model, only of weights that are not trained."""
        given, on_walk = value_of(value), walking()
        if on_walk is not None:
            if self.trainable:
                raise TypeError(
                    f"{self.path}: assign in the call of a model changes a weight that is trained, while its gradient "
                    "is to be found. Make it with trainable=False; or assign outside of call, as in a callback."
                )
            given = getattr(given, "value", given)  # no gradient flows through a weight that is not trained
        value = asarray(raw(given))
        if value.dtype.kind not in "fiub" or isinstance(given, np.ma.MaskedArray):
            raise TypeError(f"{self.path}: expected real numbers, got {type(given).__name__} of {value.dtype}.")
        if value.shape != self.shape:
            raise ValueError(f"{self.path}: got a value of shape {value.shape}, expected {self.shape}.")
        call = now()
        if on_walk is not None:
            self._array = value.astype(self.dtype)  # a copy
            on_walk(self, anew=True)  # earlier steps keep the value they read
        elif call is None or call.make_box is None:
            self.value[...] = value
        else:  # earlier records need the old array
            self._array = np.array(value, self.dtype)
            call.boxes[self] = given if given is not value and hasattr(given, "_trace") else self._array

    def assign_add(self, value) -> None:
        """Add to the value."""
        self.assign(self + value)

    def assign_sub(self, value) -> None:
        """Subtract from the value."""
        self.assign(self - value)

    def __array__(self, dtype=None, copy=None):
        call = now()
        if walking() is not None:
            raise TypeError(
                f"{self.path}: NumPy got this weight in the call of a model; its gradient would be lost. Use Python's "
                "operators (weight * x), or a layer with a call of its own, written with autograd.numpy."
            )
        if call is not None and hasattr(call.weight(self, self._array), "_trace"):
            raise TypeError(
                f"{self.path}: plain NumPy got this weight while autograd is differentiating; the gradient would be "
                "lost. Write the function with autograd.numpy instead (import autograd.numpy as np)."
            )
        return np.array(to_numpy(self._array), dtype=dtype, copy=copy)

    def __float__(self) -> float:
        return float(np.asarray(self))

    def __int__(self) -> int:
        return int(np.asarray(self))

    def __bool__(self) -> bool:
        raise TypeError(f"{self.path} is neither true nor false; ask for its number: float(weight), weight.numpy().")

    # -- arithmetic, so that a ``call`` can be written ``x @ self.kernel + self.bias`` -----------------

    __array_priority__ = 1000.0  # so that ``array @ variable`` calls __rmatmul__ here

    @property
    def ndim(self) -> int:
        return self.value.ndim

    @property
    def T(self):
        if walking() is not None:
            raise TypeError(f"{self.path}.T in a model's call: no gradient would come back. Use a Lambda or a layer.")
        return self.value.T

    def __getitem__(self, index):
        return self.value[index] if walking() is None else walking()(self)[index]

    def __neg__(self):
        return self._with("negative")

    def __add__(self, other):
        return self._with("add", other)

    def __radd__(self, other):
        return self._with("add", other, reverse=True)

    def __sub__(self, other):
        return self._with("subtract", other)

    def __rsub__(self, other):
        return self._with("subtract", other, reverse=True)

    def __mul__(self, other):
        return self._with("multiply", other)

    def __rmul__(self, other):
        return self._with("multiply", other, reverse=True)

    def __truediv__(self, other):
        return self._with("true_divide", other)

    def __rtruediv__(self, other):
        return self._with("true_divide", other, reverse=True)

    def __matmul__(self, other):
        return self._with("matmul", other)

    def __rmatmul__(self, other):
        return self._with("matmul", other, reverse=True)

    def __pow__(self, exponent):
        return self._with("power", exponent)

    def _with(self, name: str, *others, reverse: bool = False):
        """An operator on the value; with a tensor, and in a model's call, it is a step of that model."""
        mine = self.value if walking() is None else walking()(self)
        if walking() is None and any(isinstance(other, Tensor) for other in others):
            mine = self
        operands = [mine, *(value_of(other) if mine is not self else other for other in others)]
        operands = operands[::-1] if reverse else operands
        if mine is not self:
            return PYTHON[name](*operands)
        from rnn_ref.layers.operators import operate

        return operate(name, *operands)

    # -- what autograd asks of its boxes: a weight acts as the box that is its value (see layers/autodiff.py) ------

    @property
    def _trace(self) -> int:
        return getattr(self.value, "_trace", -2)  # -2: below every trace, an ordinary array

    @property
    def _value(self):
        return getattr(self.value, "_value", self.value)

    @property
    def _node(self):
        return getattr(self.value, "_node", None)

    def __repr__(self):
        return f"<Variable {self.path}, shape={self.shape}, dtype={self.dtype}>"


def value_of(operand):
    """The array of a weight; anything else unchanged."""
    return operand.value if isinstance(operand, Variable) else operand


def raw(operand):
    """The array inside autograd's boxes or a weight; anything else unchanged."""
    operand = operand._array if isinstance(operand, Variable) else operand
    while hasattr(operand, "_trace") and hasattr(operand, "_value"):
        operand = operand._value
    return operand
