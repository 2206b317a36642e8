"""The terms of each kind of layer: one function for each, next to its equation."""

from __future__ import annotations

import ast
from dataclasses import replace

import numpy as np

from rnn_ref import layers
from rnn_ref.inspection.derivation import Derivation, Size, combine, leaf
from rnn_ref.inspection.formulas import Integer, size
from rnn_ref.inspection.known_cells import is_known, kind_of
from rnn_ref.inspection.other_frameworks import elsewhere
from rnn_ref.layers.attention_base import BaseAttention
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.layer import Layer
from rnn_ref.layers.written_cell import WrittenCell

F, H, V, D, N, S, K = (size(letter) for letter in "FHVDNSK")


def derive(layer: Layer, seen: set | None = None) -> Derivation:
    """The derivation of any layer; ``seen`` holds the layers that a model has counted already."""
    if seen is not None:
        if id(layer) in seen:
            return leaf(layer, f"{type(layer).__name__}, counted above", (), ())
        seen.add(id(layer))
    for kind, rule in RULES.items():
        # The rule does not cover a subclass that makes weights of its own.
        if isinstance(layer, kind) and type(layer).build is kind.build:
            return rule(layer, seen)
    return any_layer(layer, seen)


# -- recurrent layers -------------------------------------------------------------------------------------


def recurrent_cell(cell: Cell, seen) -> Derivation:
    """SimpleRNN, LSTM, GRU: for every gate a kernel, a recurrent kernel and a bias (GRU with reset_after: two)."""
    if kind_of(cell) is None:  # its weights as they are, since their use is unknown
        return any_layer(cell, seen)
    gates = cell.GATES if cell.blocks > 1 else ()
    terms = [("kernel", (F, H), gates), ("recurrent kernel", (H, H), gates)]
    two = getattr(cell, "reset_after", False)
    if cell.use_bias:
        terms += [("input bias", (H,), gates), ("recurrent bias", (H,), gates)] if two else [("bias", (H,), gates)]
    sizes = (Size(F, cell.kernel.shape[0], "input features"), Size(H, cell.units, "units"))
    # Between gates and states: LSTM f c, i g, o tanh(c); GRU r q (or r h), z h, (1 - z) g; SimpleRNN nothing.
    pointwise = 3 * H if gates else Integer(0)
    states = len(cell.STATES)
    return leaf(
        cell,
        type(cell).__name__,
        sizes,
        terms,
        multiplication_formula=cell.blocks * (F * H + H**2) + pointwise,
        state_formula=states * H,
        state_bytes=states * cell.units * np.dtype(cell.dtype).itemsize,
        elsewhere=elsewhere(cell, F, H, sizes),
    )


def written_cell(cell: WrittenCell, seen) -> Derivation:
    """A cell written as equations: a block of kernel or recurrent kernel for each product in them."""
    if not is_known(cell):
        return any_layer(cell, seen)
    record = cell.record

    def of(gates) -> tuple[str, ...]:
        return tuple(gate.name for gate in gates) if len(record.gates) > 1 else ()

    terms = [("kernel", (F, H), of(record.x_gates))]
    terms += [("recurrent kernel", (H, H), of(record.h_gates))] if record.h_gates else []
    if cell.use_bias:
        terms += [("bias", (H,), of(record.x_gates))]
        terms += [("recurrent bias", (H,), of(record.q_gates))] if record.q_gates else []
    terms += [(name, (H,) if weight.per_unit else (1,)) for name, weight in cell.equations.weights.items()]
    lines = [node for line in cell.equations.lines for node in ast.walk(line.expression)]
    pointwise = sum(isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)) for node in lines)
    states = len(cell.STATES)
    return leaf(
        cell,
        type(cell).__name__,
        (Size(F, cell.kernel.shape[0], "input features"), Size(H, cell.units, "units")),
        terms,
        multiplication_formula=len(record.x_gates) * F * H + len(record.h_gates) * H**2 + pointwise * H,
        state_formula=states * H,
        state_bytes=states * cell.units * np.dtype(cell.dtype).itemsize,
    )


def recurrent_layer(layer: layers.RNN, seen) -> Derivation:
    """A recurrent layer has the parameters of its cell."""
    cell = derive(layer.cell, seen)
    kind = type(layer).__name__ + (f" of {cell.kind}" if type(layer) is layers.RNN else "")
    return replace(cell, name=layer.name, kind=kind)


def custom_cell(cell: layers.CustomCell, seen) -> Derivation:
    """A user's own cell: its weights as they are."""
    inside = derive(cell.custom, seen) if cell.is_layer else leaf(cell, type(cell.custom).__name__, (), ())
    numbers = sum(int(np.prod(s)) for s in cell.state_sizes)
    state = {"state_formula": Integer(numbers), "state_bytes": numbers * np.dtype(cell.dtype).itemsize}
    return replace(inside, **state, multiplication_formula=None)


def stacked_cells(cells: layers.StackedRNNCells, seen) -> Derivation:
    """The sum over the cells; each has the units of the one below as features."""
    return combine(cells, type(cells).__name__, [_short_name(derive(cell, seen)) for cell in cells.cells])


def bidirectional(layer: layers.Bidirectional, seen) -> Derivation:
    """Two layers, each with weights of its own; merging their outputs needs none."""
    return combine(layer, type(layer).__name__, [derive(direction, seen) for direction in layer.directions])


def wrapper(layer: layers.Wrapper, seen) -> Derivation:
    """The wrapped layer; TimeDistributed applies the same weights at every time step."""
    inside = derive(layer.layer, seen)
    return combine(layer, f"{type(layer).__name__} of {inside.kind}", [inside])


# -- other layers -----------------------------------------------------------------------------------------


def dense(layer: layers.Dense, seen) -> Derivation:
    """``activation(x W + b)``"""
    sizes = (Size(F, layer.kernel.shape[0], "input features"), Size(H, layer.units, "units"))
    terms = [("kernel", (F, H))] + [("bias", (H,))] * layer.use_bias
    return leaf(layer, "Dense", sizes, terms, multiplication_formula=F * H)


def embedding(layer: layers.Embedding, seen) -> Derivation:
    """A table; lookups take no multiplication."""
    sizes = (Size(V, layer.input_dim, "tokens"), Size(H, layer.output_dim, "numbers for each token"))
    return leaf(layer, "Embedding", sizes, [("embeddings", (V, H))], multiplication_formula=Integer(0))


def layer_normalization(layer: layers.LayerNormalization, seen) -> Derivation:
    """``y = γ (x - mean) / std + β``"""
    count = int(np.prod([layer.input_shape[axis] for axis in layer.axes(layer.input_shape)]))
    terms = [("gamma", (N,))] * layer.scale + [("beta", (N,))] * layer.center
    sizes = (Size(N, count, "normalized numbers"),)
    # The squares of the variance, the product with 1/std, the product with γ.
    return leaf(layer, "LayerNormalization", sizes, terms, multiplication_formula=(2 + layer.scale) * N)


def rms_normalization(layer: layers.RMSNormalization, seen) -> Derivation:
    """``y = γ x / sqrt(mean(x²) + ε)``"""
    # The squares, the product with 1/root, the product with γ.
    sizes = (Size(N, int(np.prod(layer.scale.shape)), "normalized numbers"),)
    return leaf(layer, "RMSNormalization", sizes, [("scale", (N,))], multiplication_formula=3 * N)


def group_normalization(layer: layers.GroupNormalization, seen) -> Derivation:
    """``y = γ (x - mean) / std + β``, for one position of the sequence."""
    terms = [("gamma", (F,))] * layer.scale + [("beta", (F,))] * layer.center
    sizes = (Size(F, layer._sizes[0], "features"),)
    return leaf(layer, "GroupNormalization", sizes, terms, multiplication_formula=(2 + layer.scale) * F)


def batch_normalization(layer: layers.BatchNormalization, seen) -> Derivation:
    """``y = γ (x - moving mean) / moving std + β``; the moving ones count, though no optimizer changes them."""
    terms = [("gamma", (F,))] * layer.scale + [("beta", (F,))] * layer.center
    terms += [("moving mean", (F,)), ("moving variance", (F,))]
    sizes = (Size(F, layer._sizes[0], "features"),)
    return leaf(layer, "BatchNormalization", sizes, terms, multiplication_formula=(1 + layer.scale) * F)


def convolution(layer: layers.Conv1D, seen) -> Derivation:
    """``z = Σ_k x[k] W[k] + b``, for one step of the output; with groups, F counts the features of one group."""
    width, features, filters = layer.kernel.shape
    seen_by_one = "input features" if layer.groups == 1 else f"input features of each of {layer.groups} groups"
    sizes = (Size(K, width, "steps in a window"), Size(F, features, seen_by_one), Size(H, filters, "filters"))
    terms = [("kernel", (K, F, H))] + [("bias", (H,))] * layer.use_bias
    return leaf(layer, "Conv1D", sizes, terms, multiplication_formula=K * F * H)


def multi_head_attention(layer: layers.MultiHeadAttention, seen) -> Derivation:
    """Four projections, or five; the number of multiplications per step depends on the lengths of both sequences."""
    query, value, key = layer._widths
    out = int(np.prod(layer.features or (query,)))
    A, C, E, O = (size(letter) for letter in "ACEO")
    sizes = [
        Size(A, query, "features of the query"),
        Size(C, key, "features of the key"),
        Size(E, value, "features of the value"),
        Size(N, layer.num_heads, "heads"),
        Size(D, layer.key_dim, "features of query and key in a head"),
        Size(H, layer.value_dim, "features of the value in a head"),
        Size(O, out, "features of the output"),
    ]
    terms = []
    for part, kernel, bias in (
        ("query", (A, N, D), (N, D)),
        ("key", (C, N, D), (N, D)),
        *([("gate", (A, N, H), (N, H))] if layer.use_gate else []),
        ("value", (E, N, H), (N, H)),
        ("output", (N, H, O), (O,)),
    ):
        terms += [(f"{part} kernel", kernel)] + [(f"{part} bias", bias)] * layer.use_bias
    return leaf(layer, "MultiHeadAttention", sizes, terms, multiplication_formula=None)


def attention(layer: BaseAttention, seen) -> Derivation:
    """Scores of one query against S keys with D features, and the average of S values with H numbers."""
    query, value = layer.input_shape[:2]
    sizes = [Size(D, query[-1], "features of query and key"), Size(H, value[-1], "numbers in a value")]
    if value[1] is not None:
        sizes.append(Size(S, value[1], "values attended to"))
    terms, weighing = [], S * H
    if isinstance(layer, layers.AdditiveAttention):
        terms += [("scale", (D,))] * layer.use_scale
        scoring = S * D if layer.use_scale else Integer(0)
    else:
        terms += [("scale", ())] * layer.use_scale
        if layer.score_mode == "dot":
            scoring = S * D + (S if layer.use_scale else 0)
        else:
            terms += [("concat score weight", ())]
            scoring = S + (S * D if layer.use_scale else 0)
    return leaf(layer, type(layer).__name__, sizes, terms, multiplication_formula=scoring + weighing)


def any_layer(layer: Layer, seen) -> Derivation:
    """Weights of the layer itself, one term each, and the layers inside."""
    is_model = hasattr(layer, "walk_layers")
    if is_model and seen is None:
        seen = set()  # a model counts a layer in several places once
    kind = type(layer).__name__
    terms = [(name, weight.shape) for name, weight in layer._weights.items()]
    inside = [derive(each, seen) for each in layer.sublayers()]
    if not inside and not is_model:
        multiplications = Integer(0) if isinstance(layer, MOVES_DATA) else None
        return leaf(layer, kind, (), terms, multiplication_formula=multiplications)
    own = [leaf(layer, f"{kind}, its own", (), terms)] if terms else []
    return combine(layer, kind, [*inside, *own], is_model=is_model)


# Layers without weights that copy, choose, add, or (in inference) do nothing.
MOVES_DATA = (
    layers.Add, layers.Concatenate, layers.Dropout, layers.Flatten, layers.GaussianNoise, layers.GlobalMaxPooling1D,
    layers.Identity, layers.MaxPooling1D,
    layers.InputLayer, layers.Masking, layers.Maximum, layers.Minimum, layers.Permute, layers.RepeatVector,
    layers.Reshape, layers.SpatialDropout1D, layers.Subtract,
)  # fmt: skip

RULES = {
    layers.SimpleRNNCell: recurrent_cell,
    layers.LSTMCell: recurrent_cell,
    layers.GRUCell: recurrent_cell,
    WrittenCell: written_cell,
    layers.CustomCell: custom_cell,
    layers.StackedRNNCells: stacked_cells,
    layers.RNN: recurrent_layer,
    layers.Bidirectional: bidirectional,
    layers.Wrapper: wrapper,
    layers.TimeDistributed: wrapper,
    layers.Dense: dense,
    layers.Embedding: embedding,
    layers.LayerNormalization: layer_normalization,
    layers.RMSNormalization: rms_normalization,
    layers.GroupNormalization: group_normalization,
    layers.BatchNormalization: batch_normalization,
    layers.Conv1D: convolution,
    layers.MultiHeadAttention: multi_head_attention,
    layers.Attention: attention,
    layers.AdditiveAttention: attention,
}


def _short_name(derivation: Derivation) -> Derivation:
    """Cells are prefixed by the name of their layer."""
    return replace(derivation, name=derivation.name.rpartition("/")[2])
