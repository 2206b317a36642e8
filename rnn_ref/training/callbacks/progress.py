"""`ProgbarLogger`: progress on the screen."""

from __future__ import annotations

import sys
import time

from .base import Callback


class ProgbarLogger(Callback):
    """Show training, evaluation or prediction as it goes.

    ``params["verbose"]`` says how: 0 not at all, 1 (or ``"auto"``) as a bar for each epoch, followed by its
    metrics, 2 as one line for each epoch. The bar is tqdm's, and a widget in a notebook.

    Examples
    --------
    >>> logger = ProgbarLogger()
    >>> logger.set_params({"verbose": 2, "epochs": 10, "steps": 5})
    >>> logger.on_epoch_begin(2)
    >>> logger.on_epoch_end(2, {"loss": 0.1234, "val_loss": 0.2345})
    Epoch 3/10 - ...s - loss: 0.1234 - val_loss: 0.2345
    """

    def __init__(self):
        super().__init__()
        self.verbose = 1
        self.epochs = 1
        self.target: int | None = None  # number of steps; None if not known
        self._training = False
        self._bar = None

    def set_params(self, params):
        super().set_params(params)
        self.verbose = {"auto": 1}.get(params.get("verbose", 1), params.get("verbose", 1))
        self.epochs = params.get("epochs") or 1
        self.target = params.get("steps")

    # Training

    def on_train_begin(self, logs=None):
        self._training = True

    def on_epoch_begin(self, epoch, logs=None):
        self._begin(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch, logs=None):
        self._step(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._end(logs)

    def on_train_end(self, logs=None):
        self.close()

    def close(self) -> None:
        """Leave the bar as it is; the next training gets another."""
        self._training = False
        self._close()

    # Evaluation; during training it is the validation, which has no bar of its own

    def on_test_begin(self, logs=None):
        if not self._training:
            self._begin("Evaluate")

    def on_test_batch_end(self, batch, logs=None):
        if not self._training:
            self._step(batch, logs)

    def on_test_end(self, logs=None):
        if not self._training:
            self._end(logs)

    # Prediction

    def on_predict_begin(self, logs=None):
        self._begin("Predict")

    def on_predict_batch_end(self, batch, logs=None):
        self._step(batch, None)  # the logs are the outputs

    def on_predict_end(self, logs=None):
        self._end(None)

    # What is on the screen

    def _begin(self, title: str) -> None:
        self._title = title
        self._start = time.perf_counter()
        if self.verbose == 1:
            from tqdm.auto import tqdm  # imported only here, as that takes longer than many epochs

            self._close()
            self._bar = tqdm(desc=title, total=self.target, unit="step", file=sys.stdout, dynamic_ncols=True)

    def _step(self, batch: int, logs: dict | None) -> None:
        # `update` is true when it has just drawn the bar, a few times a second: formatting waits for that.
        if self._bar is None:
            return
        done = batch + 1 if self.target is None else min(batch + 1, self.target)  # the last group may be incomplete
        if self._bar.update(done - self._bar.n) and logs:
            self._bar.set_postfix_str(_format(logs), refresh=False)

    def _end(self, logs: dict | None) -> None:
        if self.verbose == 1 and self._bar is not None:
            self._bar.set_postfix_str(_format(logs or {}), refresh=False)
            self._close()
        elif self.verbose == 2:
            seconds = f"{time.perf_counter() - self._start:.1f}s"
            print(" - ".join(filter(None, [self._title, seconds, _format(logs or {}, " - ")])))

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _format(logs: dict, separator: str = ", ") -> str:
    """Four decimals; small numbers with an exponent.

    >>> _format({"loss": 0.12345, "learning_rate": 0.0001})
    'loss: 0.1235, learning_rate: 1.0000e-04'
    """
    return separator.join(f"{key}: {_number(value)}" for key, value in logs.items())


def _number(value) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4f}" if value == 0 or abs(value) > 1e-3 else f"{value:.4e}"
