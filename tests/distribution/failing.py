"""Programs of two ranks that end in an error: ``mpiexec -n 2 python -m tests.distribution.failing FOLDER``.

What each rank met goes to a file; with ``an end`` in place of the folder, rank 1 ends while rank 0 trains.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np

import rnn_ref
from rnn_ref import callbacks, distribution, layers, losses, metrics

X, Y = np.ones((16, 3), "float32"), np.ones((16, 1), "float32")


def made(units=1, extra=(), optimizer="sgd", loss="mse", kind=rnn_ref.Sequential, **compiled):
    model = kind([rnn_ref.Input((3,)), layers.Dense(4), *extra, layers.Dense(units)])
    model.compile(optimizer, loss, **compiled)
    return model


class Own(metrics.Metric):
    def update_state(self, y_true, y_pred, sample_weight=None):
        pass

    def result(self):
        return 0.0


class OwnStep(rnn_ref.Sequential):
    def train_step(self, data):
        return {"loss": 0.0}


class Odd(rnn_ref.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        if index == 1 and rank() == 1:
            raise ZeroDivisionError("on rank 1")
        return X, Y


class Interrupted(rnn_ref.utils.PyDataset):
    steps = 0

    def __len__(self):
        return 200

    def __getitem__(self, index):
        Interrupted.steps += 1
        if index == 3 + rank():
            os.kill(os.getpid(), signal.SIGINT)
        return X, Y


def rank():
    return distribution.distribution().rank


def another_version():
    from rnn_ref.distribution import alike

    with mock.patch.object(alike, "__version__", f"0.{rank()}"):
        made().fit(X, Y, verbose=0)


def changed_weights():
    model = made()
    model.layers[0].kernel.assign(np.full((3, 4), rank()))
    model.evaluate(X, Y, verbose=0)


def dead():
    """What the first rank takes for the process of rank 1 has ended."""
    if rank() == 0:
        child = subprocess.Popen([sys.executable, "-c", ""])
        child.wait()
        homes = distribution.distribution().ranks._homes
        ours, homes[1] = homes[1], (homes[1][0], child.pid)
        try:
            made().fit(X, Y, verbose=0)
        finally:
            homes[1] = ours
    time.sleep(2 * rank())


class Broken(rnn_ref.utils.PyDataset):
    """Of the third batch the last sample, which is rank 1's, is NaN."""

    def __len__(self):
        return 9

    def __getitem__(self, index):
        x = X + 0.1 * index
        x[-1] = np.nan if index == 2 else 0
        return x, Y


def nan(raise_error):
    """Only the first rank's callbacks count; the others' loss is NaN with it, as it is that of the whole batch."""
    model = made()
    stop = callbacks.TerminateOnNaN(raise_error=raise_error)
    history = model.fit(Broken(), shuffle=False, epochs=2, verbose=0, callbacks=[stop])
    losses, step = history.history["loss"], model.optimizer.iterations
    raise RuntimeError(f"stopped after {int(step)} steps, {len(losses)} epoch, loss {losses[-1]}")


def interrupted():
    try:
        made().fit(Interrupted(), shuffle=False, verbose=0)
    except KeyboardInterrupt:
        raise RuntimeError(f"interrupted after {Interrupted.steps} steps") from None


CASES = {
    "another model": lambda: made(1 + rank()).fit(X, Y[:, :1] * np.ones((1, 1 + rank())), verbose=0),
    "another optimizer": lambda: made(optimizer=["sgd", "adam"][rank()]).fit(X, Y, verbose=0),
    "another version": another_version,
    "other data": lambda: made().fit(X[: 16 - rank()], Y[: 16 - rank()], batch_size=4, verbose=0),
    "other batches": lambda: made().fit(iter([(X + rank(), Y)] * 3), verbose=0),
    "a small last batch": lambda: made().fit(X, Y, batch_size=5, verbose=0),
    "BatchNormalization": lambda: made(extra=[layers.BatchNormalization()]).fit(X, Y, verbose=0),
    "a loss of all samples": lambda: made(loss=losses.Dice()).fit(X, Y, verbose=0),
    "a metric of one's own": lambda: made(metrics=[Own()]).fit(X, Y, verbose=0),
    "a step of one's own": lambda: made(kind=OwnStep).fit(X, Y, verbose=0),
    "a single batch": lambda: made().train_on_batch(X, Y),
    "an error on one": lambda: made().fit(Odd(), shuffle=False, verbose=0),
    "changed weights": changed_weights,
    "an interrupt": interrupted,
    "NaN": lambda: nan(False),
    "NaN as an error": lambda: nan(True),
    "a dead rank": dead,
}

if __name__ == "__main__":
    if sys.argv[1] == "an end":
        distribution.set_distribution(distribution.DataParallel(threads=1))
        sys.exit(0 if rank() else made().fit(X, Y, verbose=0) and 0)
    met = {}
    for name, case in CASES.items():
        with distribution.DataParallel(threads=1).scope():
            try:
                case()
            except Exception as error:
                met[name] = f"{type(error).__name__}: {error}"
            number = rank()
    (Path(sys.argv[1]) / f"{number}.json").write_text(json.dumps(met))
