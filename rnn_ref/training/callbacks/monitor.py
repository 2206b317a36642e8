"""Callbacks that watch one metric: `EarlyStopping` and `ReduceLROnPlateau`."""

from __future__ import annotations

import warnings

import numpy as np

from rnn_ref.checks import flag, integer, number

from .. import metrics
from .._identifiers import one_of
from .base import Callback


class MonitorCallback(Callback):
    """What both share: the name of the metric, and what counts as an improvement.

    Parameters
    ----------
    monitor : str
        A name in the logs, such as ``"val_loss"``.
    mode : {"auto", "min", "max"}
        Whether less or more is better. ``"auto"`` asks the model's metric of this name, or infers it from the name.
    min_delta : float
        A smaller change does not count.
    """

    def __init__(self, monitor="val_loss", mode="auto", min_delta=0):
        super().__init__()
        owner = type(self).__name__
        if not isinstance(monitor, str):
            raise ValueError(
                f"{owner}: `monitor` must be a name in the logs, such as 'val_loss'. Received: monitor={monitor!r}"
            )
        self.monitor = monitor
        self.mode = one_of("mode", mode, ("auto", "min", "max"))
        self.min_delta = abs(number(min_delta, "min_delta", owner))
        self._sign: int | None = None  # 1 if more is better, -1 if less is

    def _improves(self, value: float, best: float | None) -> bool:
        if best is None:
            return True
        if self._sign is None:
            self._sign = self._find_sign()
        return self._sign * value - self.min_delta > self._sign * best

    def _find_sign(self) -> int:
        if self.mode != "auto":
            return 1 if self.mode == "max" else -1
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return -1
        found = getattr(self.model, "metrics", None) or ()
        for metric in [inner for outer in found for inner in getattr(outer, "metrics", [outer])]:
            if getattr(metric, "name", None) == name and getattr(metric, "_direction", None):
                return 1 if metric._direction == "up" else -1
        if name.lower() == "acc" or name in metrics.KNOWN:
            known = metrics.KNOWN.get(name, metrics.Accuracy)
            direction = getattr(known, "_direction", "up" if "accuracy" in name else "down")
            if direction is not None:
                return 1 if direction == "up" else -1
        raise ValueError(
            f"{type(self).__name__} cannot tell whether more or less of {self.monitor!r} is better. "
            "Pass mode='max' or mode='min'."
        )

    def _monitored(self, logs: dict) -> float | None:
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} monitors {self.monitor!r}, which is not available. "
                f"Available: {', '.join(logs)}. Is there validation data?",
                stacklevel=3,
            )
        elif np.ndim(value):
            raise ValueError(
                f"{type(self).__name__} monitors {self.monitor!r}, which is {np.size(value)} numbers and not one. "
                "Monitor another name, or give the metric an average, as in F1Score(average='macro')."
            )
        return value


class EarlyStopping(MonitorCallback):
    """Stop training when a metric no longer improves (https://keras.io/api/callbacks/early_stopping/).

    Parameters
    ----------
    monitor : str
    min_delta : float
        A smaller change is no improvement.
    patience : int
        Number of epochs without improvement after which to stop.
    verbose : {0, 1}
        1 prints what happens.
    mode : {"auto", "min", "max"}
        Whether less or more is better.
    baseline : float, optional
        Improvements only reset the patience once the metric is better than this.
    restore_best_weights : bool
        After training, go back to the weights of the best epoch.
    start_from_epoch : int
        Wait for this epoch before watching.
    """

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    ):
        super().__init__(monitor, mode, min_delta)
        owner = type(self).__name__
        self.patience = integer(patience, "patience", owner, least=0)
        self.verbose = verbose
        self.baseline = number(baseline, "baseline", owner, optional=True)
        self.restore_best_weights = flag(restore_best_weights, "restore_best_weights", owner)
        self.start_from_epoch = integer(start_from_epoch, "start_from_epoch", owner, least=0)
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def on_epoch_end(self, epoch, logs=None):
        current = self._monitored(logs or {})
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._remember_weights(epoch)  # in case no epoch is an improvement, as when the loss is NaN
        self.wait += 1
        if self._improves(current, self.best):
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self._remember_weights(epoch)
            if self._improves(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _remember_weights(self, epoch: int) -> None:
        self.best_epoch = epoch
        # Copies, as optimizers update weights in place.
        self.best_weights = [np.array(weight) for weight in self.model.get_weights()]

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(MonitorCallback):
    """Reduce the learning rate when a metric no longer improves.

    (https://keras.io/api/callbacks/reduce_lr_on_plateau/)

    The learning rate is added to the logs, as ``"learning_rate"``.

    Parameters
    ----------
    monitor : str
    factor : float
        What to multiply the learning rate with, below 1.
    patience : int
        Number of epochs without improvement after which to reduce.
    verbose : {0, 1}
        1 prints what happens.
    mode : {"auto", "min", "max"}
        Whether less or more is better.
    min_delta : float
        A smaller change is no improvement.
    cooldown : int
        Number of epochs to wait after a reduction.
    min_lr : float
        The lowest learning rate.
    """

    def __init__(
        self,
        monitor="val_loss",
        factor=0.1,
        patience=10,
        verbose=0,
        mode="auto",
        min_delta=0.0001,
        cooldown=0,
        min_lr=0.0,
    ):
        super().__init__(monitor, mode, min_delta)
        owner = type(self).__name__
        self.factor = number(factor, "factor", owner, "[0, 1)")
        self.patience = integer(patience, "patience", owner, least=0)
        self.verbose = verbose
        self.cooldown = integer(cooldown, "cooldown", owner, least=0)
        self.min_lr = number(min_lr, "min_lr", owner, "[0, inf)")
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Whether the last reduction is too recent for the next one."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        current = self._monitored(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._improves(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch, logs["learning_rate"])

    def _reduce(self, epoch: int, old: float) -> None:
        if old <= self.min_lr:
            return
        new = max(old * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0
