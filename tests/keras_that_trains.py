"""A Keras to train with: on PyTorch, which compiles nothing, where that is installed, else on JAX."""

from contextlib import nullcontext
from importlib.util import find_spec

from .another_keras import load

if find_spec("torch"):
    keras, imported = load("torch")
else:
    import keras

    imported = nullcontext

__all__ = ["imported", "keras"]
