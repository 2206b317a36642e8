"""Attention as ONNX operators: products, a softmax, and masks."""

from __future__ import annotations

import math

from rnn_ref import layers
from rnn_ref.interop.onnx.export_layers import refuse
from rnn_ref.interop.onnx.graph import Graph, Value

FAR_BELOW = 1e9


def attention(g: Graph, layer, inputs: list[Value], arguments: dict) -> list:
    """``Attention`` and ``AdditiveAttention``."""
    if any(x.ndim != 3 for x in inputs):
        refuse(layer, "inputs with more than three axes cannot be written to ONNX.")
    names = [g.as_dtype(x, layer.dtype) for x in inputs]
    query, value, key = (*names, names[1])[:3]
    given = list(arguments.get("mask", ()))[:2]
    query_mask, value_mask = [_named(g, m) for m in given] if given else [x.mask for x in inputs[:2]]
    z = _scores(g, layer, query, key)
    allowed = g.unsqueeze(value_mask, 1) if value_mask else None
    if arguments.get("use_causal_mask"):
        allowed = _both(g, allowed, _causal(g, z, 2))
    if allowed:
        z = g.add("Where", allowed, z, g.add("Sub", z, g.constant(FAR_BELOW, layer.dtype)))
    scores = g.add("Softmax", z, axis=-1)
    y = g.add("MatMul", scores, value)
    if query_mask:
        y = g.add("Where", g.unsqueeze(query_mask, 2), y, g.zero())
    return [(y, query_mask), *([(scores, None)] if arguments.get("return_attention_scores") else [])]


def _named(g: Graph, mask) -> str | None:
    """A tensor that was given as a mask."""
    return None if mask is None else g.as_dtype(mask, "bool")


def _scores(g: Graph, layer, query: str, key: str) -> str:
    if isinstance(layer, layers.Attention) and layer.score_mode == "dot":
        z = g.add("MatMul", query, g.transpose(key, 0, 2, 1))
        return z if layer.scale is None else g.add("Mul", z, g.constant(layer.scale.numpy(), wish="scale"))
    pairs = g.add("Add", g.unsqueeze(query, 2), g.unsqueeze(key, 1))
    if isinstance(layer, layers.Attention):
        if layer.scale is not None:
            pairs = g.add("Mul", pairs, g.constant(layer.scale.numpy(), wish="scale"))
        total = g.add("ReduceSum", g.add("Tanh", pairs), g.ints(-1), keepdims=0)
        return g.add("Mul", total, g.constant(layer.concat_score_weight.numpy(), wish="concat_score_weight"))
    t = g.add("Tanh", pairs)
    if layer.scale is not None:
        t = g.add("Mul", t, g.constant(layer.scale.numpy(), wish="scale"))
    return g.add("ReduceSum", t, g.ints(-1), keepdims=0)


def _both(g: Graph, a: str | None, b: str | None) -> str | None:
    return g.add("And", a, b) if a and b else a or b


def _places(g: Graph, z: str, axis: int) -> str:
    """0, 1, ... along an axis."""
    return g.add("Range", g.constant(0, "int64"), g.squeeze(g.size(z, axis), 0), g.constant(1, "int64"))


def _causal(g: Graph, z: str, axis: int, window: int | None = None, causal: bool = True) -> str | None:
    """Where ``z (..., Tq, Tv)`` may attend: only back, or less than ``window`` away; ``axis`` is that of Tv."""
    query, value = g.unsqueeze(_places(g, z, axis - 1), 1), g.unsqueeze(_places(g, z, axis), 0)
    allowed = g.add("GreaterOrEqual", query, value) if causal else None
    if window is not None:
        near = g.add("Less", g.add("Abs", g.add("Sub", query, value)), g.ints(window))
        allowed = _both(g, allowed, near)
    return allowed


def multi_head_attention(g: Graph, layer, inputs: list[Value], arguments: dict) -> list:
    if any(x.ndim != 3 for x in inputs) or layer._axes(3).free:
        refuse(layer, "attention over other axes than time cannot be written to ONNX.")
    query, value, key = (*inputs, inputs[1])[:3]
    brought = (query.mask, value.mask, inputs[2].mask if len(inputs) == 3 else None)
    given = (arguments.get(f"{what}_mask") for what in ("query", "value", "key"))
    masks = [mask if m is None else _named(g, m) for m, mask in zip(given, brought)]

    def project(part: str, name: str) -> str:
        W, b = layer._matrix(part)
        y = g.add("MatMul", name, g.constant(W, wish=f"{part}/kernel"))
        return y if b is None else g.add("Add", y, g.constant(b, wish=f"{part}/bias"))

    def heads(part: str, x: Value, features: int) -> str:
        y = g.reshape(project(part, g.as_dtype(x, layer.dtype)), 0, 0, layer.num_heads, features)
        return g.transpose(y, 0, 2, 1, 3)

    q, k = heads("query", query, layer.key_dim), heads("key", key, layer.key_dim)
    v = heads("value", value, layer.value_dim)
    q = g.add("Mul", q, g.constant(1 / math.sqrt(layer.key_dim), layer.dtype))
    z = g.add("MatMul", q, g.transpose(k, 0, 1, 3, 2))
    allowed = None
    if masks[0]:
        allowed = g.unsqueeze(masks[0], 1, 3)
    for mask in masks[1:]:
        allowed = _both(g, allowed, g.unsqueeze(mask, 1, 2)) if mask else allowed
    causal, window = bool(arguments.get("use_causal_mask")), layer.sliding_window
    if causal or window is not None:
        allowed = _both(g, allowed, _causal(g, z, 3, window, causal))
    if arguments.get("attention_mask") is not None:
        given = arguments["attention_mask"]
        name = g.as_dtype(given, "bool") if isinstance(given, Value) else g.constant(given, "bool")
        rank = given.ndim
        allowed = _both(g, allowed, g.unsqueeze(name, 1) if rank == 3 else name)
    if allowed:
        z = g.add("Where", allowed, z, g.constant(-FAR_BELOW, layer.dtype))
    weights = g.add("Softmax", z, axis=-1)
    if allowed:
        weights = g.add("Where", allowed, weights, g.zero())
    found = g.reshape(g.transpose(g.add("MatMul", weights, v), 0, 2, 1, 3), 0, 0, layer.num_heads * layer.value_dim)
    if layer.use_gate:
        found = g.add("Mul", found, g.add("Sigmoid", project("gate", g.as_dtype(query, layer.dtype))))
    y = project("attention_output", found)
    if layer.features and len(layer.features) > 1:
        y = g.reshape(y, 0, 0, *layer.features)
    # As in the layer, the mask passed on is that of the query.
    return [(y, query.mask), *([(weights, None)] if arguments.get("return_attention_scores") else [])]


EXPORTERS = {
    layers.AdditiveAttention: attention,
    layers.Attention: attention,
    layers.MultiHeadAttention: multi_head_attention,
}
