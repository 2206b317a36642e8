"""Where arrays live: the CPU (NumPy) or a GPU (CuPy)."""

from __future__ import annotations

import sys

import numpy as np


def array_module(x):
    """``cupy`` for an array on the GPU, else ``numpy``; CuPy is imported only by those who made such an array."""
    cupy = sys.modules.get("cupy")
    return cupy if cupy is not None and isinstance(x, cupy.ndarray) else np
