"""Which axis of each input of an ONNX graph is the batch, as determined by recurrent operators.

From each of them it is traced back to the inputs, through operators that keep samples separate. An input that reaches
no recurrent operator has the batch first.
"""

from __future__ import annotations

KEEP = {
    "Identity", "Cast", "Dropout", "Relu", "Tanh", "Sigmoid", "Softplus", "Softsign", "Elu", "Selu", "LeakyRelu",
    "Gelu", "HardSigmoid", "HardSwish", "Mish", "Celu", "Clip", "Neg", "Abs", "Exp", "Sqrt", "Softmax", "LogSoftmax",
    "LayerNormalization", "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "MatMul", "Gemm", "Concat", "Slice",
}  # fmt: skip


def batch_axes(graph) -> dict[str, int]:
    """The axis by input name, for the inputs that were reached."""
    producers = {name: node for node in graph.node for name in node.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    inputs = {place.name for place in graph.input}
    found: dict[str, int] = {}
    seen: set[tuple[str, int]] = set()
    waiting: list[tuple[str, int]] = []
    for node in graph.node:
        if node.op_type in ("RNN", "LSTM", "GRU"):
            first = any(a.name == "layout" and a.i == 1 for a in node.attribute)
            names = [*node.input, *[""] * 7]
            waiting += [(names[0], 0 if first else 1), (names[4], 0)]
            waiting += [(name, 0 if first else 1) for name in names[5:7]]
    while waiting:
        name, axis = waiting.pop()
        if not name or name in constants or (name, axis) in seen:
            continue
        seen.add((name, axis))
        if name in inputs:
            found.setdefault(name, axis)
            continue
        node = producers.get(name)
        if node is not None:
            waiting += _before(node, axis, constants)
    return found


def _before(node, axis: int, constants: dict) -> list[tuple[str, int]]:
    kind, given = node.op_type, {a.name: a for a in node.attribute}
    if kind in KEEP:
        return [(name, axis) for name in node.input[:2]]
    if kind == "Transpose" and "perm" in given and axis < len(given["perm"].ints):
        return [(node.input[0], given["perm"].ints[axis])]
    if kind == "Gather" and node.input[0] in constants:  # an embedding
        return [(node.input[1], axis)]
    if kind in ("Squeeze", "Unsqueeze"):
        moved = _axes(node, given, constants)
        if moved is None or any(a < 0 for a in moved):
            return []
        if kind == "Unsqueeze":
            return [] if axis in moved else [(node.input[0], axis - sum(a < axis for a in moved))]
        for a in sorted(moved):
            axis += a <= axis
        return [(node.input[0], axis)]
    return []


def _axes(node, given: dict, constants: dict) -> list[int] | None:
    if "axes" in given:
        return list(given["axes"].ints)
    if len(node.input) > 1 and node.input[1] in constants:
        from onnx import numpy_helper

        return [int(axis) for axis in numpy_helper.to_array(constants[node.input[1]]).reshape(-1)]
    return None
