"""Activations by ONNX's names, as nodes and inside RNN, LSTM and GRU."""

from __future__ import annotations

from typing import NamedTuple

from rnn_ref.layers.activations import Activation


class Inside(NamedTuple):
    """An activation inside a recurrent operator, with its parameters."""

    name: str
    alpha: tuple[float, ...] = ()
    beta: tuple[float, ...] = ()


INSIDE = {
    "tanh": Inside("Tanh"),
    "sigmoid": Inside("Sigmoid"),
    "relu": Inside("Relu"),
    "softsign": Inside("Softsign"),
    "softplus": Inside("Softplus"),
    "linear": Inside("Affine", (1.0,), (0.0,)),
    "hard_sigmoid": Inside("HardSigmoid", (1 / 6,), (0.5,)),
    "hard_sigmoid_legacy": Inside("HardSigmoid", (0.2,), (0.5,)),
    "elu": Inside("Elu", (1.0,)),
    "leaky_relu": Inside("LeakyRelu", (0.2,)),
}
TAKES = {"Affine": 2, "HardSigmoid": 2, "ScaledTanh": 2, "Elu": 1, "LeakyRelu": 1, "ThresholdedRelu": 1}


def inside(activation: Activation, layer: str) -> Inside:
    """The name of an activation in a recurrent operator.

    Raises
    ------
    NotImplementedError
        If it has no such activation.
    """
    found = INSIDE.get(activation.name)
    if found is None or activation.options:
        raise NotImplementedError(
            f"{layer}: ONNX's recurrent operators have no activation {activation.name!r}; they have "
            f"{', '.join(INSIDE)}."
        )
    return found


# Keras's name: operator and attributes.
NODES = {
    "relu": ("Relu", {}),
    "tanh": ("Tanh", {}),
    "sigmoid": ("Sigmoid", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "selu": ("Selu", {}),
    "exponential": ("Exp", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "hard_sigmoid_legacy": ("HardSigmoid", {"alpha": 0.2, "beta": 0.5}),
    "hard_silu": ("HardSwish", {}),
    "mish": ("Mish", {}),
}


def write(graph, activation: Activation, x: str, dtype: str, rank: int, layer: str) -> str:
    """Add the nodes that compute ``activation`` of ``x``; return the name of the result."""
    name, options = activation.name, activation.OPTIONS | activation.options

    def number(value) -> str:
        return graph.constant(value, dtype)

    def row_axis() -> int:
        axis = options["axis"]
        if not isinstance(axis, int):
            raise NotImplementedError(f"{layer}: {name} over several axes, {axis}, cannot be written to ONNX.")
        return axis % rank

    match name:
        case "linear":
            return x
        case "relu" if activation.options:
            return _bent_relu(graph, x, number, **options)
        case _ if name in NODES:
            operator, attributes = NODES[name]
            return graph.add(operator, x, **attributes)
        case "softmax" | "log_softmax":
            return graph.add("Softmax" if name == "softmax" else "LogSoftmax", x, axis=row_axis())
        case "leaky_relu":
            return graph.add("LeakyRelu", x, alpha=float(options["negative_slope"]))
        case "elu" | "celu":
            return graph.add(name.capitalize(), x, alpha=float(options["alpha"]))
        case "gelu":
            return graph.add("Gelu", x, approximate="tanh" if options["approximate"] else "none")
        case "silu":
            return graph.add("Mul", x, graph.add("Sigmoid", x))
        case "relu6":
            return graph.add("Clip", x, number(0), number(6))
        case "hard_tanh":
            return graph.add("Clip", x, number(-1), number(1))
        case "log_sigmoid":
            return graph.add("Neg", graph.add("Softplus", graph.add("Neg", x)))
        case "tanh_shrink":
            return graph.add("Sub", x, graph.add("Tanh", x))
        case "hard_shrink" | "soft_shrink":
            level = float(options["threshold"])
            return graph.add("Shrink", x, lambd=level, bias=level if name == "soft_shrink" else 0.0)
        case "squareplus":
            root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", x, x), number(options["b"])))
            return graph.add("Mul", graph.add("Add", x, root), number(0.5))
    raise NotImplementedError(f"{layer}: the activation {name!r} cannot be written to ONNX.")


def _bent_relu(graph, x: str, number, *, negative_slope, max_value, threshold) -> str:
    high = x if max_value is None else graph.add("Min", x, number(max_value))
    low = graph.add("Mul", graph.add("Sub", x, number(threshold)), number(negative_slope))
    return graph.add("Where", graph.add("Greater", x, number(threshold)), high, low)
