"""Processes that start anew, and those of a server that forks, get models by pickle and compute the same bits."""

import subprocess
import sys

import pytest

PROGRAM = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import rnn_ref
from rnn_ref import layers

x = np.random.default_rng(0).normal(size=(40, 12, 7)).astype("float32")

def new():
    rnn_ref.utils.set_random_seed(0)
    model = rnn_ref.Sequential([
        layers.Input((12, 7)), layers.LSTM(40, return_sequences=True), layers.GRU(8), layers.Dense(1)
    ])
    model.compile("adam", "mse")
    return model

def trained(model):
    model.fit(x, np.zeros((40, 1)), epochs=2, batch_size=16, shuffle=False, verbose=0)
    return b"".join(w.tobytes() for w in model.get_weights())

if __name__ == "__main__":
    expected = trained(new())
    context = multiprocessing.get_context(sys.argv[1])
    if sys.argv[1] == "forkserver":
        context.set_forkserver_preload(["rnn_ref"])
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = [*pool.map(trained, [new(), new()])]
        layer = layers.LSTM(5)
        outputs = layer(x)
        same = np.array_equal(pool.submit(layer, x).result(), outputs)
    print(found == [expected] * 2, same, trained(new()) == expected)
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_of_either_kind_compute_the_same_bits(method, tmp_path):
    if method == "forkserver" and sys.platform == "win32":
        pytest.skip("this system cannot fork")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run([sys.executable, str(program), method], capture_output=True, text=True, timeout=500)
    assert done.stdout.split() == ["True"] * 3, done.stdout + done.stderr
