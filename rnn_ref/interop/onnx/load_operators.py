"""ONNX's activations, arithmetic, products and normalizations as layers. Each function gets the reader and the node, "
"and holds what comes out."""

from __future__ import annotations

import numpy as np

from rnn_ref import layers
from rnn_ref.interop.onnx import load_axes
from rnn_ref.interop.onnx import load_constants as constants
from rnn_ref.interop.onnx.axes import Atom, Filled, Held, arranged, axis_here, constant_here, made, natural
from rnn_ref.interop.onnx.load_axes import needs_tensor
from rnn_ref.interop.onnx.load_recurrent import recurrent
from rnn_ref.layers.operators import operate


def pointwise(reader, node, value: Held, layer) -> None:
    """A layer that works on every number by itself: the axes stay as they are."""
    reader.hold(node.output[0], Held(layer(value.tensor), value.own, value.axes))


# -- activations ----------------------------------------------------------------------------------------------

ACTIVATIONS = {
    "Relu": ("relu", {}),
    "Tanh": ("tanh", {}),
    "Sigmoid": ("sigmoid", {}),
    "Softplus": ("softplus", {}),
    "Softsign": ("softsign", {}),
    "Exp": ("exponential", {}),
    "HardSwish": ("hard_silu", {}),
    "Mish": ("mish", {}),
    "Elu": ("elu", {"alpha": 1.0}),
    "Celu": ("celu", {"alpha": 1.0}),
    "LeakyRelu": ("leaky_relu", {"alpha": 0.01}),
}
OPTION = {"leaky_relu": "negative_slope"}


def activation(reader, node) -> None:
    value = reader.given(node, 0)
    if isinstance(value, np.ndarray) and node.op_type in constants.UNARY:
        return reader.hold(node.output[0], constants.UNARY[node.op_type](value))
    name, defaults = ACTIVATIONS[node.op_type]
    given = defaults | reader.attributes(node, *defaults)
    found = layers.activations.get(name)
    if "alpha" in given:
        found = found.with_options(**{OPTION.get(name, "alpha"): float(given["alpha"])})
    return pointwise(reader, node, needs_tensor(value), layers.Activation(found, **reader.options(node, value)))


def hard_sigmoid(reader, node) -> None:
    given = {"alpha": 0.2, "beta": 0.5} | reader.attributes(node, "alpha", "beta")
    slopes = {"hard_sigmoid": 1 / 6, "hard_sigmoid_legacy": 0.2}
    name = next((n for n, slope in slopes.items() if np.isclose(given["alpha"], slope) and given["beta"] == 0.5), None)
    if name is None:
        raise ValueError(f"a hard sigmoid {given['alpha']} x + {given['beta']} is not there; {slopes} x + 0.5 are.")
    value = needs_tensor(reader.given(node, 0))
    pointwise(reader, node, value, layers.Activation(name, **reader.options(node, value)))


def selu(reader, node) -> None:
    given = {"alpha": 1.6732632, "gamma": 1.0507010} | reader.attributes(node, "alpha", "gamma")
    if not np.allclose([given["alpha"], given["gamma"]], [1.6732632, 1.0507010], rtol=1e-6):
        raise ValueError(f"a selu with {given} is not there.")
    value = needs_tensor(reader.given(node, 0))
    pointwise(reader, node, value, layers.Activation("selu", **reader.options(node, value)))


def gelu(reader, node) -> None:
    how = reader.attributes(node, "approximate").get("approximate", "none")
    found = layers.activations.gelu.with_options(approximate=how == "tanh")
    value = needs_tensor(reader.given(node, 0))
    pointwise(reader, node, value, layers.Activation(found, **reader.options(node, value)))


def clip(reader, node) -> None:
    value = needs_tensor(reader.given(node, 0))
    bounds = [reader.given(node, k) for k in (1, 2)]
    if node.attribute:
        old = reader.attributes(node, "min", "max")
        bounds = [np.asarray(old[name]) if name in old else None for name in ("min", "max")]
    low, high = (None if b is None else float(np.asarray(b).reshape(-1)[0]) for b in bounds)
    name = {(0.0, 6.0): "relu6", (-1.0, 1.0): "hard_tanh"}.get((low, high))
    if name is None:
        raise ValueError(f"it clips to [{low}, {high}]; [0, 6] and [-1, 1] are there.")
    pointwise(reader, node, value, layers.Activation(name, **reader.options(node, value)))


def softmax(reader, node) -> None:
    value = needs_tensor(reader.given(node, 0))
    tensor, batch = natural(value)
    axis = reader.attributes(node, "axis").get("axis", -1 if reader.opset >= 13 else 1)
    if reader.opset < 13 and axis % value.rank != value.rank - 1:
        raise ValueError("before opset 13 a softmax over another than the last axis puts axes together.")
    here = axis_here(axis, value.rank, batch, "it is over")
    if node.op_type == "LogSoftmax":
        found = layers.activations.log_softmax.with_options(axis=here - tensor.ndim)
        layer = layers.Activation(found, **reader.options(node, value))
    else:
        layer = layers.Softmax(axis=here - tensor.ndim, **reader.options(node, value))
    reader.hold_natural(node, layer(tensor), value)


# -- arithmetic -----------------------------------------------------------------------------------------------

OPERATORS = {"Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "true_divide", "Pow": "power"}


def binary(reader, node) -> None:
    a, b = reader.given(node, 0), reader.given(node, 1)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return reader.hold(node.output[0], constants.binary(node.op_type, a, b))
    if isinstance(a, Filled) or isinstance(b, Filled) or len(node.input) != 2:
        raise ValueError("it computes with numbers that are repeated to the size of the batch.")
    rank = max(v.rank if isinstance(v, Held) else v.ndim for v in (a, b))
    held = next(v for v in (a, b) if isinstance(v, Held))
    tensors, batch = [], None
    for v in (a, b):
        if isinstance(v, Held):
            tensor, place = natural(v)
            place += rank - v.rank
            if batch not in (None, place) or v.rank != rank:
                raise ValueError("the batch stands on different axes of its inputs.")
            batch = place
            tensors.append(tensor)
        else:
            tensors.append(v)
    options = reader.options(node, held)
    tensors = [
        constant_here(t, rank, batch).astype(options["dtype"]) if isinstance(t, np.ndarray) else t for t in tensors
    ]
    if node.op_type in ("Min", "Max"):
        if any(isinstance(t, np.ndarray) for t in tensors):
            raise ValueError("of a tensor and a constant it is not there.")
        y = (layers.Minimum if node.op_type == "Min" else layers.Maximum)(**options)(tensors)
    else:
        y = operate(OPERATORS[node.op_type], *tensors)
    return reader.hold(node.output[0], made(y, batch, held.axes[held.batch][0]))


def unary(reader, node) -> None:
    value = reader.given(node, 0)
    if isinstance(value, np.ndarray):
        return reader.hold(node.output[0], constants.UNARY[node.op_type](value))
    name = {"Neg": "negative", "Abs": "absolute"}.get(node.op_type)
    value = needs_tensor(value)
    y = operate(name, value.tensor) if name else operate("power", value.tensor, 0.5)
    return reader.hold(node.output[0], Held(y, value.own, value.axes))


def matmul(reader, node) -> None:
    a, b = reader.given(node, 0), reader.given(node, 1)
    if isinstance(a, Held) and isinstance(b, np.ndarray):
        if b.ndim != 2:
            raise ValueError(f"the constant is of shape {b.shape}; a matrix is expected.")
        bias, output = reader.bias_after(node, b.shape[1])
        return dense(reader, node, a, b, bias, output)
    if not isinstance(a, Held) or not isinstance(b, Held):
        raise ValueError("it multiplies a constant by a tensor; a tensor by a constant, or two tensors, can be read.")
    (x, batch), (y, other) = natural(a), natural(b)
    if batch != 0 or other != 0 or a.rank != b.rank or a.rank < 3:
        raise ValueError("its two tensors are no batches of matrices.")
    return reader.hold(node.output[0], made(operate("matmul", x, y), 0, a.axes[0][0]))


def gemm(reader, node) -> None:
    given = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0} | reader.attributes(
        node, "alpha", "beta", "transA", "transB"
    )
    a, b, c = (reader.given(node, k) for k in range(3))
    if not isinstance(a, Held) or not isinstance(b, np.ndarray) or b.ndim != 2 or given["transA"]:
        raise ValueError("it is not a tensor times a constant matrix.")
    kernel = (b.T if given["transB"] else b) * np.asarray(given["alpha"], b.dtype)
    if c is not None:
        if not isinstance(c, np.ndarray) or c.size not in (1, kernel.shape[1]) or c.shape[-1:] not in ((), (c.size,)):
            raise ValueError("what it adds is no constant for each output.")
        c = np.broadcast_to(c.reshape(-1) * np.asarray(given["beta"], b.dtype), kernel.shape[1:])
    dense(reader, node, a, kernel, c, node.output[0])


def dense(reader, node, value: Held, kernel, bias, output: str) -> None:
    """``Dense`` on the last axis; the others stay as they are."""
    if kernel.dtype.kind != "f" or 0 in kernel.shape:
        raise ValueError(f"the constant is {kernel.dtype} {kernel.shape}.")
    last = value.axes[-1]
    if value.own[-1] != last:
        value = _last_apart(value)
        last = value.axes[-1]
    layer = layers.Dense(kernel.shape[1], use_bias=bias is not None, name=reader.name(node), dtype=str(kernel.dtype))
    if value.tensor.shape[-1] != kernel.shape[0]:
        raise ValueError(f"its input has {value.tensor.shape[-1]} features, its constant {kernel.shape[0]}.")
    layer.ensure_built(value.tensor.shape)
    layer.set_weights([kernel] if bias is None else [kernel, bias.astype(kernel.dtype)])
    units = (Atom(kernel.shape[1]),)
    reader.hold(output, Held(layer(value.tensor), [*value.own[:-1], units], [*value.axes[:-1], units]))


def _last_apart(value: Held) -> Held:
    """With ONNX's last axis as the last of the tensor."""
    rest = [g for g in ((a,) for group in value.axes[:-1] for a in group) if not g[0].batch]
    first = next((a,) for group in value.axes for a in group if a.batch)
    own = [first, *rest, value.axes[-1]]
    return Held(arranged(value, own), own, value.axes)


# -- normalization and convolution ----------------------------------------------------------------------------


def layer_normalization(reader, node) -> None:
    value = needs_tensor(reader.given(node, 0))
    scale, bias = reader.given(node, 1), reader.given(node, 2)
    given = {"axis": -1, "epsilon": 1e-5} | reader.attributes(node, "axis", "epsilon", "stash_type")
    if given["axis"] not in (-1, value.rank - 1) or not isinstance(scale, np.ndarray) or len(node.output) > 1:
        raise ValueError("it is not over the last axis alone, with constant weights.")
    if scale.ndim != 1 or (bias is not None and (not isinstance(bias, np.ndarray) or bias.shape != scale.shape)):
        raise ValueError(f"its scale has shape {scale.shape}.")
    tensor, _ = natural(value)
    layer = layers.LayerNormalization(
        epsilon=given["epsilon"], center=bias is not None, name=reader.name(node), dtype=str(scale.dtype)
    )
    layer.ensure_built(tensor.shape)
    layer.set_weights([scale] if bias is None else [scale, bias])
    reader.hold_natural(node, layer(tensor), value)


def batch_normalization(reader, node) -> None:
    value = needs_tensor(reader.given(node, 0))
    weights = [reader.given(node, k) for k in range(1, 5)]
    given = {"epsilon": 1e-5} | reader.attributes(node, "epsilon", "momentum", "training_mode", "spatial")
    if not all(isinstance(w, np.ndarray) and w.ndim == 1 for w in weights) or given.get("training_mode"):
        raise ValueError("its weights are no constants, or it is written for training.")
    tensor, batch = natural(value)
    axis = axis_here(1, value.rank, batch)
    options = {"axis": axis, "epsilon": given["epsilon"], "momentum": given.get("momentum", 0.9)}
    layer = layers.BatchNormalization(**options, name=reader.name(node), dtype=str(weights[0].dtype))
    layer.ensure_built(tensor.shape)
    layer.set_weights(weights)
    reader.hold_natural(node, layer(tensor), value)


def convolution(reader, node) -> None:
    value, kernel, bias = needs_tensor(reader.given(node, 0)), reader.given(node, 1), reader.given(node, 2)
    given = reader.attributes(node, "auto_pad", "dilations", "group", "kernel_shape", "pads", "strides")
    if not isinstance(kernel, np.ndarray) or kernel.ndim != 3 or value.rank != 3 or 0 in kernel.shape:
        raise ValueError("it is no convolution over one axis, (batch, features, time), with a constant kernel.")
    stride, dilation = given.get("strides", [1])[0], given.get("dilations", [1])[0]
    reach = (kernel.shape[2] - 1) * dilation
    pads, auto = list(given.get("pads", [0, 0])), given.get("auto_pad", "NOTSET")
    padding = {"VALID": "valid", "SAME_UPPER": "same"}.get(auto)
    if auto == "NOTSET":
        same = "same" if stride == 1 and pads == [reach // 2, reach - reach // 2] else None
        padding = "valid" if pads == [0, 0] else "causal" if pads == [reach, 0] else same
    if padding is None:
        raise ValueError(f"it pads by {pads}, auto_pad={auto}; none, 'same' and 'causal' are there.")
    tensor, _ = natural(value)
    layer = layers.Conv1D(
        kernel.shape[0], kernel.shape[2], strides=stride, padding=padding, data_format="channels_first",
        dilation_rate=dilation, groups=given.get("group", 1), use_bias=bias is not None, name=reader.name(node),
        dtype=str(kernel.dtype),
    )  # fmt: skip
    layer.ensure_built(tensor.shape)
    layer.set_weights([kernel.transpose(2, 1, 0), *([] if bias is None else [bias])])
    reader.hold_natural(node, layer(tensor), value)


def reduction(reader, node) -> None:
    value = needs_tensor(reader.given(node, 0))
    given = {"keepdims": 1} | reader.attributes(node, "axes", "keepdims", "noop_with_empty_axes")
    axes = given.get("axes") or constants.integers(reader.given(node, 1), "axes")
    tensor, batch = natural(value)
    if len(axes) != 1 or value.rank != 3:
        raise ValueError(f"it is over the axes {axes} of {value.rank}; one of three can be.")
    here = axis_here(axes[0], 3, batch, "it is over")
    pool = layers.GlobalAveragePooling1D if node.op_type == "ReduceMean" else layers.GlobalMaxPooling1D
    form = "channels_last" if here == 1 else "channels_first"
    layer = pool(data_format=form, keepdims=bool(given["keepdims"]), **reader.options(node, value))
    y = layer(tensor)
    at = batch if given["keepdims"] or axes[0] % 3 > batch else batch - 1
    reader.hold(node.output[0], made(y, at, value.axes[batch][0]))


READERS = {
    **load_axes.READERS,
    **dict.fromkeys(ACTIVATIONS, activation),
    **dict.fromkeys((*OPERATORS, "Min", "Max"), binary),
    **dict.fromkeys(("Neg", "Abs", "Sqrt"), unary),
    **dict.fromkeys(("RNN", "LSTM", "GRU"), recurrent),
    **dict.fromkeys(("Softmax", "LogSoftmax"), softmax),
    **dict.fromkeys(("ReduceMean", "ReduceMax"), reduction),
    "BatchNormalization": batch_normalization,
    "Clip": clip,
    "Conv": convolution,
    "Gelu": gelu,
    "Gemm": gemm,
    "HardSigmoid": hard_sigmoid,
    "LayerNormalization": layer_normalization,
    "MatMul": matmul,
    "Selu": selu,
}
