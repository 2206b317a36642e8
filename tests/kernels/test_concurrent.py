"""Models that several threads train at once, each its own, learn the same bits as alone."""

import threading

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers
from rnn_ref.kernels.cpu import threads as kernel_threads

KINDS = ("SimpleRNN", "LSTM", "GRU")
X = np.random.default_rng(0).normal(size=(12, 7, 5)).astype("float32")
Y = np.zeros((12, 2), "float32")


@pytest.fixture(autouse=True)
def little_work_is_shared_out_too(monkeypatch):
    monkeypatch.setattr(kernel_threads, "LITTLE_WORK", 1)


def new(k):
    rnn_ref.utils.set_random_seed(k)
    model = rnn_ref.Sequential([
        layers.Input((7, 5)),
        getattr(layers, KINDS[k % 3])(9 + k, dropout=0.2, seed=k),
        layers.Dense(2),
    ])  # fmt: skip
    model.compile(rnn_ref.optimizers.Adam(0.01), "mse")
    return model


def trained(model):
    model.fit(X, Y, batch_size=5, epochs=6, shuffle=False, verbose=0)
    return [*model.get_weights(), model.predict(X, verbose=0), model.evaluate(X, Y, verbose=0)]


def test_threads_that_train_models_of_their_own():
    expected = [trained(new(k)) for k in range(6)]
    models, found = [new(k % 6) for k in range(12)], {}
    together = threading.Barrier(len(models))

    def work(k):
        together.wait()
        found[k] = trained(models[k])

    workers = [threading.Thread(target=work, args=(k,)) for k in range(len(models))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for k in range(len(models)):
        for ours, alone in zip(found[k], expected[k % 6], strict=True):
            np.testing.assert_array_equal(ours, alone)


def test_threads_that_ask_one_model():
    model = new(1)
    expected, found = model.predict(X, verbose=0), []
    workers = [
        threading.Thread(target=lambda: found.extend(model.predict(X, verbose=0) for _ in range(20))) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 80
    assert all(np.array_equal(outputs, expected) for outputs in found)
