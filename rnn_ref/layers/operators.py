"""Python operators on tensors as layers: what ``x * 2``, ``x @ w`` and ``x[:, -1]`` become.

Each is one step of a model, with its own backward. Operands are broadcast as in NumPy; the gradient of an operand that
was broadcast is the sum over its copies.
"""

from __future__ import annotations

import numpy as np

from rnn_ref.device import is_array, to_numpy, xp
from rnn_ref.layers.layer import Layer, LayerGradients, unique_name
from rnn_ref.layers.matmul import matmul


def _power_back(a, b, y, dy):
    with np.errstate(all="ignore"):
        return dy * b * a ** (b - 1), xp.where(a > 0, dy * y * xp.log(xp.where(a > 0, a, 1)), 0)


def _matmul_back(a, b, y, dy):
    if b.ndim == 1:
        return dy[..., None] * b, (a * dy[..., None]).sum(axis=tuple(range(a.ndim - 1)))
    return matmul(dy, b.swapaxes(-1, -2)), matmul(a.swapaxes(-1, -2), dy)


# name: (forward, backward); backward gets the operands, the output and its gradient
BINARY = {
    "add": (lambda a, b: a + b, lambda a, b, y, dy: (dy, dy)),
    "subtract": (lambda a, b: a - b, lambda a, b, y, dy: (dy, -dy)),
    "multiply": (lambda a, b: a * b, lambda a, b, y, dy: (dy * b, dy * a)),
    "true_divide": (lambda a, b: a / b, lambda a, b, y, dy: (dy / b, -dy * y / b)),
    "power": (lambda a, b: a**b, _power_back),
    "matmul": (matmul, _matmul_back),
}
UNARY = {
    "negative": (lambda a: -a, lambda a, y, dy: -dy),
    "absolute": (abs, lambda a, y, dy: dy * xp.sign(a)),
}


class Operator(Layer):
    """A Python operator on one or two tensors.

    Created by using the operator: ``x * 2`` calls ``Operator("multiply", [None, 2])`` on ``[x]``.

    Parameters
    ----------
    operator : str
        ``"add"``, ``"subtract"``, ``"multiply"``, ``"true_divide"``, ``"power"``, ``"matmul"``, ``"negative"``,
        ``"absolute"``, or ``"get_item"``.
    operands : list
        None for an input, else a number or an array. For ``"get_item"``, the index.
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    Examples
    --------
    >>> import rnn_ref
    >>> x = rnn_ref.Input((5, 3))
    >>> model = rnn_ref.Model(x, (1 - x)[:, -1])
    >>> model.output_shape
    (None, 3)
    """

    def __init__(self, operator, operands, **layer_options):
        layer_options.setdefault("name", None)
        if layer_options["name"] is None:
            layer_options["name"] = unique_name(operator)
        super().__init__(**layer_options)
        if operator not in (*BINARY, *UNARY, "get_item"):
            raise ValueError(f"{self.name}: unknown operator {operator!r}.")
        self.operator, self.operands = operator, list(operands)

    def _filled(self, inputs) -> list:
        """The operands, with the inputs filled in."""
        given = iter(inputs)

        def cast(value):
            value = xp.asarray(value)
            return value.astype(self.dtype, copy=False) if value.dtype.kind == "f" else value

        return [cast(next(given)) if o is None else cast(o) if is_array(o) else o for o in self.operands]

    def forward(self, x, *, training: bool = False):
        """``[a]`` or ``[a, b]`` -> the output; the tape is the operands and the output."""
        self.ensure_built([np.shape(array) for array in x])
        if self.operator == "get_item":
            (a,) = (xp.asarray(array) for array in x)
            return a[self.operands[1]], (a,)
        operands = self._filled(x)
        y = (BINARY if self.operator in BINARY else UNARY)[self.operator][0](*operands)
        return y, (*operands, y)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """Gradients of the inputs, without those of the constants."""
        if not input_gradient:
            return LayerGradients(None)
        dy = xp.asarray(grads, self.dtype)
        if self.operator == "get_item":
            (a,) = tape
            da = xp.zeros(a.shape, self.dtype)
            if xp.module is np:
                np.add.at(da, self.operands[1], dy)
            else:
                da[self.operands[1]] += dy
            return LayerGradients([da])
        *operands, y = tape
        operands = [xp.asarray(operand) for operand in operands]
        if self.operator in UNARY:
            return LayerGradients([UNARY[self.operator][1](*operands, y, dy)])
        found = BINARY[self.operator][1](*operands, y, dy)
        return LayerGradients(
            [
                summed_to(xp.asarray(d, self.dtype), a.shape)
                for place, d, a in zip(self.operands, found, operands)
                if place is None
            ]
        )

    def compute_output_shape(self, input_shape):
        if self.operator == "get_item":
            return self._item_shape(input_shape[0])
        given = iter(input_shape)
        shapes = [tuple(next(given)) if o is None else np.shape(o) for o in self.operands]
        if self.operator in UNARY:
            return shapes[0]
        if self.operator != "matmul":
            return self._repeated(*shapes)
        a, b = shapes
        if len(a) < 2 or not b or (None not in (a[-1], b[-2:][0]) and a[-1] != b[-2:][0]):
            raise ValueError(f"{self.name}: shapes {a} and {b} do not fit for @.")
        return a[:-1] if len(b) == 1 else (*self._repeated(a[:-2], b[:-2]), a[-2], b[-1])

    def _repeated(self, a: tuple, b: tuple) -> tuple:
        rank = max(len(a), len(b))
        sizes = []
        for m, n in zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b):
            if m != n and 1 not in (m, n) and None not in (m, n):
                raise ValueError(f"{self.name}: shapes {a} and {b} do not fit together.")
            sizes.append(n if m == 1 else m if n in (1, None) else n)
        return tuple(sizes)

    def _item_shape(self, shape: tuple) -> tuple:
        """Sizes that change with unknown ones are unknown, too."""

        def tried(unknown: int) -> tuple:
            zero = np.broadcast_to(np.float32(0), tuple(unknown if n is None else n for n in shape))  # takes no memory
            try:
                return zero[self.operands[1]].shape
            except IndexError as error:
                raise IndexError(f"{self.name}: {error} (shape {shape}).") from None

        return tuple(a if a == b else None for a, b in zip(tried(10_007), tried(10_009)))

    def compute_mask(self, inputs, mask):
        """Masks end here, as in Keras, with a warning unless the time axis may be gone."""
        return None if self.operator == "get_item" else super().compute_mask(inputs, mask)

    def get_config(self) -> dict:
        written = [_write(operand) for operand in self.operands]
        return super().get_config() | {"operator": self.operator, "operands": written}

    @classmethod
    def from_config(cls, config: dict):
        config = dict(config)
        config["operands"] = [_read(operand) for operand in config["operands"]]
        return cls(**config)


def summed_to(d, shape: tuple):
    """Sum a gradient over the axes along which its operand was broadcast."""
    d = d.sum(axis=tuple(range(d.ndim - len(shape)))) if d.ndim > len(shape) else d
    axes = tuple(k for k, (n, size) in enumerate(zip(shape, d.shape)) if n == 1 and size != 1)
    return d.sum(axis=axes, keepdims=True) if axes else d


def _write(operand):
    """A constant or an index in a form that JSON can hold."""
    if isinstance(operand, slice):
        return {"slice": [operand.start, operand.stop, operand.step]}
    if operand is Ellipsis:
        return {"ellipsis": True}
    if isinstance(operand, tuple):
        return {"tuple": [_write(each) for each in operand]}
    if is_array(operand):
        array = to_numpy(operand)
        return {"array": array.tolist(), "dtype": array.dtype.name}
    return operand


def _read(operand):
    if not isinstance(operand, dict):
        return operand
    if "slice" in operand:
        return slice(*operand["slice"])
    if "tuple" in operand:
        return tuple(_read(each) for each in operand["tuple"])
    return np.array(operand["array"], operand["dtype"]) if "array" in operand else Ellipsis


def operate(operator: str, *operands):
    """Apply an operator to tensors, weights, arrays and numbers: make the layer, and call it on all but the constants.

    Raises
    ------
    TypeError
        For an operand that is none of these.
    """
    from rnn_ref.layers.symbolic import Tensor
    from rnn_ref.layers.variable import Variable

    inputs = [operand for operand in operands if isinstance(operand, (Tensor, Variable))]
    constants = [None if isinstance(operand, (Tensor, Variable)) else operand for operand in operands]
    for constant in constants if operator != "get_item" else ():
        if constant is not None and not is_array(constant) and not isinstance(constant, (int, float, np.number)):
            raise TypeError(
                f"{operator} of {operands[0]!r} and {operands[1]!r}: a tensor goes together with tensors, weights, "
                "arrays and numbers."
            )
    dtype = next((t.dtype for t in inputs if t.dtype in ("float32", "float64")), None)
    return Operator(operator, constants, dtype=dtype)(inputs)
