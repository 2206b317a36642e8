"""Layers that are not recurrent as ONNX operators. Each function gets the graph, the layer, its inputs and arguments.

It returns the name of the output, whose mask is then that of the input if the layer passes masks on; or a list of
outputs with their masks.
"""

from __future__ import annotations

import string

import numpy as np

from rnn_ref import layers
from rnn_ref.interop.onnx import activations
from rnn_ref.interop.onnx.graph import Graph, Value

OPERATORS = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "true_divide": "Div",
    "power": "Pow",
    "matmul": "MatMul",
    "negative": "Neg",
    "absolute": "Abs",
}


def refuse(layer, why: str) -> None:
    raise NotImplementedError(f"{layer.name} ({type(layer).__name__}): {why}")


def same(g: Graph, layer, x: Value, arguments: dict) -> str:
    """Layers that do nothing in inference."""
    return g.as_dtype(x, layer.dtype)


def activation(g: Graph, layer, x: Value, arguments: dict) -> str:
    return activations.write(g, layer.activation, g.as_dtype(x, layer.dtype), layer.dtype, x.ndim, layer.name)


def dense(g: Graph, layer, x: Value, arguments: dict) -> str:
    name = g.as_dtype(x, layer.dtype)
    y = g.add("MatMul", name, g.constant(layer.kernel.numpy(), wish="kernel"))
    if layer.bias is not None:
        y = g.add("Add", y, g.constant(layer.bias.numpy(), wish="bias"))
    return activations.write(g, layer.activation, y, layer.dtype, x.ndim, layer.name)


def embedding(g: Graph, layer, x: Value, arguments: dict):
    tokens = g.as_dtype(x, "int64")
    y = g.add("Gather", g.constant(layer.embeddings.numpy(), wish="embeddings"), tokens, axis=0)
    mask = g.add("Not", g.add("Equal", tokens, g.constant(0, "int64"))) if layer.mask_zero else None
    return [(y, mask)]


def masking(g: Graph, layer, x: Value, arguments: dict):
    name = g.as_dtype(x, layer.dtype)
    differs = g.add("Not", g.add("Equal", name, g.constant(layer.mask_value, layer.dtype)))
    mask = g.any(differs, -1)
    return [(g.add("Where", g.unsqueeze(mask, -1), name, g.zero()), mask)]


def flatten(g: Graph, layer, x: Value, arguments: dict) -> str:
    name = g.as_dtype(x, layer.dtype)
    if layer.data_format == "channels_first" and x.ndim > 2:
        name = g.transpose(name, 0, *range(2, x.ndim), 1)
    return g.reshape(name, 0, -1)


def reshape(g: Graph, layer, x: Value, arguments: dict) -> str:
    return g.reshape(g.as_dtype(x, layer.dtype), 0, *layer.target_shape)


def permute(g: Graph, layer, x: Value, arguments: dict) -> str:
    return g.transpose(g.as_dtype(x, layer.dtype), 0, *layer.dims)


def repeat_vector(g: Graph, layer, x: Value, arguments: dict) -> str:
    return g.add("Expand", g.unsqueeze(g.as_dtype(x, layer.dtype), 1), g.ints(1, layer.n, 1))


def softmax(g: Graph, layer, x: Value, arguments: dict) -> str:
    axes = layer.axes(x.ndim)
    if len(axes) > 1:
        refuse(layer, f"a softmax over several axes, {axes}, has no operator in ONNX.")
    if x.mask is not None or "mask" in arguments:
        refuse(layer, "with a mask it cannot be written to ONNX.")
    return g.add("Softmax", g.as_dtype(x, layer.dtype), axis=axes[0])


def relu(g: Graph, layer, x: Value, arguments: dict) -> str:
    given = {name: getattr(layer, name) for name in ("negative_slope", "max_value", "threshold")}
    return activations.write(
        g, layers.activations.relu.with_options(**given), g.as_dtype(x, layer.dtype), layer.dtype, x.ndim, layer.name
    )


def leaky_relu(g: Graph, layer, x: Value, arguments: dict) -> str:
    return g.add("LeakyRelu", g.as_dtype(x, layer.dtype), alpha=float(layer.negative_slope))


def elu(g: Graph, layer, x: Value, arguments: dict) -> str:
    return g.add("Elu", g.as_dtype(x, layer.dtype), alpha=float(layer.alpha))


def prelu(g: Graph, layer, x: Value, arguments: dict) -> str:
    return g.add("PRelu", g.as_dtype(x, layer.dtype), g.constant(layer.alpha.numpy(), wish="alpha"))


# -- normalization ------------------------------------------------------------------------------------------


def _along(g: Graph, layer, weight, rank: int, axes) -> str:
    """A weight of some axes in the rank of the input."""
    sizes = iter(weight.shape)
    return g.constant(weight.numpy().reshape([next(sizes) if a in axes else 1 for a in range(rank)]), wish=weight.name)


def layer_normalization(g: Graph, layer, x: Value, arguments: dict) -> str:
    name, axes = g.as_dtype(x, layer.dtype), sorted(layer.axes(x.shape))
    centred = g.add("Sub", name, g.add("ReduceMean", name, g.ints(*axes)))
    variance = g.add("ReduceMean", g.add("Mul", centred, centred), g.ints(*axes))
    y = g.add("Div", centred, g.add("Sqrt", g.add("Add", variance, g.constant(layer.epsilon, layer.dtype))))
    for operator, weight in (("Mul", layer.gamma), ("Add", layer.beta)):
        y = y if weight is None else g.add(operator, y, _along(g, layer, weight, x.ndim, axes))
    return y


def batch_normalization(g: Graph, layer, x: Value, arguments: dict) -> str:
    axes = sorted(layer.axes(x.shape))
    scale = 1 / np.sqrt(layer.moving_variance.numpy() + np.dtype(layer.dtype).type(layer.epsilon))
    name = g.add("Sub", g.as_dtype(x, layer.dtype), _along(g, layer, layer.moving_mean, x.ndim, axes))
    shape = [layer.moving_mean.shape[0] if a in axes else 1 for a in range(x.ndim)]
    y = g.add("Mul", name, g.constant(scale.astype(layer.dtype).reshape(shape), wish="scale"))
    for operator, weight in (("Mul", layer.gamma), ("Add", layer.beta)):
        y = y if weight is None else g.add(operator, y, _along(g, layer, weight, x.ndim, axes))
    return y


# -- over time ----------------------------------------------------------------------------------------------


def average_pooling(g: Graph, layer, x: Value, arguments: dict) -> str | list:
    name, axis, keep = g.as_dtype(x, layer.dtype), layer.time_axis, int(layer.keepdims)
    if x.mask is None:
        return [(g.add("ReduceMean", name, g.ints(axis), keepdims=keep), None)]
    counted = g.cast(g.unsqueeze(x.mask, 3 - axis), layer.dtype)
    total = g.add("ReduceSum", g.add("Mul", name, counted), g.ints(axis), keepdims=keep)
    return [(g.add("Div", total, g.add("ReduceSum", counted, g.ints(axis), keepdims=keep)), None)]


def max_pooling(g: Graph, layer, x: Value, arguments: dict) -> str:
    return g.add("ReduceMax", g.as_dtype(x, layer.dtype), g.ints(layer.time_axis), keepdims=int(layer.keepdims))


def _features_second(g: Graph, layer, x: Value) -> str:
    """``(B, T, F)`` -> ``(B, F, T)``, as ONNX's convolutions and poolings take it."""
    name = g.as_dtype(x, layer.dtype)
    return g.transpose(name, 0, 2, 1) if layer.data_format == "channels_last" else name


def window_pooling(g: Graph, layer, x: Value, arguments: dict) -> str:
    more = {} if isinstance(layer, layers.MaxPooling1D) else {"count_include_pad": 0}
    pad = "SAME_UPPER" if layer.padding == "same" else "VALID"
    y = g.add(
        "MaxPool" if not more else "AveragePool",
        _features_second(g, layer, x),
        kernel_shape=[layer.pool_size[0]],
        strides=[layer.strides[0]],
        auto_pad=pad,
        **more,
    )
    return g.transpose(y, 0, 2, 1) if layer.data_format == "channels_last" else y


def convolution(g: Graph, layer, x: Value, arguments: dict) -> str:
    kernel = layer.kernel.numpy()
    pads = {"same": {"auto_pad": "SAME_UPPER"}, "valid": {"auto_pad": "VALID"}}.get(layer.padding)
    if pads is None:  # causal: all padding before
        pads = {"pads": [(kernel.shape[0] - 1) * layer.dilation_rate[0], 0]}
    y = g.add(
        "Conv",
        _features_second(g, layer, x),
        g.constant(kernel.transpose(2, 1, 0), wish="kernel"),
        *([g.constant(layer.bias.numpy(), wish="bias")] if layer.bias is not None else []),
        strides=[layer.strides[0]],
        dilations=[layer.dilation_rate[0]],
        group=layer.groups,
        **pads,
    )
    y = g.transpose(y, 0, 2, 1) if layer.data_format == "channels_last" else y
    return activations.write(g, layer.activation, y, layer.dtype, x.ndim, layer.name)


# -- several inputs -----------------------------------------------------------------------------------------


def _aligned(g: Graph, layer, inputs: list[Value]) -> list[str]:
    """Inputs with fewer axes get new ones after the batch."""
    rank = max(x.ndim for x in inputs)
    names = [g.as_dtype(x, layer.dtype) for x in inputs]
    return [n if x.ndim == rank else g.unsqueeze(n, *range(1, 1 + rank - x.ndim)) for n, x in zip(names, inputs)]


def _either(g: Graph, masks: list) -> str | None:
    """The mask of a merge: where any input counts, if all have one."""
    if not masks or None in masks:
        return None
    found = masks[0]
    for mask in masks[1:]:
        found = g.add("Or", found, mask)
    return found


def merge(g: Graph, layer, inputs: list[Value], arguments: dict):
    """Add, Subtract, Average, Multiply, Maximum, Minimum."""
    names, masks = _aligned(g, layer, inputs), [x.mask for x in inputs]
    rank = max(x.ndim for x in inputs)
    acting = [mask if x.ndim == rank else None for x, mask in zip(inputs, masks)]
    operator = {layers.Subtract: "Sub", layers.Multiply: "Mul", layers.Maximum: "Max", layers.Minimum: "Min"}
    operator = operator.get(type(layer), "Add")
    if operator in ("Max", "Min") and any(acting):
        refuse(layer, "of inputs with masks it cannot be written to ONNX.")

    def over(mask: str) -> str:
        return g.unsqueeze(mask, *range(2, rank)) if rank > 2 else mask

    if operator == "Mul":  # a masked step counts as a factor of 1
        one = g.constant(1, layer.dtype)
        names = [g.add("Where", over(m), n, one) if m else n for n, m in zip(names, acting)]
    y = names[0]
    for name in names[1:]:
        y = g.add(operator, y, name)
    if isinstance(layer, layers.Average):
        y = g.add("Div", y, g.constant(len(names), layer.dtype))
    counted = _either(g, acting)
    if operator == "Mul" and counted:
        y = g.add("Where", over(counted), y, g.zero())
    return [(y, _either(g, masks))]


def concatenate(g: Graph, layer, inputs: list[Value], arguments: dict):
    names = [g.as_dtype(x, layer.dtype) for x in inputs]
    mask = None
    if any(x.mask for x in inputs):
        full = []
        for x, name in zip(inputs, names):
            own = g.unsqueeze(x.mask, *range(2, x.ndim)) if x.mask else g.constant(True)
            full.append(g.add("Expand", own, g.add("Shape", name)))
        mask = g.any(g.add("Concat", *full, axis=layer.axis), -1)
    return [(g.add("Concat", *names, axis=layer.axis), mask)]


def dot(g: Graph, layer, inputs: list[Value], arguments: dict) -> str:
    axes = layer.axes if isinstance(layer.axes, (list, tuple)) else (layer.axes, layer.axes)
    axes = [axis % x.ndim for axis, x in zip(axes, inputs)]
    names = [g.as_dtype(x, layer.dtype) for x in inputs]
    if layer.normalize:
        names = [_unit(g, layer, name, [axis]) for name, axis in zip(names, axes)]
    letters = iter(string.ascii_lowercase[2:])
    terms = [
        ["b" if k == 0 else "a" if k == axis else next(letters) for k in range(x.ndim)] for x, axis in zip(inputs, axes)
    ]
    out = ["b", *(letter for term in terms for letter in term if letter not in "ab")]
    equation = f"{''.join(terms[0])},{''.join(terms[1])}->{''.join(out)}"
    y = g.add("Einsum", *names, equation=equation)
    return g.unsqueeze(y, 1) if len(out) == 1 else y


def _unit(g: Graph, layer, name: str, axes: list[int]) -> str:
    square = g.add("ReduceSum", g.add("Mul", name, name), g.ints(*axes))
    return g.add("Div", name, g.add("Sqrt", g.add("Max", square, g.constant(1e-12, layer.dtype))))


def operator(g: Graph, layer, inputs: list[Value], arguments: dict) -> str:
    """One of Python's operators on tensors."""
    if layer.operator == "get_item":
        return _get_item(g, layer, inputs[0], layer.operands[1])
    given = iter(inputs)
    names = [
        g.as_dtype(next(given), layer.dtype) if operand is None else g.constant(operand, layer.dtype)
        for operand in layer.operands
    ]
    return g.add(OPERATORS[layer.operator], *names)


def _get_item(g: Graph, layer, x: Value, key) -> str:
    parts = list(key) if isinstance(key, tuple) else [key]
    if any(not isinstance(p, (int, np.integer, slice, type(None), type(Ellipsis))) for p in parts):
        refuse(layer, f"the index {key!r} cannot be written to ONNX; numbers and slices can.")
    axes = sum(p is not None and p is not Ellipsis for p in parts)
    if Ellipsis not in parts:
        parts.append(Ellipsis)
    at = parts.index(Ellipsis)
    parts[at : at + 1] = [slice(None)] * (x.ndim - axes)
    name, axis, gone, new, place = x.name, 0, [], [], 0
    for part in parts:
        if part is None:
            new.append(place)
            place += 1
            continue
        if isinstance(part, slice):
            if part != slice(None):
                step = 1 if part.step is None else part.step
                start = (0 if step > 0 else -1) if part.start is None else part.start
                stop = (2**62 if step > 0 else -(2**62)) if part.stop is None else part.stop
                name = g.slice(name, axis, start, stop, step)
            place += 1
        else:
            name = g.slice(name, axis, int(part), 2**62 if part == -1 else int(part) + 1)
            gone.append(axis)
        axis += 1
    name = g.squeeze(name, *gone) if gone else name
    return g.unsqueeze(name, *new) if new else name


EXPORTERS = {
    layers.Activation: activation,
    layers.ActivityRegularization: same,
    layers.Add: merge,
    layers.Average: merge,
    layers.AveragePooling1D: window_pooling,
    layers.BatchNormalization: batch_normalization,
    layers.Concatenate: concatenate,
    layers.Conv1D: convolution,
    layers.Dense: dense,
    layers.Dot: dot,
    layers.Dropout: same,
    layers.ELU: elu,
    layers.Embedding: embedding,
    layers.Flatten: flatten,
    layers.GaussianNoise: same,
    layers.GlobalAveragePooling1D: average_pooling,
    layers.GlobalMaxPooling1D: max_pooling,
    layers.Identity: same,
    layers.LayerNormalization: layer_normalization,
    layers.LeakyReLU: leaky_relu,
    layers.Masking: masking,
    layers.MaxPooling1D: window_pooling,
    layers.Maximum: merge,
    layers.Minimum: merge,
    layers.Multiply: merge,
    layers.PReLU: prelu,
    layers.Permute: permute,
    layers.ReLU: relu,
    layers.RepeatVector: repeat_vector,
    layers.Reshape: reshape,
    layers.Softmax: softmax,
    layers.SpatialDropout1D: same,
    layers.Subtract: merge,
}
