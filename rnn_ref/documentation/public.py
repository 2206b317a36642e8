"""The public names of rnn_ref, module by module: what the reference lists, and what is promised to stay."""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType
from typing import Any

import rnn_ref

# Module -> its title in the reference, in the order of the reference.
TITLES = {
    "": "rnn_ref: the top",
    "layers": "Layers",
    "models": "Models",
    "inspection": "Looking inside",
    "plot": "Pictures",
    "zoo": "Published cells",
    "seq2seq": "Decoding",
    "datasets": "Data sets",
    "preprocessing.text": "Text",
    "preprocessing.sequence": "Sequences",
    "activations": "Activations",
    "initializers": "Initializers",
    "regularizers": "Regularizers",
    "constraints": "Constraints",
    "losses": "Losses",
    "metrics": "Metrics",
    "optimizers": "Optimizers",
    "optimizers.schedules": "Learning rate schedules",
    "callbacks": "Callbacks",
    "utils": "Utilities",
    "saving": "Saving",
    "interop": "Files of other libraries",
    "interop.torch": "PyTorch",
    "interop.onnx": "ONNX",
    "interop.tfjs": "TensorFlow.js",
    "distribution": "Many machines",
    "exercises": "Exercises",
    "backend": "Backend",
    "config": "Configuration",
}
_FUNCTIONS = ("deserialize", "get", "serialize")
# Of modules whose names are not listed in an __all__ of their own; those in small letters are other names for classes.
_LISTED = {
    "activations": [
        "celu",
        "elu",
        "exponential",
        "gelu",
        "glu",
        "hard_shrink",
        "hard_sigmoid",
        "hard_silu",
        "hard_swish",
        "hard_tanh",
        "leaky_relu",
        "linear",
        "log_sigmoid",
        "log_softmax",
        "mish",
        "relu",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
        "soft_shrink",
        "softmax",
        "softplus",
        "softsign",
        "sparse_plus",
        "sparse_sigmoid",
        "sparsemax",
        "squareplus",
        "swish",
        "tanh",
        "tanh_shrink",
        "threshold",
    ],
    "config": ["floatx", "set_floatx"],
    "constraints": ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"],
    "initializers": [
        "Constant",
        "GlorotNormal",
        "GlorotUniform",
        "HeNormal",
        "HeUniform",
        "Identity",
        "Initializer",
        "LecunNormal",
        "LecunUniform",
        "Ones",
        "Orthogonal",
        "RandomNormal",
        "RandomUniform",
        "TruncatedNormal",
        "VarianceScaling",
        "Zeros",
    ],
    "interop.tfjs": ["load"],
    "interop.torch": ["from_module", "from_state_dict", "load_state_dict", "to_module", "to_state_dict"],
    "preprocessing.sequence": ["StatefulBatches", "pad_sequences", "stateful_batches"],
    "regularizers": ["L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer"],
}
for _module in ("activations", "constraints", "initializers", "regularizers"):
    _LISTED[_module] += _FUNCTIONS


def module(path: str) -> ModuleType:
    """The module of a path below ``rnn_ref``."""
    found = rnn_ref
    for part in filter(None, path.split(".")):
        found = getattr(found, part)
    return found


def names(path: str) -> list[str]:
    """The public names of a module that are no modules themselves.

    Examples
    --------
    >>> names("preprocessing.sequence")
    ['StatefulBatches', 'pad_sequences', 'stateful_batches']
    """
    home = module(path)
    listed = _LISTED.get(path) or home.__all__
    return [name for name in listed if not isinstance(getattr(home, name), ModuleType) and not name.startswith("__")]


def values(path: str) -> dict[str, Any]:
    """The public names of a module with what they stand for."""
    return {name: getattr(module(path), name) for name in names(path)}


def full(path: str, name: str) -> str:
    """``rnn_ref.layers.LSTM``."""
    return ".".join(filter(None, ("rnn_ref", path, name)))


@cache
def homes() -> dict[str, str]:
    """Where things are documented, by where they are defined: ``layers.lstm.LSTM`` is found as ``layers.LSTM``."""
    found: dict[str, str] = {}
    for path in sorted(TITLES, key=lambda path: path == ""):  # what is at the top too is documented in its module
        for name, value in values(path).items():
            own = getattr(value, "__name__", name)
            if own == name or own not in names(path):  # else it is another name of that one
                found.setdefault(defined(value, name), full(path, name))
    return found


def defined(value: Any, name: str) -> str:
    """Where something is defined: ``rnn_ref.layers.lstm.LSTM``."""
    own = getattr(value, "__qualname__", getattr(value, "__name__", name))
    return f"{getattr(value, '__module__', '')}.{own}"


@cache
def imported(path: str) -> Any:
    """What a full name stands for, or None where there is no such thing."""
    parts = path.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
            for part in parts[cut:]:
                found = getattr(found, part)
            return found
        except (ImportError, AttributeError):
            continue
    return None
