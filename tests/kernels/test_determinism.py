"""The same bits on any number of threads, with any vectors, compiled now or before."""

import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher
from threadpoolctl import threadpool_limits

import rnn_ref
from rnn_ref import hardware, layers
from rnn_ref.kernels.cpu import batch
from rnn_ref.kernels.cpu import threads as kernel_threads

B, T, F, H = 37, 11, 6, 19  # several chunks of samples, several blocks of rows, no round sizes


def bits(layer, x, threads, blas_threads):
    """Outputs and all gradients, as one string of bytes."""
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        with threadpool_limits(blas_threads, "blas"):
            y, tape = layer.forward(x)
            gradients = layer.backward(tape, np.cos(y))
    finally:
        numba.set_num_threads(before)
    arrays = [y, gradients.inputs, *gradients.weights.values(), *gradients.initial_state]
    return [np.ascontiguousarray(array).tobytes() for array in arrays]


@pytest.fixture(autouse=True)
def little_work_is_shared_out_too(monkeypatch):
    monkeypatch.setattr(kernel_threads, "LITTLE_WORK", 1)


@pytest.mark.parametrize("make", [layers.SimpleRNN, layers.LSTM, layers.GRU])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cells_give_the_same_bits_on_one_and_two_threads(make, dtype):
    layer = make(H, return_sequences=True, dtype=dtype, name="layer")
    x = np.random.default_rng(0).normal(size=(B, T, F))
    one = bits(layer, x, threads=1, blas_threads=1)
    assert bits(layer, x, threads=2, blas_threads=2) == one
    assert bits(layer, x, threads=2, blas_threads=1) == one
    assert bits(layer, 1.001 * x, threads=1, blas_threads=1) != one


def test_little_work_stays_on_one_thread(monkeypatch):
    seen = []
    chunks = batch.chunks
    monkeypatch.setattr(kernel_threads, "LITTLE_WORK", 100_000)
    monkeypatch.setattr(batch, "chunks", lambda B, threads: seen.append(threads) or chunks(B, threads))
    before = numba.get_num_threads()
    numba.set_num_threads(2)
    try:
        for units in (2, 50):
            layers.LSTM(units)(np.zeros((B, T, F)))
        assert numba.get_num_threads() == 2
    finally:
        numba.set_num_threads(before)
    assert seen == [1, 2]


@pytest.mark.parametrize("own", [{}, {"GOMP_SPINCOUNT": "7"}])
def test_variables_of_openmp_stay_as_they_were(own):
    """They are set only until OpenMP is loaded: other libraries and child processes do not see them."""
    code = (
        "import os, numpy as np\n"
        "from rnn_ref.layers import LSTM\n"
        "LSTM(3)(np.zeros((1, 2, 3)))\n"
        "print({k: v for k, v in os.environ.items() if k.startswith(('GOMP_', 'OMP_'))})"
    )
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GOMP_", "OMP_"))}
    done = subprocess.run([sys.executable, "-c", code], env=inherited | own, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(own)


# -- in processes of their own -----------------------------------------------------------------------


def hashes(count, *precision, **environment):
    """Of random layers and trainings, a line for each."""
    command = [sys.executable, str(Path(__file__).with_name("bits.py")), "0", str(count), *precision]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(set(lines)) == count
    return lines


def test_bits_do_not_depend_on_threads():
    assert hashes(40, NUMBA_NUM_THREADS="3") == hashes(40, NUMBA_NUM_THREADS="1")


@pytest.mark.long(minutes=3)
def test_bits_depend_neither_on_vectors_nor_on_when_kernels_were_compiled(tmp_path):
    """Half of what could be compiled is: each width in one precision."""
    widths = [width for width in (16, 32, 64) if width <= hardware.VECTOR_BYTES]
    for width, precision in zip(widths, ("float64", "float32", "float64")):
        expected = hashes(120, precision, NUMBA_NUM_THREADS="2")
        setting = {
            "NUMBA_CACHE_DIR": str(tmp_path / str(width)),
            hardware.SETTING: str(width),
            "NUMBA_NUM_THREADS": "2",
        }
        assert hashes(120, precision, **setting) == expected, f"compiled now, vectors of {width} bytes"
        assert hashes(120, precision, **setting) == expected, f"from the disk, vectors of {width} bytes"


def test_no_kernel_may_reorder_or_contract():
    """What would let the end of a loop, which fills no vector, be rounded otherwise than the rest."""
    found = {}
    for info in pkgutil.walk_packages(rnn_ref.__path__, "rnn_ref."):
        module = sys.modules.get(info.name)
        for name, value in vars(module).items() if module else ():
            value = getattr(value, "compiled", value)
            if isinstance(value, Dispatcher):
                found[f"{info.name}.{name}"] = bool(value.targetoptions.get("fastmath"))
    assert len(found) > 30
    assert not any(found.values()), [name for name, fast in found.items() if fast]
