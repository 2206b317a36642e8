"""Small callbacks: `LambdaCallback`, `TerminateOnNaN`, `LearningRateScheduler`, `CSVLogger`."""

from __future__ import annotations

import csv
import inspect
import math
import os

import numpy as np

from rnn_ref.checks import flag, number

from .base import HOOKS, Callback


class LambdaCallback(Callback):
    """Hooks given as functions (https://keras.io/api/callbacks/lambda_callback/).

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable, optional
        ``f(epoch, logs)``.
    on_train_begin, on_train_end : callable, optional
        ``f(logs)``.
    on_train_batch_begin, on_train_batch_end : callable, optional
        ``f(batch, logs)``.
    **kwargs
        Any other hook by its name.

    Examples
    --------
    >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs)).on_epoch_end(3, {})
    3 {}
    """

    def __init__(
        self,
        on_epoch_begin=None,
        on_epoch_end=None,
        on_train_begin=None,
        on_train_end=None,
        on_train_batch_begin=None,
        on_train_batch_end=None,
        **kwargs,
    ):
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in hooks.items():
            if name not in HOOKS:
                raise TypeError(f"There is no hook {name!r}. Known: {', '.join(HOOKS)}.")
            if function is not None and not callable(function):
                raise ValueError(f"LambdaCallback: `{name}` must be a function. Received: {name}={function!r}")
            if function is not None:
                setattr(self, name, function)


class TerminateOnNaN(Callback):
    """Stop training when the loss is NaN or infinite (https://keras.io/api/callbacks/terminate_on_nan/).

    Parameters
    ----------
    raise_error : bool
        Raise a RuntimeError instead.
    """

    def __init__(self, raise_error=False):
        super().__init__()
        self.raise_error = flag(raise_error, "raise_error", type(self).__name__)

    def on_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"The loss of batch {batch} is {loss}: training stopped.")
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True


class LearningRateScheduler(Callback):
    """Set the learning rate before each epoch (https://keras.io/api/callbacks/learning_rate_scheduler/).

    The learning rate is added to the logs, as ``"learning_rate"``.

    Parameters
    ----------
    schedule : callable
        ``schedule(epoch, learning_rate)`` or ``schedule(epoch)`` returns the new learning rate.
    verbose : {0, 1}
        1 prints it.
    """

    def __init__(self, schedule, verbose=0):
        super().__init__()
        if not callable(schedule):
            raise ValueError(
                "LearningRateScheduler: `schedule` must be a function of the epoch, and of the learning rate if it "
                f"likes. Received: schedule={schedule!r}"
            )
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _accepts_two(schedule)

    def on_epoch_begin(self, epoch, logs=None):
        optimizer = self.model.optimizer
        args = (epoch, float(optimizer.learning_rate)) if self._takes_rate else (epoch,)
        rate = self.schedule(*args)
        optimizer.learning_rate = number(rate, "the value of schedule", type(self).__name__)
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def _accepts_two(function) -> bool:
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a compiled function may have no signature to read; Keras passes both first
        return True
    return True


class CSVLogger(Callback):
    """Write the metrics of every epoch to a CSV file (https://keras.io/api/callbacks/csv_logger/).

    Parameters
    ----------
    filename : str or path
    separator : str
    append : bool
        Add to the file, if there is one, instead of replacing it.
    """

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        if not isinstance(filename, str | os.PathLike):
            raise ValueError(f"CSVLogger: `filename` must be a path. Received: filename={filename!r}")
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"CSVLogger: `separator` must be one character. Received: separator={separator!r}")
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = flag(append, "append", type(self).__name__)
        self.csv_file = None
        self.writer = None

    def on_train_begin(self, logs=None):
        has_content = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._write_header = not has_content
        if self.csv_file is not None:
            self.csv_file.close()
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115
        self.writer = None

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self.writer is None:
            keys = sorted(logs)
            if not any(key.startswith("val_") for key in keys):
                keys += [f"val_{key}" for key in keys]  # validation may not run in every epoch
            self.writer = csv.DictWriter(
                self.csv_file, ["epoch", *keys], restval="NA", extrasaction="ignore", delimiter=self.sep
            )
            if self._write_header:
                self.writer.writeheader()
        row = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in logs.items()}
        self.writer.writerow({**row, "epoch": epoch})
        self.csv_file.flush()

    def on_train_end(self, logs=None):
        if self.csv_file is not None:
            self.csv_file.close()
        self.writer = None
