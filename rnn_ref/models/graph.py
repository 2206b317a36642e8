"""The graph between symbolic tensors: which calls lead from a model's inputs to its outputs, and in which order."""

from __future__ import annotations

from rnn_ref.layers.input import Input, InputLayer
from rnn_ref.layers.symbolic import Node, SymbolicTensor, replace


def calls_between(inputs: list[SymbolicTensor], outputs: list[SymbolicTensor], model: str) -> list[Node]:
    """All calls that the outputs depend on, up to the inputs, each after the calls it takes tensors from.

    Raises
    ------
    ValueError
        If an output depends on an ``Input`` that is not among the inputs.
    """
    stop, done, order = set(inputs), set(), []
    stack = [(t.node, False) for t in reversed(outputs) if t not in stop]
    while stack:
        node, is_ready = stack.pop()
        if node in done:
            continue
        if is_ready:  # everything it depends on is already in the list
            done.add(node)
            order.append(node)
            continue
        if isinstance(node.layer, InputLayer):
            raise ValueError(
                f"{model}: the graph is not connected: the outputs depend on the Input {node.layer.name!r}, which is "
                f"not among the inputs {[t.name for t in inputs]}. Add it to them."
            )
        stack.append((node, True))
        stack.extend((t.node, False) for t in reversed(node.tensors()) if t not in stop)
    return order


def cut(inputs: list[SymbolicTensor], outputs: list[SymbolicTensor], order: list[Node]):
    """The same calls on new tensors, with a new ``Input`` for every input that is the output of a layer.

    Returns
    -------
    inputs, outputs : list of SymbolicTensor
    order : list of Node
    """
    own = {t: t if isinstance(t.node.layer, InputLayer) else Input(batch_shape=t.shape, dtype=t.dtype) for t in inputs}
    copies = []
    for node in order:
        copy = Node(node.layer, replace(node.inputs, own.get), replace(node.arguments, own.get))
        for t in node.outputs:
            copy.outputs.append(SymbolicTensor(t.shape, t.dtype, t.name, copy))
            own.setdefault(t, copy.outputs[-1])
        copies.append(copy)
    return [own[t] for t in inputs], [own[t] for t in outputs], copies


def in_order_of_depth(order: list[Node], inputs: list[Node], outputs: list[Node]) -> tuple[list[Node], list]:
    """Calls and layers as Keras lists them: those farthest from the outputs first.

    A layer's depth is the largest of its calls' depths; layers of the same depth come in the order in which a search
    from the outputs finds them. Weights are in this order in Keras's files.

    Returns
    -------
    calls : list of Node
        Including the inputs.
    layers : list of Layer
    """
    depth: dict[Node, int] = {}
    layer_depth: dict = {}
    for node in reversed(order):
        depth[node] = layer_depth[node.layer] = max(depth.get(node, 0), layer_depth.get(node.layer, 0))
        for tensor in node.tensors():
            depth[tensor.node] = max(depth[node] + 1, depth.get(tensor.node, 0))
    for node in inputs:
        layer_depth[node.layer] = depth.setdefault(node, 0)
    found = _depth_first(outputs) + inputs
    place = {node.layer: k for k, node in reversed(list(enumerate(found)))}
    layers = sorted(layer_depth, key=lambda layer: (-layer_depth[layer], place[layer]))
    return sorted([*dict.fromkeys(inputs), *order], key=lambda node: -depth[node]), layers


def _depth_first(outputs: list[Node]) -> list[Node]:
    """List a call before those it depends on."""
    found: dict[Node, None] = {}
    stack = outputs[::-1]
    while stack:
        node = stack.pop()
        if node not in found:
            found[node] = None
            stack.extend(tensor.node for tensor in reversed(node.tensors()))
    return list(found)
