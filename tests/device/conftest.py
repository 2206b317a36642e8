"""``gpu``: the device "cuda" without a GPU, a strict stand-in in the place of CuPy."""

import sys
from types import ModuleType

import numpy as np
import pytest

import rnn_ref
from rnn_ref.device import converted, is_array
from rnn_ref.kernels.cpu import gru, lstm, pointwise, simple_rnn
from rnn_ref.layers.targets import KernelChoice

from . import standin


def on_gpu(function):
    """A kernel of the CPU as one of the GPU: takes arrays of the stand-in only, and gives such arrays."""

    def run(*arguments, **options):
        def inside(array):
            assert isinstance(array, standin.Array), f"a NumPy array of shape {array.shape} for a kernel of the GPU"
            return array._host

        arguments, options = converted((arguments, options), inside)
        return converted(function(*arguments, **options), standin.Array)

    return run


def sum_rows(dy, order, tokens, dE) -> None:
    dE._host[...] = 0
    np.add.at(dE._host, tokens._host, dy._host[order._host])


def choose(**_):
    return KernelChoice("persistent")


KERNELS = {
    **{
        module.__name__.rpartition(".")[2]: {"forward": on_gpu(module.forward), "backward": on_gpu(module.backward)}
        for module in (gru, lstm, simple_rnn)
    },
    "pointwise": {
        name: on_gpu(getattr(pointwise, name))
        for name in ("activate", "d_activate", "activate_with", "d_activate_with")
    },
    "lookup": {"sum_rows": sum_rows},
    "choice": {"choose": choose},
}


@pytest.fixture
def gpu_there(monkeypatch):
    """CuPy and the kernels for GPUs are stand-ins; the device is still the CPU."""
    monkeypatch.setattr("numba.config.ENABLE_CUDASIM", 0)
    monkeypatch.setitem(sys.modules, "cupy", standin.module)
    monkeypatch.setitem(sys.modules, "numba_cuda", ModuleType("numba_cuda"))
    for name, functions in KERNELS.items():
        module = ModuleType(f"rnn_ref.kernels.cuda.{name}")
        module.__dict__.update(functions)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    standin.counts.clear()
    yield standin
    assert rnn_ref.get_device() == "cpu", "a test left the device behind"


@pytest.fixture
def gpu(gpu_there):
    """The same, with the device chosen."""
    with rnn_ref.device("cuda"):
        yield gpu_there


@pytest.fixture
def same():
    """``same(a, b)``: equal within rounding, in whatever lists and dicts; ``a`` may be on the GPU."""

    def check(a, b, tolerance=2e-6):
        if isinstance(b, dict):
            assert set(a) == set(b)
            for key in b:
                check(a[key], b[key], tolerance)
        elif isinstance(b, (list, tuple)):
            assert len(a) == len(b)
            for one, other in zip(a, b):
                check(one, other, tolerance)
        elif b is None:
            assert a is None
        elif is_array(b) or isinstance(b, (int, float, np.generic)):
            a, b = np.asarray(standin.on_host(a)), np.asarray(standin.on_host(b))
            assert a.shape == b.shape
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
        else:
            assert a == b

    return check
