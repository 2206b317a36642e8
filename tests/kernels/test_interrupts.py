"""Ctrl-C at any moment leaves a model that can be used, and so does a signal whose handler uses one."""

import subprocess
import sys

import pytest

COMMON = """
import random, signal, sys, threading, time
import numba, numpy as np
import rnn_ref
from rnn_ref import layers, locks
random.seed(SEED)
rnn_ref.utils.set_random_seed(0)
x, y = np.random.default_rng(0).normal(size=(64, 10, 3)).astype("float32"), np.zeros((64, 1))
model = rnn_ref.Sequential([
    layers.Input((10, 3)), layers.LSTM(16, return_sequences=True), layers.GRU(8), layers.Dense(1)
])
model.compile("adam", "mse")
alarm = lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)

def in_a_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()), daemon=True)
    thread.start()
    thread.join(60)
    return found[0] if found else "hangs"
"""

FIT = """
signal.signal(signal.SIGALRM, signal.default_int_handler)
model.fit(x, y, verbose=0)
threads = numba.get_num_threads()
held, changed, epochs = 0, 0, 0
for _ in range(COUNT):
    try:
        alarm(random.uniform(0.0005, 0.02))
        model.fit(x, y, batch_size=8, epochs=10**6, verbose=0)
    except KeyboardInterrupt:
        alarm(0)
    held += any(lock.locked() for lock in (locks.kernels, locks.linking, locks.memory))
    changed += numba.get_num_threads() != threads
other = in_a_thread(lambda: model.predict(x, verbose=0))
history = model.fit(x, y, epochs=2, verbose=0).history["loss"]
same = not isinstance(other, str) and np.isfinite(other).all() and len(history) == 2
print(held, changed, same)
"""

FIRST = """
signal.signal(signal.SIGALRM, signal.default_int_handler)
wait, interrupts, done = 0.001, 0, False
while not done:
    try:
        alarm(wait)
        model.fit(x, y, epochs=2, verbose=0)
        done = interrupts > 5
    except KeyboardInterrupt:
        interrupts += 1
    alarm(0)
    wait *= 1.3
other = in_a_thread(lambda: model.predict(x, verbose=0))
print(interrupts > 5, np.array_equal(other, model.predict(x, verbose=0)), locks.linking.locked())
"""

HANDLER = """
large, data = layers.LSTM(40, return_sequences=True), np.random.default_rng(1).normal(size=(32, 20, 30))
expected, of_handler, wrong, calls = large(data), model.predict(x, verbose=0), [], []

def handler(*_):
    calls.append(1)
    if not np.array_equal(model.predict(x, verbose=0), of_handler):
        wrong.append("handler")

signal.signal(signal.SIGALRM, handler)
until = time.monotonic() + 3
while time.monotonic() < until:
    alarm(random.uniform(0.0002, 0.003))
    if not np.array_equal(large(data), expected):
        wrong.append("interrupted")
alarm(0)
print(wrong, len(calls) > 20, locks.kernels.locked())
"""


def run(code, **numbers):
    code = COMMON + code
    for name, number in numbers.items():
        code = code.replace(name, str(number))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_interrupted_training_leaves_locks_free_and_threads_as_they_were():
    assert run(FIT, SEED=0, COUNT=60) == "0 0 True"


@pytest.mark.long
def test_a_thousand_interrupts():
    assert run(FIT, SEED=1, COUNT=1000) == "0 0 True"


def test_interrupting_the_first_steps_leaves_kernels_that_can_be_linked():
    assert run(FIRST, SEED=0) == "True True False"


def test_a_handler_may_use_a_model_while_another_runs():
    assert run(HANDLER, SEED=0) == "[] True False"


def test_no_lock_is_taken_by_with():
    """Python 3.14 runs a signal's handler between the taking and the block."""
    from rnn_ref import locks

    for lock in (locks.kernels, locks.linking, locks.memory):
        with pytest.raises(TypeError, match="lock\\[True\\]"), lock:
            pass
        assert not lock.locked()
