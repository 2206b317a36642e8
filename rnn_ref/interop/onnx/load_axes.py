"""ONNX's operators that move axes about, take parts of tensors, or compute shapes."""

from __future__ import annotations

import numpy as np

from rnn_ref import layers
from rnn_ref.interop.onnx import load_constants as constants
from rnn_ref.interop.onnx.axes import Atom, Filled, Held, axis_here, made, natural, reshape


def needs_tensor(value) -> Held:
    if not isinstance(value, Held):
        raise ValueError("its input is a constant.")
    return value


def gather(reader, node) -> None:
    data, index = reader.given(node, 0), reader.given(node, 1)
    axis = reader.attributes(node, "axis").get("axis", 0)
    if isinstance(data, Filled):
        return reader.hold(node.output[0], data)
    if isinstance(data, np.ndarray) and isinstance(index, np.ndarray):
        if index.dtype.kind not in "iu" or not -data.ndim <= axis < max(data.ndim, 1):
            raise ValueError("its index is no constant of whole numbers.")
        return reader.hold(node.output[0], constants.tidy(np.take(data, index, axis=axis)))
    if isinstance(data, np.ndarray):
        if data.ndim != 2 or axis != 0 or data.dtype.kind != "f" or 0 in data.shape:
            raise ValueError(f"a table of shape {data.shape}, read along axis {axis}, is no embedding.")
        V, H = data.shape
        layer = layers.Embedding(V, H, weights=data, name=reader.name(node), dtype=str(data.dtype))
        units = (Atom(H),)
        found = Held(layer(index.tensor), [*index.own, units], [*index.axes, units])
        return reader.hold(node.output[0], found)
    if (
        not isinstance(data, Held)
        or not isinstance(index, np.ndarray)
        or index.ndim > 1
        or index.dtype.kind not in "iu"
    ):
        raise ValueError("it looks up places of a tensor that are computed.")
    tensor, batch = natural(data)
    here = axis_here(axis, data.rank, batch, "it takes places of")
    size = tensor.shape[here]
    if size is not None and index.size and not (-size <= index.min() and index.max() < size):
        raise ValueError(f"it takes the places {index.tolist()} of an axis of size {size}.")
    key = [slice(None)] * here + [int(index) if index.ndim == 0 else index]
    at = batch - (index.ndim == 0 and axis % data.rank < batch)
    return reader.hold(node.output[0], made(tensor[tuple(key)], at, data.axes[batch][0]))


def slice_(reader, node) -> None:
    value = reader.given(node, 0)
    if isinstance(value, Filled):
        return reader.hold(node.output[0], value)
    rank = value.rank if isinstance(value, Held) else value.ndim
    inputs = [reader.given(node, k) for k in range(1, 5)]
    if reader.opset < 10:
        old = reader.attributes(node, "starts", "ends", "axes")
        inputs = [np.asarray(old[n], "int64") if n in old else None for n in ("starts", "ends", "axes")] + [None]
    parts = constants.slices(rank, inputs)
    if isinstance(value, np.ndarray):
        return reader.hold(node.output[0], constants.tidy(value[tuple(parts)]))
    tensor, batch = natural(value)
    key = [slice(None)] * tensor.ndim
    for axis, part in enumerate(parts):
        if part != slice(None):
            key[axis_here(axis, rank, batch, "it slices")] = part
    return reader.hold(node.output[0], made(tensor[tuple(key)], batch, value.axes[batch][0]))


def identity(reader, node) -> None:
    if node.op_type == "Dropout" and np.any(reader.given(node, 2)):
        raise ValueError("it is written for training (training_mode).")
    reader.hold(node.output[0], reader.given(node, 0))


def cast(reader, node) -> None:
    value = reader.given(node, 0)
    if isinstance(value, np.ndarray) and value.dtype != object:
        value = reader.as_type(value, reader.attributes(node, "to", "saturate")["to"])
    reader.hold(node.output[0], value)


def transpose(reader, node) -> None:
    value = reader.given(node, 0)
    perm = reader.attributes(node, "perm").get("perm")
    if isinstance(value, Filled):
        return reader.hold(node.output[0], value)
    rank = value.rank if isinstance(value, Held) else value.ndim
    perm = list(range(rank))[::-1] if perm is None else list(perm)
    if sorted(perm) != list(range(rank)):
        raise ValueError(f"its perm is {perm}, for {rank} axes.")
    if isinstance(value, Held):
        value = Held(value.tensor, value.own, [value.axes[axis] for axis in perm])
        return reader.hold(node.output[0], value)
    return reader.hold(node.output[0], value.transpose(perm))


def _axes(reader, node, rank: int) -> list[int] | None:
    given = reader.given(node, 1)
    axes = constants.integers(given, "axes") if given is not None else reader.attributes(node, "axes").get("axes")
    if axes is None:
        return None
    if any(not -rank <= axis < rank for axis in axes) or len({axis % rank for axis in axes}) < len(axes):
        raise ValueError(f"its axes are {list(axes)}, of {rank}.")
    return sorted(axis % rank for axis in axes)


def squeeze(reader, node) -> None:
    value = reader.given(node, 0)
    if isinstance(value, Filled):
        return reader.hold(node.output[0], value)
    if isinstance(value, np.ndarray):
        axes = _axes(reader, node, value.ndim)
        return reader.hold(node.output[0], value.squeeze(None if axes is None else tuple(axes)))
    axes = _axes(reader, node, value.rank)
    if axes is None:
        raise ValueError("it drops all axes of size 1, whichever these are; it must name them.")
    for axis in axes[::-1]:
        if not value.axes[axis]:
            kept = [group for k, group in enumerate(value.axes) if k != axis]
            value = Held(value.tensor, value.own, kept)
            continue
        tensor, batch = natural(value)
        here = axis_here(axis, value.rank, batch, "it drops")
        if tensor.shape[here] != 1:
            raise ValueError(f"it drops axis {axis}, whose size is {tensor.shape[here]}.")
        value = made(tensor[(slice(None),) * here + (0,)], batch - (axis < batch), value.axes[batch][0])
    return reader.hold(node.output[0], value)


def unsqueeze(reader, node) -> None:
    value = reader.given(node, 0)
    if isinstance(value, Filled):
        return reader.hold(node.output[0], value)
    given = reader.given(node, 1)
    axes = constants.integers(given, "axes") if given is not None else reader.attributes(node, "axes").get("axes", [])
    rank = (value.rank if isinstance(value, Held) else value.ndim) + len(axes)
    if rank > 32 or any(not -rank <= axis < rank for axis in axes) or len({a % rank for a in axes}) < len(axes):
        raise ValueError(f"its axes are {list(axes)}, of {rank}.")
    places = sorted(axis % rank for axis in axes)
    if isinstance(value, np.ndarray):
        return reader.hold(node.output[0], np.expand_dims(value, tuple(places)))
    groups = list(value.axes)
    for place in places:
        groups.insert(place, ())
    return reader.hold(node.output[0], Held(value.tensor, value.own, groups))


def reshape_(reader, node) -> None:
    value, shape = reader.given(node, 0), reader.given(node, 1)
    if reader.opset < 5:
        raise ValueError("before opset 5 it cannot be read.")
    wanted = constants.sizes(shape)
    if reader.attributes(node, "allowzero").get("allowzero") and 0 in wanted:
        raise ValueError(f"its shape {wanted} holds a 0 that means an empty axis (allowzero=1).")
    if isinstance(value, Filled):
        return reader.hold(node.output[0], value)
    if isinstance(value, np.ndarray):
        if not all(isinstance(n, int) for n in wanted):
            raise ValueError("it gives a constant a shape that is not known.")
        wanted = [value.shape[k] if n == 0 and k < value.ndim else n for k, n in enumerate(wanted)]
        return reader.hold(node.output[0], value.reshape(wanted))
    return reader.hold(node.output[0], reshape(value, wanted))


def flatten(reader, node) -> None:
    value = needs_tensor(reader.given(node, 0))
    axis = reader.attributes(node, "axis").get("axis", 1)
    if not -value.rank <= axis <= value.rank:
        raise ValueError(f"its axis is {axis}, of {value.rank}.")
    axis = axis % value.rank if axis < 0 else axis
    groups = [tuple(a for g in part for a in g) for part in (value.axes[:axis], value.axes[axis:])]
    reader.hold(node.output[0], Held(value.tensor, value.own, groups))


def concat(reader, node) -> None:
    values = [reader.given(node, k) for k in range(len(node.input))]
    axis = reader.attributes(node, "axis")["axis"]
    if all(isinstance(v, np.ndarray) for v in values):
        if any(v.ndim != values[0].ndim for v in values) or not -values[0].ndim <= axis < values[0].ndim:
            raise ValueError("its constants do not fit together.")
        kind = object if any(v.dtype == object for v in values) else None
        return reader.hold(
            node.output[0], np.concatenate([v if kind is None else v.astype(kind) for v in values], axis)
        )
    if all(isinstance(v, Filled) for v in values) and len({v.value for v in values}) == 1:
        return reader.hold(node.output[0], values[0])
    if not all(isinstance(v, Held) for v in values):
        raise ValueError("it puts tensors and constants side by side.")
    found = [natural(v) for v in values]
    if len({place for _, place in found}) > 1 or len({v.rank for v in values}) > 1:
        raise ValueError("the batch stands on different axes of its inputs.")
    batch, first = found[0][1], values[0]
    here = axis_here(axis, first.rank, batch, "it puts tensors side by side along")
    layer = layers.Concatenate(axis=here - first.rank, **reader.options(node, first))
    return reader.hold(node.output[0], made(layer([t for t, _ in found]), batch, first.axes[batch][0]))


def shape(reader, node) -> None:
    value = reader.given(node, 0)
    if isinstance(value, Filled):
        raise ValueError("the shape of what is repeated to the size of the batch is not known.")
    found = value.sizes() if isinstance(value, Held) else list(value.shape)
    given = {"start": 0, "end": len(found)} | reader.attributes(node, "start", "end")
    array = np.empty(len(found), object)
    array[:] = found
    reader.hold(node.output[0], constants.tidy(array[given["start"] : given["end"]]))


def constant(reader, node) -> None:
    given = reader.attributes(node, "value", "value_float", "value_floats", "value_int", "value_ints")
    if len(given) != 1:
        raise ValueError("it holds no number.")
    ((name, value),) = given.items()
    kind = {"value_float": "float32", "value_floats": "float32", "value_int": "int64", "value_ints": "int64"}
    reader.hold(node.output[0], reader.array(value) if name == "value" else np.asarray(value, kind[name]))


def constant_of_shape(reader, node) -> None:
    value = reader.attributes(node, "value").get("value")
    found = constants.constant_of_shape(reader.given(node, 0), None if value is None else reader.array(value))
    reader.hold(node.output[0], found)


def expand(reader, node) -> None:
    value = reader.given(node, 0)
    if isinstance(value, np.ndarray):
        return reader.hold(node.output[0], constants.expand(value, reader.given(node, 1)))
    if isinstance(value, Filled):
        return reader.hold(node.output[0], value)
    raise ValueError("it repeats a tensor.")


READERS = {
    **dict.fromkeys(("Identity", "Dropout"), identity),
    "Cast": cast,
    "Concat": concat,
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "Expand": expand,
    "Flatten": flatten,
    "Gather": gather,
    "Reshape": reshape_,
    "Shape": shape,
    "Slice": slice_,
    "Squeeze": squeeze,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
