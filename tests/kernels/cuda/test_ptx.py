"""Every launch compiled for GPUs nobody has at hand, and its machine code looked at."""

import importlib.util
import re
import subprocess
import sysconfig
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest

from rnn_ref.equations.activations import CODES
from rnn_ref.kernels.cuda import lookup, pointwise

from .parity import GATES, Case

if importlib.util.find_spec("numba_cuda") is None or importlib.util.find_spec("nvidia") is None:
    pytest.skip("needs numba-cuda and CUDA's compiler: pip install '.[cuda]'", allow_module_level=True)

from numba import config, cuda

if config.ENABLE_CUDASIM:
    pytest.skip("the simulator does not compile", allow_module_level=True)

from numba.cuda import dispatcher

from .launches import recorded

pytestmark = pytest.mark.long

CAPABILITIES = [(7, 5), (9, 0)]  # the oldest, and the newest that is at hand
# Sizes for one block by itself, for blocks that wait for each other, and for registers used to the last.
SIZES = {"alone": (4, 64), "together": (64, 256), "full": (128, 1024)}
# Of registers; the teaching kernels none. When every register holds a weight, a few are one too many.
SPILLED_BYTES = {
    "float32": {"alone": 0, "together": 0, "full": 128},
    "float64": {"alone": 192, "together": 192, "full": 192},
}


def ptxas() -> Path:
    """The assembler of the same version as the compiler, from the wheel that the extra installs."""
    return next(Path(sysconfig.get_path("purelib"), "nvidia").glob("*/bin/ptxas"))


@cache
def launches(cell: str, dtype: str, size: str) -> tuple:
    """Kernels and argument types of a forward and a backward pass."""
    B, H = SIZES.get(size, (2, 3))
    with recorded() as launched, np.errstate(all="ignore"):  # nothing runs: the arrays hold what memory held
        compiled_in = {"masked": True, "keep_z": True} if size == "together" else {}
        Case(cell, B=B, H=H, T=2, dtype=dtype, h_drop=size == "teaching", **compiled_in).run("cuda")
        if size == "teaching" and cell == "gru":
            Case(cell, dtype=dtype, reset_after=False).run("cuda")
    return tuple(launched)


@cache
def compiled(kernel, types, capability) -> tuple[str, int]:
    """PTX, without a driver: Numba asks for a device only to learn what it is capable of; and bytes spilled."""
    device = SimpleNamespace(compute_capability=capability)
    with mock.patch.object(dispatcher, "get_current_device", return_value=device):
        text, _ = cuda.compile(kernel.py_func, types, cc=capability, output="ptx", device=False, abi="numba")
    return text, spills(text, capability)


def spills(text: str, capability) -> int:
    """Bytes of registers that did not fit, and went to memory."""
    with TemporaryDirectory() as folder:
        ptx, cubin = Path(folder, "kernel.ptx"), Path(folder, "kernel.cubin")
        ptx.write_text(text)
        command = [ptxas(), "-c", "-arch=sm_{}{}".format(*capability), "-v", "-o", cubin, ptx]
        report = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return max(int(number) for number in re.findall(r"(\d+) bytes spill", report))


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: f"cc{c[0]}{c[1]}")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", ["teaching", *SIZES])
@pytest.mark.parametrize("cell", GATES)
def test_every_kernel_compiles(cell, size, dtype, capability):
    kernels = launches(cell, dtype, size)
    assert len(kernels) >= (2 if size != "teaching" else 3)
    for kernel, types in kernels:
        text, spilled = compiled(kernel, types, capability)
        assert ".entry" in text
        if dtype == "float32":
            assert ".f64" not in text, kernel.py_func.__name__
        assert spilled <= SPILLED_BYTES[dtype].get(size, 0), kernel.py_func.__name__
        if size != "teaching":
            assert "__local_depot" not in text, "the weights are not in registers"


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: f"cc{c[0]}{c[1]}")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kernels_of_arrays_compile(dtype, capability):
    z, tokens = np.ones((3, 4), dtype), np.arange(3)
    with recorded() as launched:
        pointwise.d_activate(z, z, z, max(CODES.values()))
        pointwise.activate(z, max(CODES.values()))
        lookup.sum_rows(z, tokens, tokens, np.ones((5, 4), dtype))
    assert len(launched) == 3
    for kernel, types in launched:
        text, spilled = compiled(kernel, types, capability)
        assert dtype == "float64" or ".f64" not in text
        assert spilled == 0
