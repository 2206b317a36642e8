"""`History`: what `fit` returns."""

from __future__ import annotations

from .base import Callback


class History(Callback):
    """Records the metrics of every epoch (https://keras.io/api/callbacks/).

    Attributes
    ----------
    history : dict of str to list
        The values of each metric, one per epoch.
    epoch : list of int
        The numbers of the epochs.
    params : dict
        ``verbose``, ``epochs`` and ``steps`` of the training.

    Examples
    --------
    >>> history = History()
    >>> history.on_train_begin()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.epoch, history.history
    ([0], {'loss': [0.5]})
    """

    def __init__(self):
        super().__init__()
        self.history: dict[str, list] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)
