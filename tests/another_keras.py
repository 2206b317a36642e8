"""Another Keras in the process, on another backend: Keras takes its backend once, when it is imported."""

import os
import sys
from contextlib import contextmanager
from unittest import mock


def load(backend: str):
    """A Keras on ``backend``, and a context in which ``import keras``, also within Keras's own functions, means it."""
    own = {}

    @contextmanager
    def imported():
        first = _taken_out()
        sys.modules.update(own)
        try:
            yield
        finally:
            own.update(_taken_out())
            sys.modules.update(first)

    with mock.patch.dict(os.environ, KERAS_BACKEND=backend, KERAS_TORCH_DEVICE="cpu"), imported():
        import keras
    assert keras.backend.backend() == backend
    return keras, imported


def _taken_out() -> dict:
    names = [name for name in sys.modules if name.partition(".")[0] == "keras"]
    return {name: sys.modules.pop(name) for name in names}
