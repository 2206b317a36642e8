"""Symbolic tensors, and how layers connect them into a graph.

Calling a layer on a :class:`SymbolicTensor` runs nothing: it adds a :class:`Node` that records which layer made which
tensors from which. A model later walks these nodes with actual arrays, and back with their gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class Tensor:
    """What layers can be called on besides arrays: a stand-in whose uses are recorded.

    Attributes
    ----------
    shape : tuple
    dtype : str
    """

    shape: tuple
    dtype: str

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            f"{self!r} is not an array: NumPy cannot see into it, and no gradient would flow back through what it "
            "computes. Use a layer instead (Activation, Reshape, Permute, Add, Multiply, ...)."
        )

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        name = {"divide": "true_divide"}.get(ufunc.__name__, ufunc.__name__)
        if method == "__call__" and not options and name in _OPERATORS:
            return _operate(name, *inputs)
        raise TypeError(f"numpy.{ufunc.__name__} was called on {self!r}. {_USE_LAYERS}")

    def __array_function__(self, function, types, arguments, options):
        raise TypeError(f"numpy.{function.__name__} was called on {self!r}. {_USE_LAYERS}")

    def __bool__(self):
        raise TypeError(f"{self!r} is neither true nor false.")

    def __getitem__(self, key):
        maker = _maker(self)
        if isinstance(key, (int, str)) and getattr(maker, "return_state", None) is False:
            raise TypeError(
                f"{self!r} is the only output of {maker.name!r} and cannot be indexed; with return_state=True that "
                "layer returns its states too."
            )
        if leaves(key) or not _is_index(key):
            raise TypeError(f"{self!r} cannot be indexed with {key!r}; numbers, slices, None, ... and arrays can be.")
        return _operate("get_item", self, key)

    __iter__ = None

    def __add__(self, other):
        return _combine("Add", "add", self, other)

    def __radd__(self, other):
        return _combine("Add", "add", other, self)

    def __sub__(self, other):
        return _combine("Subtract", "subtract", self, other)

    def __rsub__(self, other):
        return _combine("Subtract", "subtract", other, self)

    def __mul__(self, other):
        return _combine("Multiply", "multiply", self, other)

    def __rmul__(self, other):
        return _combine("Multiply", "multiply", other, self)

    def __truediv__(self, other):
        return _operate("true_divide", self, other)

    def __rtruediv__(self, other):
        return _operate("true_divide", other, self)

    def __pow__(self, other):
        return _operate("power", self, other)

    def __rpow__(self, other):
        return _operate("power", other, self)

    def __matmul__(self, other):
        return _operate("matmul", self, other)

    def __rmatmul__(self, other):
        return _operate("matmul", other, self)

    def __neg__(self):
        return _operate("negative", self)

    def __abs__(self):
        return _operate("absolute", self)

    def __gt__(self, other):
        raise TypeError(
            f"{self!r} was compared: what is true has no gradient. Compare inside a layer: "
            "Lambda(lambda x: (x > 0) * x), with autograd.numpy for functions of NumPy."
        )

    __lt__ = __ge__ = __le__ = __gt__


_OPERATORS = ("add", "subtract", "multiply", "true_divide", "power", "matmul", "negative", "absolute")
_USE_LAYERS = (
    "No gradient could flow back through that: use a layer instead (Activation, Reshape, Permute, Add, Multiply, ...), "
    "or Lambda(lambda x: ...) with functions of autograd.numpy."
)


def _is_index(key) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    kinds = (int, np.integer, slice, list, np.ndarray, type(None), type(Ellipsis))
    return all(isinstance(part, kinds) for part in parts)


def _operate(operator: str, *operands):
    from rnn_ref.layers.operators import operate

    return operate(operator, *operands)


def _combine(layer_name: str, operator: str, left, right):
    """``a + b`` of two tensors of the same rank is ``Add()([a, b])``, which passes masks on."""
    from rnn_ref import layers

    if not (isinstance(left, Tensor) and isinstance(right, Tensor)) or left.ndim != right.ndim:
        return _operate(operator, left, right)
    dtype = left.dtype if left.dtype in ("float32", "float64") else None
    return getattr(layers, layer_name)(dtype=dtype)([left, right])


class SymbolicTensor(Tensor):
    """A stand-in for an array: shape and precision, no numbers.

    Attributes
    ----------
    shape : tuple
        Batch first; unknown sizes are None.
    dtype : str
    name : str
    node : Node
        The call that made it.
    """

    def __init__(self, shape: tuple, dtype: str, name: str, node: Node | None = None):
        self.shape, self.dtype, self.name, self.node = shape, dtype, name, node

    def __repr__(self):
        return f"<SymbolicTensor {self.name}, shape={self.shape}, dtype={self.dtype}>"


@dataclass(eq=False)
class Node:
    """One call of a layer.

    Attributes
    ----------
    layer : Layer
    inputs : SymbolicTensor, or list or dict of SymbolicTensor
        First argument of the call; an empty list for an ``Input``.
    arguments : dict
        Further arguments, which may include tensors (``initial_state``).
    outputs : list of SymbolicTensor
    """

    layer: Any
    inputs: Any
    arguments: dict
    outputs: list[SymbolicTensor] = field(default_factory=list)

    def tensors(self) -> list[SymbolicTensor]:
        """All tensors that the call depends on."""
        return leaves(self.inputs) + [t for value in self.arguments.values() for t in leaves(value)]


def leaves(structure) -> list[Tensor]:
    """The tensors in a nested list, tuple or dict, in order."""
    if isinstance(structure, Tensor):
        return [structure]
    return [leaf for leaf in entries(structure) if isinstance(leaf, Tensor)]


def entries(structure) -> list:
    """All leaves of a nested list, tuple or dict, in order."""
    if isinstance(structure, (list, tuple)):
        return [leaf for entry in structure for leaf in entries(entry)]
    if isinstance(structure, dict):
        return [leaf for entry in structure.values() for leaf in entries(entry)]
    return [structure]


def replace_entries(structure, function: Callable[[Any], Any]):
    """The same structure with every leaf replaced; tuples become lists."""
    if isinstance(structure, (list, tuple)):
        return [replace_entries(entry, function) for entry in structure]
    if isinstance(structure, dict):
        return {key: replace_entries(entry, function) for key, entry in structure.items()}
    return function(structure)


def replace(structure, function: Callable[[Tensor], Any]):
    """The same structure with every tensor replaced."""
    if isinstance(structure, Tensor):
        return function(structure)
    return replace_entries(structure, lambda entry: function(entry) if isinstance(entry, Tensor) else entry)


def pack(structure, values):
    """The same structure with its leaves replaced by the given ones, in order."""
    values = iter(values)
    return replace_entries(structure, lambda _: next(values))


def is_shape(shape) -> bool:
    """Whether this is a single shape, not a list or dict of shapes."""
    return isinstance(shape, (list, tuple)) and all(isinstance(size, (int, np.integer, type(None))) for size in shape)


def map_shapes(shapes, function: Callable[[tuple], Any]):
    """The same list or dict with every shape replaced."""
    if is_shape(shapes):
        return function(tuple(shapes))
    if isinstance(shapes, dict):
        return {key: map_shapes(shape, function) for key, shape in shapes.items()}
    return [map_shapes(shape, function) for shape in shapes]


def shapes_of(inputs):
    """The shape of a tensor; for a list or dict of tensors, one of their shapes."""
    return replace_entries(inputs, lambda entry: tuple(entry.shape))


def output_shape(layer, shape, arguments: dict):
    """The shape of a layer's output; from ``call_output_shape`` if the layer's arguments can change it."""
    return layer.call_output_shape(shape, arguments)


NEEDS_ALL_STEPS = (
    "If a recurrent layer comes before this one, set return_sequences=True on it, so that it returns all time steps."
)


@contextmanager
def naming_the_layer_before(inputs):
    """Name, in the error of a layer that needs all steps, the recurrent layer that returned only its last."""
    try:
        yield
    except ValueError as error:
        makers = [_maker(tensor) for tensor in leaves(inputs)]
        names = [layer.name for layer in makers if getattr(layer, "return_sequences", None) is False]
        if NEEDS_ALL_STEPS not in str(error) or not names:
            raise
        advice = f"Set return_sequences=True on {names[0]!r}, which comes before it, so that it returns all time steps."
        raise ValueError(str(error).replace(NEEDS_ALL_STEPS, advice)) from None


def _maker(tensor: Tensor):
    """The layer whose call made a tensor."""
    if isinstance(tensor, SymbolicTensor):
        return tensor.node and tensor.node.layer
    return next((step.layer for step in tensor.walk.steps if tensor in leaves(step.outputs)), None)


def connect(layer, inputs, arguments: dict):
    """Call a layer on tensors: build it, and infer the output shapes."""
    tensors = leaves([inputs, arguments])
    walks = {id(t.walk): t.walk for t in tensors if not isinstance(t, SymbolicTensor)}
    if walks:  # tensors with values: their walk runs the layer at once
        if len(walks) > 1 or any(isinstance(t, SymbolicTensor) for t in tensors):
            raise ValueError(
                f"{layer.name}: called on tensors of different models or calls at once: {tensors}. A tensor is good "
                "for the call of the model that it came from."
            )
        with naming_the_layer_before(inputs):
            return next(iter(walks.values())).call(layer, inputs, arguments)
    shape = shapes_of(inputs)
    with naming_the_layer_before(inputs):
        if not layer.by_call:  # a layer with its own call is built for all its arguments
            layer.ensure_built(shape)
            if layer.built:
                layer.check_built_for(shape)
        out = layer.outputs_on(inputs, arguments)
    node = Node(layer, inputs, arguments)

    def output(shape: tuple) -> SymbolicTensor:
        place = len(node.outputs)
        node.outputs.append(SymbolicTensor(shape, layer.dtype, f"{layer.name}:{place}" if place else layer.name, node))
        return node.outputs[-1]

    layer.nodes.append(node)
    return map_shapes(out, output)
