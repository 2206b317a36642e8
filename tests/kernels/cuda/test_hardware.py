"""The same parity on a real GPU, at real sizes: ``pytest -m gpu``."""

import importlib.util
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from rnn_ref.equations.activations import GELU, HARD_SIGMOID

from .parity import GATES, Case, assert_parity

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def cupy():
    """CuPy with a GPU behind it."""
    if importlib.util.find_spec("cupy") is None:
        pytest.skip("needs CuPy: pip install '.[cuda]'")
    import cupy

    try:
        cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        pytest.skip(f"needs a GPU: {error}")
    return cupy


def check(case, cupy, assert_close, teaching=False):
    from rnn_ref.kernels.cuda.choice import only_teaching

    with only_teaching() if teaching else nullcontext():
        assert_parity(case, assert_close, to_device=cupy.asarray, to_host=cupy.asnumpy)


SIZES = [(1, 7, 3, 5), (32, 20, 16, 64), (33, 20, 100, 100), (32, 20, 128, 128), (64, 20, 256, 256), (64, 10, 512, 512)]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("cell", GATES)
def test_sizes(cell, size, dtype, masked, cupy, assert_close):
    B, T, F, H = size
    check(Case(cell, B=B, T=T, F=F, H=H, dtype=dtype, masked=masked), cupy, assert_close)


@pytest.mark.parametrize("cell", GATES)
def test_largest(cell, cupy, assert_close):
    check(Case(cell, B=128, T=10, F=1024, H=1024), cupy, assert_close)


@pytest.mark.parametrize("keep", ["tape", "outputs", "last"])
@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("cell", GATES)
def test_teaching_kernels_with_everything(cell, reset_after, keep, cupy, assert_close):
    case = Case(
        cell, B=33, T=70, F=20, H=40, dtype="float64", masked=True, x_drop=True, h_drop=True, keep_z=True,
        reset_after=reset_after, keep=keep,
    )  # fmt: skip
    check(case, cupy, assert_close, teaching=True)


@pytest.mark.parametrize("keep", ["tape", "outputs", "last"])
@pytest.mark.parametrize("H", [40, 200])  # blocks alone, and blocks that wait for each other
@pytest.mark.parametrize("cell", GATES)
def test_persistent_kernels_with_everything(cell, H, keep, cupy, assert_close):
    from rnn_ref.kernels.cuda.choice import choose

    assert choose(B=33, H=H, G=GATES[cell], dtype="float64").name == "persistent"
    case = Case(
        cell, B=33, T=70, F=20, H=H, dtype="float64", bias=False, masked=True, x_drop=True, keep_z=True, keep=keep,
        activation=GELU, recurrent_activation=HARD_SIGMOID,
    )  # fmt: skip
    check(case, cupy, assert_close)


@pytest.mark.parametrize("keep", ["tape", "outputs", "last"])
@pytest.mark.parametrize(("B", "T"), [(0, 3), (2, 0)])
@pytest.mark.parametrize("cell", GATES)
def test_no_samples_and_no_steps(cell, B, T, keep, cupy, assert_close):
    check(Case(cell, B=B, T=T, masked=True, keep=keep), cupy, assert_close)


@pytest.mark.parametrize("cell", GATES)
def test_teaching_kernels_on_a_stream_that_waits_for_no_other(cell, cupy, assert_close):
    """Big enough that whoever does not wait for the products of the inputs reads what is not there yet."""
    with cupy.cuda.Stream(non_blocking=True) as stream:
        check(Case(cell, B=64, T=50, F=512, H=256), cupy, assert_close, teaching=True)
        stream.synchronize()


@pytest.mark.parametrize("cell", GATES)
def test_the_same_bits_again(cell, cupy):
    case = Case(cell, B=64, T=30, F=64, H=256)
    first, second = (case.run("cuda", to_device=cupy.asarray) for _ in range(2))
    for name, value in first.items():
        if value is not None:
            np.testing.assert_array_equal(cupy.asnumpy(value), cupy.asnumpy(second[name]), err_msg=name)


@pytest.mark.parametrize("tool", ["memcheck", "racecheck"])
def test_compute_sanitizer(tool, cupy):
    sanitizer = shutil.which("compute-sanitizer")
    if sanitizer is None:
        pytest.skip("needs compute-sanitizer on the PATH")
    small = f"{Path(__file__).name}::test_sanitized"
    command = [sanitizer, "--tool", tool, "--error-exitcode", "9", sys.executable, "-m", "pytest", "-q", "-m", "gpu"]
    run = subprocess.run([*command, small], cwd=Path(__file__).parent, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout, run.stdout
    assert " skipped" not in run.stdout, run.stdout


@pytest.mark.parametrize("kernel", ["teaching", "alone", "together"])
@pytest.mark.parametrize("cell", GATES)
def test_sanitized(cell, kernel, cupy, assert_close):
    """What compute-sanitizer looks at: odd sizes, masks, blocks by themselves and blocks that wait for each other."""
    case = Case(cell, B=3, T=4, F=3, H=150 if kernel == "together" else 33, masked=True)
    check(case, cupy, assert_close, teaching=kernel == "teaching")
