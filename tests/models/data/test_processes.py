"""Batches of a PyDataset from worker processes: the same numbers, errors that arrive, and nothing that stays."""

import multiprocessing
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, nullcontext
from pathlib import Path

import numpy as np
import pytest

from rnn_ref import callbacks, random, utils
from rnn_ref.models.data import Epochs, source

from .made_in_processes import Made, model

ROOT = Path(__file__).parents[3]


class Plain(Made):
    """The same in this process."""

    def __init__(self, kind="", **options):
        super().__init__(kind, **options)
        self.use_multiprocessing = False


def trained(data, **options):
    """Weights, and where the package's generator is then."""
    utils.set_random_seed(3)
    made = model()
    made.fit(data, epochs=2, verbose=0, **options)
    return [*made.get_weights(), random.generator().random()]


@pytest.fixture(autouse=True)
def importable_in_processes(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture(autouse=True)
def nothing_stays():
    threads = threading.active_count()
    yield
    assert not multiprocessing.active_children()
    assert threading.active_count() == threads


@pytest.mark.parametrize("shuffle", [True, pytest.param(False, marks=pytest.mark.long)])
def test_processes_give_what_one_does(shuffle):
    expected = trained(Plain(), shuffle=shuffle)
    for found, one in zip(trained(Made(workers=2, max_queue_size=3), shuffle=shuffle), expected, strict=True):
        np.testing.assert_array_equal(found, one)


def test_each_batch_has_random_numbers_of_its_own():
    def drawn(workers):
        with closing(Epochs(source(Made("drawn", workers=workers), model=model()))) as epochs:
            return [x[0, 0] for _ in range(2) for (x,), _, _ in epochs]

    utils.set_random_seed(5)
    first = drawn(1)
    again = drawn(1)
    utils.set_random_seed(5)
    assert drawn(2) == first
    assert len({*first, *again}) == 24


@pytest.mark.parametrize(
    ("kind", "error", "message", "note"),
    [
        ("an error", OSError, "no such picture", "batch 4 of Made, made in a worker"),
        pytest.param("an odd error", RuntimeError, "Odd: an odd picture", "batch 4 of Made", marks=pytest.mark.long),
        ("a result", (TypeError, AttributeError, pickle.PicklingError), "pickle", "batch 4 of Made, .* by pickle"),
        ("a death", RuntimeError, "a worker process died before batch 4, 5 was made", None),
        ("a generator", RuntimeError, r"draws from self.generator, .*default_rng\(\[self.epoch, index\]\)", "batch 0"),
        ("a lock", TypeError, "Made: .* cannot be pickled .* open in __getitem__", None),
    ],
)
def test_what_goes_wrong_in_a_process_arrives(kind, error, message, note):
    with pytest.raises(error, match=message) as caught:
        model().fit(Made(kind), shuffle=False, verbose=0)
    assert note is None or re.search(note, caught.value.__notes__[0])


def test_a_class_that_others_cannot_import_needs_cloudpickle(monkeypatch):
    kind = type("Lost", (Made,), {"__module__": "__main__"})
    monkeypatch.setattr(sys.modules["__main__"], "Lost", kind, raising=False)
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(TypeError, match=r"Lost: .* cannot be made anew .* or install cloudpickle"):
        model().predict(kind(), verbose=0)


def test_without_workers_nothing_is_sent():
    assert model().predict(Made("a lock", workers=0), verbose=0).shape == (18, 1)


@pytest.mark.parametrize("how", ["a callback", "Ctrl-C"])
def test_a_batch_that_is_not_wanted_any_more_is_not_waited_for(how):
    def stop(step, logs):
        if step == 2 and how == "Ctrl-C":
            for process in multiprocessing.active_children():  # a terminal tells them too
                os.kill(process.pid, signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        made.stop_training = step == 2

    made, watch = model(), callbacks.LambdaCallback(on_train_batch_end=stop)
    with pytest.raises(KeyboardInterrupt) if how == "Ctrl-C" else nullcontext():
        made.fit(Made("no end"), shuffle=False, verbose=0, callbacks=[watch])


def test_no_more_are_made_ahead_than_asked_for(tmp_path):
    def count(step, logs):
        assert len(list(tmp_path.iterdir())) <= step + 1 + 2

    watch = callbacks.LambdaCallback(on_predict_batch_end=count)
    model().predict(Made(folder=tmp_path, workers=2, max_queue_size=2), verbose=0, callbacks=[watch])
    assert len(list(tmp_path.iterdir())) == 6


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_processes_end_with_one_that_is_killed(tmp_path):
    command = [sys.executable, "-m", "tests.models.data.made_in_processes", str(tmp_path)]
    caller = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    while not (workers := {made.name.split()[1] for made in tmp_path.iterdir()}):
        time.sleep(0.05)
        assert caller.poll() is None
    caller.kill()
    caller.wait()
    for _ in range(1200):
        if not any(Path(f"/proc/{worker}").exists() for worker in workers):
            return
        time.sleep(0.05)
    pytest.fail(f"processes that stayed: {workers}")
