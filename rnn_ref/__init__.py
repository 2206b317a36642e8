"""rnn_ref: recurrent neural networks you can see through.

Keras's names at the surface (``import rnn_ref as keras`` runs ordinary Keras code), explicit gate equations
underneath, compiled by Numba, and everything the backward pass remembers there to be looked at.
"""

import importlib
import sys

from rnn_ref import config, datasets, layers, models, preprocessing, random, seq2seq, training, utils
from rnn_ref.inspection import check_gradients, gradient_flow, trace
from rnn_ref.layers import Input, activations, constraints, initializers, regularizers
from rnn_ref.models import Model, Sequential
from rnn_ref.training import callbacks, losses, metrics, optimizers
from rnn_ref.version import __version__

# Keras's import paths: `from rnn_ref.optimizers import Adam` works wherever the module lives here.
for _module in (activations, callbacks, constraints, initializers, losses, metrics, optimizers, regularizers):
    sys.modules[f"{__name__}.{_module.__name__.rpartition('.')[2]}"] = _module

_LAZY = {"plot": "rnn_ref.plotting"}  # matplotlib is imported when a picture is asked for


def __getattr__(name):
    if name in _LAZY:
        return importlib.import_module(_LAZY[name])
    raise AttributeError(f"module 'rnn_ref' has no attribute {name!r}")


__all__ = [
    "Input",
    "Model",
    "Sequential",
    "__version__",
    "activations",
    "callbacks",
    "check_gradients",
    "config",
    "constraints",
    "datasets",
    "gradient_flow",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "plot",
    "preprocessing",
    "random",
    "regularizers",
    "seq2seq",
    "trace",
    "training",
    "utils",
]
