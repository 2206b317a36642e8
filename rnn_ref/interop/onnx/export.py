"""A model as an ONNX graph: its layer calls in order, each as the operators that compute the same in inference."""

from __future__ import annotations

import numpy as np

from rnn_ref import layers
from rnn_ref.guard import explained
from rnn_ref.interop.onnx import export_attention, export_layers
from rnn_ref.interop.onnx.export_layers import refuse
from rnn_ref.interop.onnx.export_recurrent import recurrent
from rnn_ref.interop.onnx.graph import OPSET, Graph, Value, live
from rnn_ref.interop.onnx.recurrent_weights import STATES
from rnn_ref.layers.operators import Operator
from rnn_ref.layers.symbolic import entries, is_shape, leaves, replace, shapes_of
from rnn_ref.layers.variable import Variable
from rnn_ref.models import Model, Sequential
from rnn_ref.models.functional import Functional
from rnn_ref.version import __version__
from rnn_ref.writing import replacing

EXPORTERS = (
    export_layers.EXPORTERS
    | export_attention.EXPORTERS
    | dict.fromkeys((layers.RNN, layers.SimpleRNN, layers.LSTM, layers.GRU, layers.Bidirectional), recurrent)
    | {Operator: export_layers.operator}
)
_COMPUTES = ("forward", "call", "run", "compute_mask", "__call__", "get_initial_state", "compute_output_shape")


@explained
def export(model: Model, path=None):
    """Write a model to an ONNX file: what it computes in inference.

    Parameters
    ----------
    model : Sequential or functional Model
        Built. Inputs and outputs have the names of ``model.input_names`` and ``model.output_names``; sizes that are
        None stay dynamic.
    path : str or Path, optional
        Of the file, which is written completely or not at all.

    Returns
    -------
    onnx.ModelProto
        Checked by ``onnx.checker``.

    Raises
    ------
    NotImplementedError
        Names the layer, and what has no equivalent in ONNX: a custom cell, an activation that the recurrent operators
        do not have, ``stateful``, ``Lambda``, a layer or model with a ``call`` of its own.

    Notes
    -----
    Dropout and noise are omitted. Masks are computed in the graph and act as they do here, with gaps or padding on
    either side: see :mod:`rnn_ref.interop.onnx.export_recurrent`.

    References
    ----------
    https://onnx.ai/onnx/operators/

    Examples
    --------
    >>> import rnn_ref
    >>> x = rnn_ref.Input((None, 3), name="x")
    >>> made = export(rnn_ref.Sequential([x, rnn_ref.layers.LSTM(4, name="memory")]))
    >>> [node.op_type for node in made.graph.node if node.op_type == "LSTM"]
    ['LSTM']
    """
    if not isinstance(model, Model):
        raise TypeError(f"export takes a Sequential or a functional Model, got {type(model).__name__}.")
    if not model.built or not isinstance(model, (Sequential, Functional)):
        raise ValueError(
            f"{model.name}: export needs to know the graph between layers: a Sequential that is built (start it with "
            "an "
            "Input), or Model(inputs, outputs)."
        )
    g = Graph()
    onnx, helper = g.onnx, g.onnx.helper
    places, outputs, inputs = model.inputs, [], []
    for tensor in places:
        value = Value(g.name(tensor.name), tensor.shape, tensor.dtype)
        inputs.append((value, helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype))))
    made = leaves(_run(g, model, [value for value, _ in inputs]))
    for wish, tensor, value in zip(model.output_names * len(made), model.outputs, made):
        name = g.name(wish)
        g.nodes.append(helper.make_node("Identity", [value.name], [name], name=g.name(f"output/{wish}")))
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(value.dtype))
        outputs.append(helper.make_tensor_value_info(name, kind, _dims(tensor.shape, name)))
    nodes = live(g.nodes, [place.name for place in outputs])
    read = {name for node in nodes for name in node.input} | {place.name for place in outputs}
    for node in nodes:
        if node.op_type in STATES:  # outputs that nobody reads are left out
            kept = [name if name in read else "" for name in node.output]
            del node.output[:]
            node.output.extend(kept[: 1 + max(k for k, name in enumerate(kept) if name)])
    graph = helper.make_graph(
        nodes,
        model.name,
        [helper.make_tensor_value_info(v.name, kind, _dims(v.shape, v.name)) for v, kind in inputs],
        outputs,
        [tensor for name, tensor in g.constants.items() if name in read],
    )
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="rnn_ref", producer_version=__version__
    )
    made.ir_version = helper.find_min_ir_version_for(made.opset_import)
    onnx.checker.check_model(made, full_check=True)
    if path is not None:
        with replacing(path) as file:
            file.write(made.SerializeToString())
    return made


def _dims(shape: tuple, name: str) -> list:
    return [size or ("batch" if axis == 0 else f"{name}_axis_{axis}") for axis, size in enumerate(shape)]


def _run(g: Graph, model, inputs: list[Value]):
    """The model's layers applied to values."""
    if model._calls_itself:
        refuse(model, "it has a call of its own, which cannot be read.")
    if isinstance(model, Sequential):
        (made,) = inputs
        for layer in model.layers:
            made = call(g, layer, made, {})
        return made
    known = dict(zip(model.inputs, inputs))
    for node in model.calls:
        if isinstance(node.layer, layers.InputLayer):
            continue
        for entry in entries([node.inputs, node.arguments]):
            if isinstance(entry, Variable):
                refuse(node.layer, "it reads the weight of another layer as an input; that cannot be written to ONNX.")
        made = call(g, node.layer, replace(node.inputs, known.get), replace(node.arguments, known.get))
        known.update(zip(node.outputs, leaves(made)))
    return [known[tensor] for tensor in model.outputs]


def call(g: Graph, layer, inputs, arguments: dict):
    """One call of a layer: its nodes, and the values of its outputs."""
    arguments = {name: value for name, value in arguments.items() if value is not None}
    if arguments.pop("training", False) is not False:
        refuse(layer, "it is called with training=True, and a graph is for inference.")
    if isinstance(layer, Model):
        if arguments or not isinstance(layer, (Sequential, Functional)):
            refuse(layer, "a model inside with a call, or with arguments, of its own cannot be written to ONNX.")
        return _run(g, layer, leaves(inputs))
    scope, dtype = g.scope, g.dtype
    g.scope, g.dtype = layer.name, layer.dtype
    try:
        if isinstance(layer, layers.TimeDistributed):
            found = _time_distributed(g, layer, inputs)
        else:
            found = _exporter(layer)(g, layer, inputs, arguments)
    finally:
        g.scope, g.dtype = scope, dtype
    if isinstance(found, str):
        given = leaves(inputs)[0].mask if layer.supports_masking else None
        found = [(found, given)]
    shapes = layer.call_output_shape(shapes_of(inputs), arguments)
    shapes = [shapes] if is_shape(shapes) else _flat(shapes)
    values = [Value(name, shape, layer.dtype, mask) for (name, mask), shape in zip(found, shapes, strict=True)]
    return values if len(values) > 1 else values[0]


def _flat(shapes) -> list:
    return [tuple(shapes)] if is_shape(shapes) else [flat for shape in shapes for flat in _flat(shape)]


def _exporter(layer):
    for cls in type(layer).__mro__:
        if cls in EXPORTERS:
            if any(getattr(type(layer), name, None) is not getattr(cls, name, None) for name in _COMPUTES):
                refuse(layer, f"it computes something else than {cls.__name__}; that cannot be written to ONNX.")
            return EXPORTERS[cls]
    return refuse(layer, "cannot be written to ONNX.")


def _time_distributed(g: Graph, layer, x: Value) -> list:
    """Fold the steps into the batch while the wrapped layer runs."""
    inner, (_, *rest) = layer.layer, x.shape[1:]
    folded = g.reshape(x.name, g.ints(-1), *_rest(g, x.name, 2, rest))
    mask = None
    if x.mask and inner.takes_mask:
        refuse(layer, f"{inner.name} inside would take the mask; that cannot be written to ONNX.")
    made = call(g, inner, Value(folded, (None, *rest), x.dtype, mask), {})
    outputs = []
    for value in leaves(made):
        back = g.reshape(value.name, g.size(x.name, 0), g.size(x.name, 1), *_rest(g, value.name, 1, value.shape[1:]))
        outputs.append((back, x.mask))
    return outputs


def _rest(g: Graph, name: str, axis: int, sizes) -> list:
    """The sizes of further axes, dynamic ones taken from the tensor itself."""
    return [size if size else g.size(name, axis + k) for k, size in enumerate(sizes)]
