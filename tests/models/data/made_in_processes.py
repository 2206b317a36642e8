"""A data set whose batches are made in processes, and go wrong in many ways there."""

import os
import sys
import threading
import time
from pathlib import Path

import numpy as np

from rnn_ref import Input, Sequential, layers, utils


class Odd(Exception):
    """Cannot be pickled there and back."""

    def __init__(self, a, b):
        super().__init__("an odd picture")


class Made(utils.PyDataset):
    """Six batches; numbers change with the epoch, as in a data set that draws a new order."""

    def __init__(self, kind="", folder=None, workers=1, **options):
        super().__init__(workers=workers, use_multiprocessing=True, **options)
        self.kind, self.folder, self.epoch = kind, folder, 0
        if kind == "a generator":
            self.generator = np.random.default_rng(0)
        if kind == "a lock":
            self.lock = threading.Lock()

    def __len__(self):
        return 6

    def on_epoch_end(self):
        self.epoch += 1

    def __getitem__(self, index):
        x = np.full((3, 2), index + 10 * self.epoch, "float32")
        if self.folder is not None:
            (Path(self.folder) / f"{index} {os.getpid()}").touch()
        if self.kind == "drawn":
            x = np.random.rand(3, 2)  # noqa: NPY002
        if self.kind == "a generator":
            x = self.generator.random((3, 2))
        if index == 4 and self.kind in FAULTS:
            return FAULTS[self.kind]()
        return x, x[:, :1]


def raised():
    raise OSError("no such picture")


def odd():
    raise Odd(1, 2)


FAULTS = {
    "an error": raised,
    "an odd error": odd,
    "a death": lambda: os._exit(3),
    "a result": lambda: (lambda: 0, 1),
    "no end": lambda: time.sleep(1e6),
}


def model():
    made = Sequential([Input((2,)), layers.Dense(1, kernel_initializer="ones")])
    made.compile("sgd", "mse")
    made.optimizer.learning_rate = 1e-4
    return made


if __name__ == "__main__":  # to be killed
    model().fit(Made("no end", sys.argv[1]), verbose=0)
