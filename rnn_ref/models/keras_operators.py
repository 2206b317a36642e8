"""Python operators on tensors in configurations: layers here, operations in Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_ref.device import is_array, to_numpy

TENSOR = "__keras_tensor__"
CLASSES = {
    "add": "Add",
    "subtract": "Subtract",
    "multiply": "Multiply",
    "true_divide": "TrueDivide",
    "power": "Power",
    "matmul": "Matmul",
    "negative": "Negative",
    "absolute": "Absolute",
    "get_item": "GetItem",
}
KNOWN = {kind: operator for operator, kind in CLASSES.items()}


def is_operation(entry: dict) -> bool:
    """Whether an entry among the layers is one of Keras's operations."""
    return str(entry.get("module")).startswith("keras.src.ops")


def arguments_of(layer, tensors: list) -> list:
    """The arguments of Keras's operation: tensors, and constants in their positions."""
    given = iter(tensors)
    if layer.operator == "get_item":
        return [next(given), _index(layer.operands[1])]
    return [next(given) if operand is None else _constant(operand, layer.dtype) for operand in layer.operands]


def operator_from(entry: dict, model: str) -> dict:
    """The description of a layer that does what one of Keras's operations does.

    Raises
    ------
    ValueError
        If its calls differ in more than the tensors.
    """
    operator, calls = KNOWN[entry["class_name"]], entry["inbound_nodes"]
    split = [_split(call, operator) for call in calls]
    operands = split[0][0]
    if any(found is None or str(found) != str(operands) for found, _ in split):
        raise ValueError(f"{model}: the operation {entry['name']!r} is called in a way that is not there.")
    dtypes = [tensor["config"].get("dtype") for _, tensors in split for tensor in tensors]
    dtype = next((dtype for dtype in dtypes if dtype in ("float32", "float64")), None)
    return {
        "class_name": "Operator",
        "name": entry["name"],
        "config": {"name": entry["name"], "operator": operator, "operands": operands, "dtype": dtype},
        "inbound_nodes": [{"args": [tensors], "kwargs": {}} for _, tensors in split],
    }


def _split(call: dict, operator: str) -> tuple[list | None, list]:
    """Operands as :class:`~rnn_ref.layers.operators.Operator` writes them, and the tensors in between."""
    tensors: list = []
    operands: list = []
    for k, argument in enumerate(call["args"]):
        if isinstance(argument, dict) and argument.get("class_name") == TENSOR:
            tensors.append(argument)
            operands.append(None)
        elif operator == "get_item" and k == 1:
            operands.append(_index_from(argument))
        elif isinstance(argument, dict) and argument.get("class_name") == "__numpy__":
            operands.append({"array": argument["config"]["value"], "dtype": argument["config"]["dtype"]})
        else:
            operands.append(argument)
    return (None if call["kwargs"] or not tensors else operands), tensors


def _constant(value: Any, dtype: str) -> Any:
    if not is_array(value):
        return value
    array = np.asarray(to_numpy(value))
    array = array.astype(dtype) if array.dtype.kind == "f" else array
    return {"class_name": "__numpy__", "config": {"value": array.tolist(), "dtype": array.dtype.name}}


def _index(index: Any) -> Any:
    if isinstance(index, tuple):
        return [_index(each) for each in index]
    if isinstance(index, slice):
        places = {"start": index.start, "stop": index.stop, "step": index.step}
        return {"class_name": "__slice__", "config": places}
    if index is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    return _constant(index, "int64") if is_array(index) else index


def _index_from(index: Any) -> Any:
    if isinstance(index, list):
        return {"tuple": [_index_from(each) for each in index]}
    if isinstance(index, dict):
        config = index.get("config", {})
        if index.get("class_name") == "__slice__":
            return {"slice": [config.get("start"), config.get("stop"), config.get("step")]}
        if index.get("class_name") == "__numpy__":
            return {"array": config["value"], "dtype": config["dtype"]}
        return {"ellipsis": True}
    return index
