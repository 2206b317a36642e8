"""A second Keras in the process, which computes with NumPy: it compiles nothing, and small programs run at once.

Keras takes its backend when it is imported, from ``KERAS_BACKEND``; the other tests import it on JAX.
"""

import os
import sys
from contextlib import contextmanager
from unittest import mock

_second = {}


@contextmanager
def imported():
    """Meanwhile ``import keras``, also within Keras's own functions, means the Keras on NumPy."""
    first = _taken_out()
    sys.modules.update(_second)
    try:
        yield
    finally:
        _second.update(_taken_out())
        sys.modules.update(first)


def _taken_out() -> dict:
    names = [name for name in sys.modules if name.partition(".")[0] == "keras"]
    return {name: sys.modules.pop(name) for name in names}


with mock.patch.dict(os.environ, KERAS_BACKEND="numpy"), imported():
    import keras
assert keras.backend.backend() == "numpy"
