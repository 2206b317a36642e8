"""A notebook's kernel has threads of its own (its messages): forks, pools and joblib there compute the same bits."""

import os

import pytest

PROGRAM = """
import multiprocessing, os
import joblib
import numpy as np
import rnn_ref
from rnn_ref import layers

x = np.random.default_rng(0).normal(size=(40, 12, 7)).astype("float32")

def trained(_=0):
    rnn_ref.utils.set_random_seed(0)
    model = rnn_ref.Sequential([layers.Input((12, 7)), layers.LSTM(40), layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(x, np.zeros((40, 1)), epochs=2, batch_size=16, verbose=0)
    return b"".join(w.tobytes() for w in model.get_weights())

expected = trained()
"""
FORKS = """
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map_async(trained, range({count})).get(500) == [expected] * {count}
"""
JOBLIB = """
for backend in ("loky", "multiprocessing"):
    found = joblib.Parallel(2, backend=backend, timeout=200)(joblib.delayed(trained)() for _ in range(4))
    assert found == [expected] * 4, backend
assert trained() == expected
"""


def run(*cells):
    nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=550, kernel_name="python3").execute()  # raises what a cell raised


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_pools_and_joblib_in_a_notebook():
    pytest.importorskip("joblib", reason="joblib is not installed")
    run(PROGRAM, FORKS.format(count=4), JOBLIB)


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_100_forks_in_a_notebook():
    one_by_one = "for _ in range(50):\n" + "".join(f"    {line}\n" for line in FORKS.format(count=2).splitlines())
    run(PROGRAM, one_by_one, FORKS.format(count=2))
