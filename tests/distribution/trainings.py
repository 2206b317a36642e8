"""Trainings that processes started anew can import."""

import os
import random
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rnn_ref import Sequential, distribution, layers


def drawn(rate, kind):
    """Numbers of every generator that a seed sets."""
    x = np.random.default_rng(0).normal(size=(8, 5, 3)).astype("float32")
    model = Sequential([layers.Input((5, 3)), getattr(layers, kind)(4), layers.Dropout(0.5), layers.Dense(1)])
    model.compile("adam", "mse")
    loss = model.fit(x, x[:, 0, :1], epochs=2, batch_size=4, verbose=0).history["loss"][-1]
    return {"loss": loss * rate, "python": random.random(), "numpy": np.random.rand()}  # noqa: NPY002


def given(seed, rate):
    return seed + rate


def nested(rate, seed):
    with ThreadPoolExecutor(1) as executor:
        inner = distribution.sweep(given, {"rate": [rate]}, [seed], executor=executor, progress=False)
    raise ValueError(inner.rows[0]["error"])


def mortal(rate, seed):
    if rate == 2 and seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return rate * 10 + seed


def faulty(rate, seed):
    if seed == 1:
        raise RuntimeError(f"no luck at {rate}")
    return rate


def what_is_it(rate, seed):
    return {0: "text", 1: None, 2: {}, 3: {"a": True}, 4: np.float32(3), 5: np.array([4.0])}[seed]
