"""What the host launches, without a GPU: the kernels and the types of their arguments."""

from __future__ import annotations

from contextlib import contextmanager
from unittest.mock import patch

from numba import cuda, typeof

from rnn_ref.kernels.cuda import choice

MULTIPROCESSORS = 132  # H200


class _Recorder:
    def __init__(self, dispatcher, launches):
        self.dispatcher, self.launches = dispatcher, launches

    def __call__(self, *arguments):
        self.launches.add((self.dispatcher, tuple(typeof(argument) for argument in arguments)))


@contextmanager
def recorded():
    """Collects ``(kernel, argument types)`` instead of launching."""
    launches = set()
    dispatcher = type(cuda.jit(lambda: None))
    with (
        patch.object(dispatcher, "__getitem__", lambda self, configuration: _Recorder(self, launches)),
        patch.object(choice, "multiprocessors", lambda: MULTIPROCESSORS),
    ):
        yield launches
