"""Forked processes go on with the models of their parent: same bits, on one thread, and never a hang."""

import os
import subprocess
import sys

import pytest

COMMON = """
import multiprocessing, os, sys, threading
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import rnn_ref
from rnn_ref import layers, locks, regions
from rnn_ref.training import optimizers

x = np.random.default_rng(0).normal(size=(40, 12, 7)).astype("float32")
y = np.zeros((40, 1))

def trained():
    rnn_ref.utils.set_random_seed(0)
    model = rnn_ref.Sequential([
        layers.Input((12, 7)), layers.LSTM(40, return_sequences=True), layers.GRU(8), layers.Dense(1)
    ])
    model.compile("adam", "mse")
    model.fit(x, y, epochs=2, batch_size=16, verbose=0)
    return b"".join(w.tobytes() for w in model.get_weights())

def in_child(function):
    pid = os.fork()
    if pid == 0:
        ok = False
        try:
            ok = function()
        finally:
            os._exit(0 if ok else 1)
    return os.waitpid(pid, 0)[1] == 0

def product(_):
    a = np.ones((300, 300))
    return float((a @ a)[0, 0])
"""

FAMILY = """
expected = trained()
child = in_child(lambda: trained() == expected and regions._forked)
grandchild = in_child(lambda: in_child(lambda: trained() == expected) and trained() == expected)
new_kernels = in_child(lambda: bool(np.isfinite(layers.SimpleRNN(5)(x)).all()))
with multiprocessing.get_context("fork").Pool(2) as pool:
    pools = pool.apply_async(trained).get(120) == expected and pool.map(product, range(4)) == [300] * 4
with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
    futures = pool.submit(trained).result(120) == expected
print(child, grandchild, new_kernels, pools, futures, trained() == expected)
"""

BUSY = """
expected, stop = trained(), threading.Event()
layer = layers.LSTM(64)
layer.build((64, 50, 64))
data = np.ones((64, 50, 64), "float32")

def busy():
    query = np.ones((8, 200, 128))
    while not stop.is_set():
        layers.LSTM(64)(data)  # a new one: its weights are drawn, and made orthogonal by LAPACK
        layers.Attention(dtype="float64")([query, query])
        optimizers.clipping.clipped([np.ones((300, 300))], clipnorm=1.0)

threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads: thread.start()
def usable():
    free = not any(lock.locked() for lock in (locks.kernels, locks.linking, locks.memory))
    return free and np.isfinite(layer(data)).all() and product(0) == 300
children = [in_child(usable) for _ in range(COUNT)]
stop.set()
for thread in threads: thread.join()
print(all(children), len(children), trained() == expected)
"""

BEFORE = """
def own():
    trained()
    return not regions._forked
print(in_child(own), in_child(own), trained() == trained())
"""


def run(code, count=0):
    code = (COMMON + code).replace("COUNT", str(count))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=550)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def test_children_grandchildren_and_pools_compute_the_same_bits():
    assert run(FAMILY) == " ".join(["True"] * 6)


def test_forks_while_other_threads_run_kernels():
    assert run(BUSY, 3) == "True 3 True"


@pytest.mark.long
def test_two_hundred_forks():
    assert run(BUSY, 200) == "True 200 True"


def test_a_child_from_before_the_first_kernel_has_threads_of_its_own():
    assert run(BEFORE) == "True True True"
