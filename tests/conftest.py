"""What all tests need before Keras, JAX, Numba or Matplotlib are imported."""

import gc
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_ENABLE_X64", "1")  # Keras is the yardstick in float64 too
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # small programs, run once: compiling them takes longest
# What one process compiled, the others, and the next run, need not compile again.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
os.environ.setdefault("MPLBACKEND", "Agg")
# One core still tries two threads; processes side by side try no more.
os.environ.setdefault(
    "NUMBA_NUM_THREADS", "2" if "PYTEST_XDIST_WORKER" in os.environ else str(max(2, os.cpu_count() or 1))
)

import hypothesis
import numpy as np
import pytest

import rnn_ref

collect_ignore = ["public_types.py"]  # for mypy to read, not to be run

hypothesis.settings.register_profile("rnn_ref", deadline=None, derandomize=True, print_blob=True, max_examples=25)
hypothesis.settings.load_profile("rnn_ref")


@pytest.fixture(autouse=True)
def seeded():
    """Every test starts from the same random state, alone or after others."""
    rnn_ref.utils.set_random_seed(0)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture(autouse=True, scope="module")
def kept_out_of_garbage_collection():
    """What a module leaves behind, mostly programs that JAX compiled, is not searched through again: gigabytes."""
    yield
    gc.freeze()


@pytest.fixture(scope="session")
def assert_close():
    """``assert_close(actual, expected, tolerance, what)``: error relative to the largest magnitude of the array."""

    def check(actual, expected, tolerance, what=""):
        actual, expected = np.asarray(actual), np.asarray(expected)
        assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
        assert np.isfinite(expected).all(), f"{what}: nothing to compare with, the expected values blew up"
        error = np.abs(actual.astype("float64") - expected.astype("float64")).max(initial=0.0)
        scale = np.abs(expected).max(initial=0.0)
        assert error <= tolerance * max(scale, np.finfo("float32").tiny), (
            f"{what}: error {error:.2e} at magnitude {scale:.2e}"
        )

    return check


@pytest.fixture(scope="session")
def keras_in():
    """``with keras_in("float64"):`` Keras rounds tanh and others to float32 unless told not to."""

    def precision(dtype):
        from keras.src.backend.common import dtypes  # of the Keras that is imported just now

        return mock.patch.dict(dtypes.BIT64_TO_BIT32_DTYPE, {"float64": dtype})

    return precision


@pytest.fixture(scope="module")
def on_numpy():
    """For modules that take ``keras`` from ``tests.keras_on_numpy``."""
    from .keras_on_numpy import imported

    with imported():
        yield


@pytest.fixture(scope="module")
def that_trains():
    """For modules that take ``keras`` from ``tests.keras_that_trains``."""
    from .keras_that_trains import imported

    with imported():
        yield


def pytest_collection_modifyitems(items):
    """What takes minutes begins first, so that at the end no process is alone with it."""
    items.sort(key=lambda item: -max((mark.kwargs.get("minutes", 0) for mark in item.iter_markers("long")), default=0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config):
    """Before processes run all tests side by side, compile what each of them would compile for itself."""
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        code = "from rnn_ref.compiling import compile_all; compile_all()"
        subprocess.run([sys.executable, "-c", f"if __name__ == '__main__': {code}"], check=True)


def pytest_runtest_makereport(item, call):
    """In CI (RNN_REF_NO_SKIP=1) a skipped test is a failed one: everything tests need is installed there."""
    if (
        os.environ.get("RNN_REF_NO_SKIP")
        and call.excinfo is not None
        and call.excinfo.errisinstance(pytest.skip.Exception)
    ):
        call.excinfo = pytest.ExceptionInfo.from_exc_info(
            (AssertionError, AssertionError(f"skipped in CI: {call.excinfo.value}"), call.excinfo.tb)
        )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """In CI (RNN_REF_NO_SKIP=1) a skipped test is a failure: everything the tests need is installed there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("RNN_REF_NO_SKIP") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
