"""A training of several ranks to be killed: ``mpiexec -n 2 python -m tests.distribution.backed_up FOLDER``."""

import os
import sys
import time
from pathlib import Path

import numpy as np

import rnn_ref
from rnn_ref import callbacks, distribution, layers

X = np.random.default_rng(0).standard_normal((31, 4, 3)).astype("float32")
EPOCHS = 4


class Slow(callbacks.Callback):
    def on_train_batch_end(self, step, logs=None):
        time.sleep(0.02)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    together = distribution.DataParallel(threads=1)
    rnn_ref.utils.set_random_seed(together.rank)
    model = rnn_ref.Sequential(
        [rnn_ref.Input((4, 3)), layers.LSTM(4, dropout=0.3), layers.Dropout(0.2, seed=5), layers.Dense(1)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    (folder / f"{together.rank}.pid").write_text(str(os.getpid()))
    with together.scope():
        backup = callbacks.BackupAndRestore(folder / "backup", save_freq=3)
        found = model.fit(X, X[:, 0, :1], batch_size=4, epochs=EPOCHS, verbose=0, callbacks=[Slow(), backup])
    np.savez(folder / f"{together.rank}.npz", *model.get_weights(), **found.history)
