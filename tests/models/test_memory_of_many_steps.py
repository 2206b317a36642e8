"""Steps, predictions, traces and models leave nothing behind: memory is flat however many there are."""

import gc
import subprocess
import sys

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

if sys.platform != "win32":
    import resource

X = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")
Y = np.zeros((4, 1), "float32")


def new_model():
    model = rnn_ref.Sequential([layers.Input((5, 3)), layers.LSTM(4), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


def use(count, model, layer, state):
    """What a notebook does over and over; what takes longest, less often."""
    for k in range(count):
        model.train_on_batch(X, Y)
        if k % 4 == 0:
            model.predict_on_batch(X)
            layer(X)
            state.forward(X, training=True)
        if k % 50 == 0:
            model.predict(X, verbose=0)
            model.evaluate(X, Y, verbose=0)
            rnn_ref.trace(model, X)
            layers.GRU(2)(layers.Input((5, 3)))
            new_model().train_on_batch(X, Y)


def peak():
    """Megabytes of this process at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def alive():
    gc.collect()
    return len(gc.get_objects())


def growth(count):
    """Objects that are still there afterwards, and megabytes."""
    model, layer, state = new_model(), layers.LSTM(4), layers.GRU(4, stateful=True, dropout=0.2, recurrent_dropout=0.2)
    state.ensure_built(X.shape)
    use(max(100, count // 20), model, layer, state)
    alive()
    megabytes, objects = peak(), alive()
    use(count, model, layer, state)
    return alive() - objects, peak() - megabytes


def test_no_object_is_left_by_a_step():
    objects, _ = growth(500)
    assert objects < 10  # one of each model would be ten


@pytest.mark.long(minutes=1)
@pytest.mark.skipif(sys.platform == "win32", reason="this system does not tell how much memory was used")
def test_memory_is_flat():
    code = f"import runpy; growth = runpy.run_path({__file__!r})['growth']; print(*growth(20_000))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    objects, megabytes = map(float, done.stdout.split())
    assert objects < 400
    assert megabytes < 5


def test_predict_keeps_outputs_and_not_what_they_are_views_of():
    kept = []
    see = rnn_ref.callbacks.LambdaCallback()
    see.on_predict_batch_end = lambda batch, logs: kept.append(logs["outputs"])
    x = np.random.default_rng(0).normal(size=(6, 10, 3))
    for cut in (lambda x: x[:, :1], lambda x: x[:, 2:]):
        model = rnn_ref.Sequential([layers.Input((10, 3)), layers.LSTM(4, return_sequences=True), layers.Lambda(cut)])
        outputs = model.predict(x, batch_size=2, verbose=0, callbacks=[see])
        np.testing.assert_array_equal(outputs, np.concatenate(kept[-3:]))
        for array in kept[-3:]:
            assert array.base is None or array.base.nbytes <= 2 * array.nbytes
