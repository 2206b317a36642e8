"""rnn_ref: recurrent neural networks you can see through.

Keras's names at the surface (``import rnn_ref as keras`` runs ordinary Keras code), explicit gate equations
underneath, compiled by Numba, and everything the backward pass remembers there to be looked at.
"""

import importlib
import sys
from typing import TYPE_CHECKING

from rnn_ref import (
    backend,
    config,
    datasets,
    interop,
    layers,
    models,
    names,
    preprocessing,
    random,
    saving,
    seq2seq,
    training,
    utils,
)
from rnn_ref import notice as _notice  # noqa: F401 - listens while kernels are compiled
from rnn_ref.device import device, get_device, set_device
from rnn_ref.equations.weight import per_unit, scalar
from rnn_ref.inspection import (
    Recorder,
    Recording,
    Trace,
    check_gradients,
    derive_backward,
    derive_parameters,
    explain_step,
    gradient_flow,
    saturation,
    state_jacobians,
    trace,
    weight_report,
)
from rnn_ref.layers import (
    Input,
    activations,
    constraints,
    generate_dropout_mask,
    initializers,
    regularizers,
    rnn,
    standardize_args,
)
from rnn_ref.layers.writing import cell
from rnn_ref.models import Model, Sequential
from rnn_ref.seq2seq import generate
from rnn_ref.training import callbacks, losses, metrics, optimizers
from rnn_ref.version import __version__

# Keras's import paths: `from rnn_ref.optimizers import Adam` works wherever the module lives here.
for _module in (activations, callbacks, constraints, initializers, losses, metrics, optimizers, regularizers):
    sys.modules[f"{__name__}.{_module.__name__.rpartition('.')[2]}"] = _module

# Base classes are found here too, as in Keras.
Initializer, Layer, Loss = initializers.Initializer, layers.Layer, losses.Loss
Metric, Optimizer, Regularizer = metrics.Metric, optimizers.Optimizer, regularizers.Regularizer

# Imported when asked for: matplotlib with the pictures, equations that must be read first, the course's exercises,
# pools of processes.
_LAZY = {name: f"rnn_ref.{name}" for name in ("distribution", "exercises", "zoo")} | {"plot": "rnn_ref.plotting"}


keras = sys.modules[__name__]  # after `import rnn_ref as tf`, code that says tf.keras.layers.LSTM runs as well


if TYPE_CHECKING:
    from rnn_ref import distribution, exercises, zoo
    from rnn_ref import plotting as plot
    from rnn_ref.distribution.sweep import sweep


def __getattr__(name):
    if name in _LAZY:
        return importlib.import_module(_LAZY[name])
    if name == "sweep":
        return importlib.import_module("rnn_ref.distribution").sweep
    raise AttributeError(names.explain(name, ""))


__all__ = [
    "Initializer",
    "Input",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Recorder",
    "Recording",
    "Regularizer",
    "Sequential",
    "Trace",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "cell",
    "check_gradients",
    "config",
    "constraints",
    "datasets",
    "derive_backward",
    "derive_parameters",
    "device",
    "distribution",
    "exercises",
    "explain_step",
    "generate",
    "generate_dropout_mask",
    "get_device",
    "gradient_flow",
    "initializers",
    "interop",
    "keras",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "per_unit",
    "plot",
    "preprocessing",
    "random",
    "regularizers",
    "rnn",
    "saturation",
    "saving",
    "scalar",
    "seq2seq",
    "set_device",
    "standardize_args",
    "state_jacobians",
    "sweep",
    "trace",
    "training",
    "utils",
    "weight_report",
    "zoo",
]
