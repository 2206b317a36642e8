"""The stand-in is as strict as it claims, and promises nothing that CuPy does not have."""

import ast
from pathlib import Path

import numpy as np
import pytest

import rnn_ref

from . import standin

PACKAGE = Path(rnn_ref.__file__).parent
OWN = {"device", "module"}  # what ArrayModule has besides


def used() -> dict[str, str]:
    """Every ``xp.name`` in the package, and a file it is used in; the benchmark means CuPy itself."""
    found = {}
    for file in set(PACKAGE.rglob("*.py")) - set(PACKAGE.glob("bench/**/*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "xp":
                found.setdefault(node.attr, str(file))
    return found


def test_the_package_uses_what_the_stand_in_has():
    known = {*standin.FUNCTIONS, "asarray", "asnumpy", *OWN}
    missing = {name: file for name, file in used().items() if name not in known and name != "use"}
    assert not missing
    assert {"zeros", "where", "matmul", "empty"} <= set(used())


def test_cupy_has_what_the_stand_in_has():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed: pip install 'rnn-ref[cuda]'")
    assert [name for name in standin.FUNCTIONS if not hasattr(cupy, name)] == []
    array = set(dir(cupy.ndarray))
    assert [name for name in (*standin.METHODS, *standin.ATTRIBUTES, "get", "item", "T") if name not in array] == []
    assert cupy.cuda.cublas.sgemm  # the library is there
    assert issubclass(cupy.cuda.memory.OutOfMemoryError, MemoryError)
    runtime = cupy.cuda.runtime
    assert callable(runtime.driverGetVersion)
    assert callable(runtime.getDeviceCount)
    assert issubclass(runtime.CUDARuntimeError, RuntimeError)
    assert hasattr(cupy.cuda.Device, "compute_capability")


def test_it_meets_no_array_of_the_cpu():
    there, here = standin.Array(np.ones(3)), np.ones(3)
    for meet in (
        lambda: there + here,
        lambda: here + there,
        lambda: np.add(here, there),
        lambda: standin.module.concatenate([there, here]),
        lambda: np.where(here > 0, there, 0),
        lambda: there[here.astype(int)],
        lambda: there.__setitem__(0, here[:1]),
        lambda: there.__iadd__(here),
    ):
        with pytest.raises(TypeError):
            meet()


def test_it_becomes_no_array_of_the_cpu_unasked():
    there = standin.Array(np.ones(3))
    for become in (lambda: np.asarray(there), lambda: np.array([there]), lambda: float(there)):
        with pytest.raises((TypeError, ValueError)):
            become()
    assert type(standin.module.asnumpy(there)) is np.ndarray


def test_it_lacks_what_cupy_lacks():
    there = standin.Array(np.ones(3))
    with pytest.raises(TypeError):
        np.matmul(there, there)  # as a function of NumPy: CuPy does not answer for generalized ufuncs
    with pytest.raises(TypeError):
        np.logical_or.accumulate(there)
    for name in ("errstate", "vectorize"):
        with pytest.raises(AttributeError):
            getattr(standin.module, name)


def test_it_counts():
    standin.counts.clear()
    there = standin.module.asarray(np.arange(3.0))
    assert standin.counts == {"in": 1}
    there = there * 2 + np.float32(1)
    assert standin.counts == {"in": 1}
    assert float(there.sum()) == 9
    assert bool((there > 0).all())
    standin.module.asnumpy(there)
    assert standin.counts == {"in": 1, "out": 3}
