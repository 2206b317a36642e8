"""An ONNX graph being written: nodes, constants, and the values for a model's tensors."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from rnn_ref.interop.optional import need
from rnn_ref.layers.symbolic import Tensor

OPSET = 23
INT64_MAX = np.iinfo(np.int64).max


def live(nodes, outputs) -> list:
    """The nodes that the outputs depend on, in order."""
    needed, kept = set(outputs), []
    for node in reversed(list(nodes)):
        if needed & set(node.output) - {""}:
            needed.update(node.input)
            kept.append(node)
    return kept[::-1]


class Value(Tensor):
    """A tensor of the graph.

    Attributes
    ----------
    name : str
    shape : tuple
        Batch first; unknown sizes are None.
    dtype : str
    mask : str or None
        Name of its mask, bool ``(B, T)``.
    """

    def __init__(self, name: str, shape, dtype: str, mask: str | None = None):
        self.name, self.shape, self.dtype, self.mask = name, tuple(shape), dtype, mask

    def __repr__(self):
        return f"<Value {self.name}, shape={self.shape}, dtype={self.dtype}>"


class Graph:
    """Nodes in the order in which they were added; unique names made from those of the layers."""

    def __init__(self):
        self.onnx = need("onnx", "ONNX export")
        self.nodes: list = []
        self.constants: dict[str, object] = {}
        self._known: dict[tuple, str] = {}
        self._taken: dict[str, int] = defaultdict(int)
        self.scope, self.dtype = "model", "float32"  # of the layer being written

    def name(self, wish: str) -> str:
        """An unused name."""
        self._taken[wish] += 1
        if self._taken[wish] == 1:
            return wish
        return self.name(f"{wish}_{self._taken[wish] - 1}")

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes):
        """Add a node; return the name of its output, or a list of them."""
        name = self.name(f"{self.scope}/{operator}")
        made = [name if k == 0 else self.name(f"{name}:{k}") for k in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(operator, list(inputs), made, name=name, **attributes))
        return made[0] if outputs == 1 else made

    def constant(self, value, dtype: str | None = None, wish: str | None = None) -> str:
        """A constant; equal small ones are written once."""
        array = np.asarray(value) if dtype is None else np.asarray(value, dtype)
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 64 and wish is None else None
        if key in self._known:
            return self._known[key]
        name = self.name(f"{self.scope}/{wish or 'constant'}")
        self.constants[name] = self.onnx.numpy_helper.from_array(array.copy(order="C"), name)
        if key is not None:
            self._known[key] = name
        return name

    def zero(self) -> str:
        """A zero in the layer's precision."""
        return self.constant(0, self.dtype)

    def ints(self, *values: int) -> str:
        return self.constant(list(values), "int64")

    # -- what many layers need ----------------------------------------------------------------------

    def cast(self, name: str, dtype: str) -> str:
        to = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", name, to=to)

    def as_dtype(self, value: Value, dtype: str) -> str:
        return value.name if value.dtype == dtype else self.cast(value.name, dtype)

    def transpose(self, name: str, *axes: int) -> str:
        return name if list(axes) == sorted(axes) else self.add("Transpose", name, perm=list(axes))

    def squeeze(self, name: str, *axes: int) -> str:
        return self.add("Squeeze", name, self.ints(*axes))

    def unsqueeze(self, name: str, *axes: int) -> str:
        return self.add("Unsqueeze", name, self.ints(*axes))

    def size(self, name: str, axis: int) -> str:
        """One axis's size, ``(1,)``."""
        return self.add("Shape", name, start=axis, end=axis + 1)

    def sizes(self, *sizes: int | str) -> str:
        """Sizes, known ones and computed ones, as one vector."""
        parts = [self.ints(size) if isinstance(size, int) else size for size in sizes]
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=0)

    def reshape(self, name: str, *sizes: int | str) -> str:
        """Reshape; 0 keeps an axis's size, and -1 is inferred."""
        if all(isinstance(size, int) for size in sizes):
            return self.add("Reshape", name, self.ints(*sizes))
        return self.add("Reshape", name, self.sizes(*sizes))

    def slice(self, name: str, axis: int, start: int, stop: int, step: int = 1) -> str:
        return self.add("Slice", name, self.ints(start), self.ints(stop), self.ints(axis), self.ints(step))

    def flip(self, name: str, axis: int) -> str:
        return self.slice(name, axis, -1, -INT64_MAX, -1)

    def any(self, mask: str, axis: int, keepdims: bool = False) -> str:
        """Whether any is True along an axis."""
        counted = self.add("ReduceMax", self.cast(mask, "int32"), self.ints(axis), keepdims=int(keepdims))
        return self.cast(counted, "bool")
