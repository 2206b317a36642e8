"""The loops of training: ``fit``, ``evaluate`` and ``predict``, batch by batch."""

from __future__ import annotations

import math
import warnings

import numpy as np

from rnn_ref.device import to_numpy
from rnn_ref.models import data
from rnn_ref.models.structure import unflatten
from rnn_ref.reading import read_together
from rnn_ref.training import callbacks as callbacks_module


class Loops:
    """What is done for every epoch and every batch; :class:`~rnn_ref.models.training.Training` says what a step is."""

    history = None
    stop_training = False

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
    ):
        """Train.

        Parameters
        ----------
        x, y : ndarray, or list or dict of ndarray
            Samples and targets; or ``x`` an iterable of ``(x, y)`` batches.
        batch_size : int
            32 when absent.
        epochs, initial_epoch : int
            Train from ``initial_epoch`` up to ``epochs``.
        verbose : {"auto", 0, 1, 2}
            Silent, a progress bar, or one line an epoch; "auto" is the bar.
        callbacks : list of Callback
        validation_split : float
            Share of the samples, from the end, kept for validation.
        validation_data : tuple
            ``(x, y)`` or ``(x, y, sample_weight)``, or an iterable of batches.
        shuffle : bool
            Shuffle the samples before every epoch.
        class_weight : dict of int to float
            Weight of the samples of a class.
        sample_weight : ndarray
            Weight of every sample ``(B,)``, or of every time step ``(B, T)``.
        steps_per_epoch, validation_steps : int
            Batches taken from an iterable.
        validation_batch_size, validation_freq : int

        Returns
        -------
        History
            ``history.history`` maps "loss" and every metric to a list with one value an epoch. It is kept as
            ``model.history`` too, also when training is interrupted.
        """
        self._ready(what="fit")
        batches = data.batches(
            x, y, sample_weight, model=self, batch_size=batch_size, shuffle=shuffle, steps=steps_per_epoch
        )
        validation = None
        if validation_data is not None:
            parts = validation_data if isinstance(validation_data, tuple) else (validation_data,)
            validation = data.batches(
                *parts, model=self, batch_size=validation_batch_size or batch_size, steps=validation_steps
            )
        elif validation_split:
            if not isinstance(batches, data.ArrayBatches):
                raise ValueError(f"{self.name}: validation_split needs arrays; give validation_data instead.")
            batches, validation = batches.split(validation_split)
        if class_weight is not None:
            self._weigh_classes(batches, class_weight)

        called = self._callbacks(callbacks, batches, verbose, epochs=epochs, add_history=True)
        self.stop_training = False
        warned, listened = False, called.listens("on_train_batch_end")
        called.on_train_begin()
        logs: dict[str, float] = {}
        try:
            for epoch in range(initial_epoch, epochs):
                called.on_epoch_begin(epoch)
                for step, batch in enumerate(batches):
                    self._ready(batch[0], what="fit")
                    self._check_targets(batch[1])
                    if step == 0:
                        self.objective.reset()
                    called.on_train_batch_begin(step)
                    loss = self._train_step(*batch)
                    if not warned and not math.isfinite(loss):
                        warned = True
                        warnings.warn(
                            f"{self.name}: the loss became {loss} at epoch {epoch + 1}, step {step + 1}. Look for NaN "
                            "in the data, lower the learning rate, or clip the gradients (clipnorm).",
                            RuntimeWarning,
                            stacklevel=2,
                        )
                    called.on_train_batch_end(step, self.objective.logs() if listened else None)
                    if self.stop_training:
                        break
                logs = self.objective.logs()
                if validation is not None and (epoch + 1) % validation_freq == 0:
                    logs |= {f"val_{name}": value for name, value in self._evaluate(validation, called).items()}
                called.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
        finally:  # also after Ctrl-C: the bar is closed and the history so far stays
            if self.optimizer is not None:
                self.optimizer.finalize_variable_values(self.trainable_weights)
            called.on_train_end(logs)
        return self.history

    def _callbacks(self, callbacks, batches, verbose, *, epochs=1, add_history=False):
        """The user's callbacks, then the progress display and the history."""
        if verbose not in ("auto", 0, 1, 2, True, False):
            raise ValueError(f"{self.name}: verbose must be 'auto', 0, 1 or 2, got {verbose!r}.")
        verbose = 1 if verbose == "auto" else int(verbose)
        return callbacks_module.CallbackList(
            callbacks,
            add_history=add_history,
            add_progbar=verbose != 0,
            model=self,
            epochs=epochs,
            steps=len(batches),
            verbose=verbose,
        )

    def _weigh_classes(self, batches, class_weight) -> None:
        if not isinstance(batches, data.ArrayBatches) or len(self.output_names) > 1:
            raise ValueError(f"{self.name}: class_weight needs arrays and a single output; use sample_weight.")
        batches.sample_weight = [data.weigh_classes(class_weight, batches.y[0], batches.sample_weight[0])]

    def _evaluate(self, batches, called) -> dict[str, float]:
        listened = called.listens("on_test_batch_end")
        called.on_test_begin()
        for step, batch in enumerate(batches):
            self._ready(batch[0], what="evaluate")
            self._check_targets(batch[1])
            if step == 0:
                self.objective.reset()
            called.on_test_batch_begin(step)
            self._test_step(*batch)
            called.on_test_batch_end(step, self.objective.logs() if listened else None)
        logs = self.objective.logs()
        called.on_test_end(logs)
        return logs

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
    ):
        """Loss and metrics on data: a number, a list in the order of ``metrics_names``, or a dict."""
        self._ready(what="evaluate")
        batches = data.batches(x, y, sample_weight, model=self, batch_size=batch_size, steps=steps)
        called = self._callbacks(callbacks, batches, verbose)
        logs = self._evaluate(batches, called)
        return logs if return_dict else unflatten(list(logs.values()))

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Outputs for data, batch by batch: an array ``(samples, ...)``, or a list of them."""
        batches = data.batches(x, model=self, batch_size=batch_size, steps=steps)
        called = self._callbacks(callbacks, batches, verbose)
        outputs = []
        called.on_predict_begin()
        for step, (inputs, _, _) in enumerate(batches):
            called.on_predict_batch_begin(step)
            with read_together():
                batch = self.run_lists(self._on_device(inputs)[0], record=False)[0]
            outputs.append([to_numpy(y) for y in batch])
            called.on_predict_batch_end(step)
        called.on_predict_end()
        return self.structure_outputs([np.concatenate(parts) for parts in zip(*outputs)])
