"""The first calls of a process may come from several threads at once."""

import subprocess
import sys

import pytest

CODE = """
import threading
import numpy as np
import rnn_ref

x = np.ones((2, 3, 4), "float32")
together, errors = threading.Barrier(8), []

def first(k):
    layer = (rnn_ref.layers.LSTM(3), rnn_ref.layers.GRU(3), rnn_ref.layers.Activation("tanh"))[k % KINDS]
    together.wait()
    try:
        layer(x)
    except BaseException as error:
        errors.append(f"{type(error).__name__}: {error}")

threads = [threading.Thread(target=first, args=(k,)) for k in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(errors)
"""


@pytest.mark.parametrize("kinds", [1, 3])
def test_first_calls_from_several_threads(kinds):
    code = CODE.replace("KINDS", str(kinds))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
