"""The Keras that random models are held against: on NumPy, or with ``KERAS_BACKEND=torch`` on PyTorch."""

import os
from contextlib import nullcontext

if os.environ.get("KERAS_BACKEND") == "torch":
    import keras

    imported = nullcontext
else:
    from ..keras_on_numpy import imported, keras

__all__ = ["imported", "keras"]
