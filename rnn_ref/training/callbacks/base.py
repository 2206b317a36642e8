"""`Callback`: hooks into training, evaluation and prediction; `CallbackList` calls the hooks of several."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from rnn_ref.spelling import Spelled


class Callback(Spelled):
    """Base class of callbacks; every hook does nothing (https://keras.io/api/callbacks/base_callback/).

    `logs` is a dictionary from metric names to floats; it is never None when a model calls. In
    ``on_epoch_end`` a callback may add to it for those that come after.

    Attributes
    ----------
    model
        The model that is trained. Set ``model.stop_training = True`` to end training after this epoch.
    params : dict
        ``"verbose"``, ``"epochs"`` and ``"steps"``.

    Examples
    --------
    >>> class PrintLoss(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(epoch, logs["loss"])
    >>> PrintLoss().on_epoch_end(0, {"loss": 0.5})
    0 0.5
    """

    def __init__(self):
        self.params: dict | None = None
        self._model: Any = None

    @property
    def model(self):
        """The model that is trained."""
        return self._model

    def set_model(self, model) -> None:
        """Called before training with the model."""
        self._model = model

    def set_params(self, params: dict) -> None:
        """Called before training with ``verbose``, ``epochs`` and ``steps``."""
        self.params = params

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """At the start of an epoch of training, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """At the end of an epoch of training, with its metrics and, as ``val_...``, those of the validation."""

    def on_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """The same as `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """The same as `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Before a training step."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """After a training step, with the metrics of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Before a batch of evaluation or validation."""

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """After a batch of evaluation or validation."""

    def on_predict_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """After a batch of prediction, with its ``outputs``."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Before training."""

    def on_train_end(self, logs: dict | None = None) -> None:
        """After training."""

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Before evaluation or validation."""

    def on_test_end(self, logs: dict | None = None) -> None:
        """After evaluation or validation."""

    def on_predict_begin(self, logs: dict | None = None) -> None:
        """Before prediction."""

    def on_predict_end(self, logs: dict | None = None) -> None:
        """After prediction."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))

# Hooks that do something through others: the training hooks call those with the shorter name.
_FALLBACK = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class CallbackList(Callback):
    """Calls the hooks of several callbacks in turn (https://keras.io/api/callbacks/).

    Parameters
    ----------
    callbacks : Callback or list of Callback, optional
    add_history, add_progbar : bool
        Append a `History` or a `ProgbarLogger` unless there is one.
    model : optional
        The model for all of them.
    **params
        ``verbose``, ``epochs``, ``steps``.

    Attributes
    ----------
    history : History or None

    Examples
    --------
    >>> callbacks = CallbackList([], add_history=True, verbose=0, epochs=1, steps=1)
    >>> callbacks.on_train_begin()
    >>> callbacks.on_epoch_end(0, {"loss": 0.5})
    >>> callbacks.history.history
    {'loss': [0.5]}
    """

    def __init__(self, callbacks=None, add_history=False, add_progbar=False, model=None, **params):
        from .history import History
        from .progress import ProgbarLogger

        super().__init__()
        self.callbacks = _flatten(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"Expected callbacks. Received: {callback!r} of type {type(callback).__name__}")
        if add_history and not self._find(History):
            self.callbacks.append(History())
        if add_progbar and not self._find(ProgbarLogger):
            self.callbacks.append(ProgbarLogger())
        self.history = self._find(History)
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def _find(self, kind: type) -> Callback | None:
        return next((callback for callback in reversed(self.callbacks) if isinstance(callback, kind)), None)

    def append(self, callback: Callback) -> None:
        """Add a callback, which comes last."""
        self.callbacks.append(callback)

    def set_model(self, model) -> None:
        super().set_model(model)
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params) -> None:
        super().set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)

    def close(self) -> None:
        """Close the display after an error, without telling any callback that training has ended."""
        from .progress import ProgbarLogger

        for callback in self.callbacks:
            if isinstance(callback, ProgbarLogger):
                callback.close()

    def listens(self, hook: str) -> bool:
        """Whether any callback does something in this hook; if not, its logs need not be computed.

        >>> CallbackList([Callback()]).listens("on_train_batch_end")
        False
        """
        return any(_overrides(callback, hook) for callback in self.callbacks)

    def _call(self, hook: str, *args) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*args)


def _overrides(callback: Callback, hook: str) -> bool:
    # Compares the functions behind the methods, as hooks may also be attributes of the object.
    own = getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)
    return own or (hook in _FALLBACK and _overrides(callback, _FALLBACK[hook]))


def _flatten(callbacks) -> list:
    if callbacks is None:
        return []
    if isinstance(callbacks, list | tuple):
        return [callback for item in callbacks for callback in _flatten(item)]
    return [callbacks]


def _forwarding(hook: str):
    """A hook of a `CallbackList`: passes the same copy of the logs, as floats, to all callbacks."""
    if hook.endswith(("train_begin", "train_end", "test_begin", "test_end", "predict_begin", "predict_end")):

        def forward(self, logs=None):
            self._call(hook, _as_floats(logs))
    else:

        def forward(self, index, logs=None):
            self._call(hook, index, _as_floats(logs))

    forward.__name__ = hook
    forward.__doc__ = f"Call `{hook}` of every callback."
    return forward


def _as_floats(logs: dict | None) -> dict:
    """A copy in which numbers are Python floats."""
    return {key: _as_float(value) for key, value in (logs or {}).items()}


def _as_float(value):
    is_number = isinstance(value, Real) or (isinstance(value, np.ndarray) and value.ndim == 0)
    return float(value) if is_number else value


for _hook in HOOKS:
    setattr(CallbackList, _hook, _forwarding(_hook))
