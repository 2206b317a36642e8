"""The loops of training: ``fit``, ``evaluate`` and ``predict``, batch by batch."""

from __future__ import annotations

import math
import warnings
from contextlib import closing

import numpy as np

from rnn_ref import checks, shares
from rnn_ref.guard import explained
from rnn_ref.models import data
from rnn_ref.models.data.arguments import check_epochs, check_steps, check_validation_freq, check_verbose, is_due
from rnn_ref.models.data.arrays import ArrayBatches
from rnn_ref.models.data.class_weights import check_class_weight
from rnn_ref.models.data.kinds import is_array, is_structure
from rnn_ref.models.executions import in_executions
from rnn_ref.models.resuming import backup_of, record, resume
from rnn_ref.models.structure import leaves_of, put_back
from rnn_ref.spelling import spelled
from rnn_ref.training import callbacks as callbacks_module


class Loops:
    """What happens in every epoch and batch; :class:`~rnn_ref.models.training.Training` says what a step is."""

    history = None
    stop_training = False
    stop_evaluating = False
    stop_predicting = False
    steps_per_execution = 1
    _warned_of_loss = False

    @spelled
    @explained
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
        """Train the model.

        Parameters
        ----------
        x, y : ndarray, or list or dict of ndarray
            Samples and targets; or ``x`` is a source of ``(x, y)`` batches. :mod:`rnn_ref.models.data` lists everything
            that it can be, and how each is read.
        batch_size : int
            By default 32, or with ``steps_per_epoch`` such that an epoch covers all samples.
        epochs, initial_epoch : int
            Train from epoch ``initial_epoch`` up to ``epochs``.
        verbose : {"auto", 0, 1, 2}
            Silent, a progress bar, or one line per epoch; "auto" is the bar.
        callbacks : list of Callback
        validation_split : float
            Fraction of the samples, taken from the end, that is kept for validation.
        validation_data : tuple
            ``(x, y)`` or ``(x, y, sample_weight)``, or a source of batches.
        shuffle : bool or "batch"
            Shuffle the samples before every epoch; "batch" shuffles only within each batch.
        class_weight : dict of int to float
            Weight of the samples of each class, or of its time steps where every step has a class.
        sample_weight : ndarray
            Weight of every sample ``(B,)``, or of every time step ``(B, T)``.
        steps_per_epoch, validation_steps : int
            Batches in an epoch, and in a validation; all by default.
        validation_batch_size : int
            ``batch_size`` by default.
        validation_freq : int, or list of int
            Validate every this many epochs, or after the listed epochs (counted from 1).

        Returns
        -------
        History
            ``history.history`` maps "loss" and every metric to a list with one value per epoch. It is also kept as
            ``model.history``, even when training is interrupted.
        """
        self._ready(what="fit")
        name = self.name
        epochs_to_do, verbose = check_epochs(initial_epoch, epochs, name), check_verbose(verbose, name)
        steps_per_epoch = check_steps(steps_per_epoch, "steps_per_epoch", name)
        several = steps_per_epoch is None and len(epochs_to_do) > 1
        source = data.source(
            x,
            y,
            sample_weight,
            model=self,
            batch_size=batch_size,
            shuffle=shuffle,
            steps=steps_per_epoch,
            class_weight=None if class_weight is None else check_class_weight(class_weight, name),
            again=several,
        )
        source.warn = several
        freq = check_validation_freq(validation_freq, name)
        source, validation = self._validation(
            source, validation_data, validation_split, validation_batch_size, batch_size, validation_steps
        )
        training = data.Epochs(_shared(source), steps_per_epoch)
        called = self._callbacks(callbacks, training, verbose, epochs=epochs, add_history=True)
        self.stop_training = self._warned_of_loss = False
        called.on_train_begin()
        backup = backup_of(called)
        try:
            point = backup and resume(self, training, called, backup)
            logs: dict[str, float] = point.logs if point else {}
            for epoch in epochs_to_do:
                if point and (epoch < point.epoch or point.stop):
                    continue
                done = point.step if point and epoch == point.epoch else 0
                if not done:
                    called.on_epoch_begin(epoch)
                self._train_epoch(epoch, training, called, done, backup)
                if training.drawn == 0:  # the generator was exhausted by the previous epoch
                    break
                logs = self._logs()
                if validation is not None and is_due(epoch, freq):
                    validation.restart()
                    logs |= {f"val_{name}": value for name, value in self._evaluate(validation, called).items()}
                called.on_epoch_end(epoch, logs)
                if backup and backup.save_freq == "epoch":
                    record(self, training, called, backup, epoch + 1, 0, logs)
                if self.stop_training or training.over:
                    break
            if backup:
                backup.forget()
        except BaseException:  # after Ctrl-C, too: close the bar and keep the history, but end no training
            called.close()
            raise
        finally:
            training.close()
            if validation is not None:
                validation.close()
        if self.optimizer is not None:
            self.optimizer.finalize_variable_values(self.trainable_weights)
        called.on_train_end(logs)
        return self.history

    def _validation(self, source, validation_data, split, batch_size, training_batch_size, steps):
        """The source to train on, and the epochs to validate on, or None."""
        batch_size = checks.integer(batch_size, "validation_batch_size", self.name, least=1, optional=True)
        steps = check_steps(steps, "validation_steps", self.name)
        split = checks.number(split, "validation_split", self.name, "[0, 1)")
        if validation_data is None:
            if not split:
                return source, None
            if not isinstance(source, ArrayBatches):
                raise ValueError(f"{self.name}: validation_split needs arrays; give validation_data instead.")
            size = training_batch_size if batch_size is None else batch_size
            source, held_out = source.split(split, batch_size=size, steps=steps)
            return source, data.Epochs(_shared(held_out), steps)
        x, y, sample_weight = data.unpack_x_y_sample_weight(validation_data, f"{self.name}: validation_data")
        if batch_size is None and (is_array(x) or is_structure(x)):
            batch_size = training_batch_size
        held_out = data.source(x, y, sample_weight, model=self, batch_size=batch_size, steps=steps, again=True)
        return source, data.Epochs(_shared(held_out), steps)

    def _train_epoch(self, epoch: int, training, called, done: int, backup) -> None:
        """One pass over the batches of an epoch, with a step for each; the first ``done`` were trained on before."""
        if not done:
            self.reset_metrics()
        listened, size = called.listens("on_train_batch_end"), self.steps_per_execution

        def end(step: int) -> bool:
            called.on_train_batch_end(step, self._logs() if listened else None)
            if backup and backup.due(size):
                record(self, training, called, backup, epoch, training.drawn)
            return self.stop_training

        for step, batch in in_executions(training, size, called.on_train_batch_begin, end, done):
            self._ready(batch[0], what="fit")
            loss = self._train_step(*batch)
            if not math.isfinite(loss) and not self._warned_of_loss:
                self._warned_of_loss = True
                warnings.warn(
                    f"{self.name}: the loss became {loss} at epoch {epoch + 1}, step {step + 1}. Look for NaN "
                    "in the data, lower the learning rate, or clip the gradients (clipnorm).",
                    RuntimeWarning,
                    stacklevel=3,
                )

    def _callbacks(self, callbacks, epochs_of_data, verbose: int, *, epochs=1, add_history=False):
        """The user's callbacks, the progress display (in one process only, if there are several) and the history."""
        together = shares.together() if epochs_of_data.source.shared else None
        here = together is None or together.rank == 0
        called = callbacks_module.CallbackList(
            callbacks if here else None,
            add_history=add_history,
            add_progbar=verbose != 0 and here,
            model=self,
            epochs=epochs,
            steps=epochs_of_data.number_of_steps,
            verbose=verbose,
        )
        return called if together is None else together.callbacks(called, self, epochs_of_data)

    def _evaluate(self, batches, called) -> dict[str, float]:
        self.stop_evaluating = False
        self.reset_metrics()
        listened = called.listens("on_test_batch_end")
        called.on_test_begin()

        def end(step: int) -> bool:
            called.on_test_batch_end(step, self._logs() if listened else None)
            return self.stop_evaluating

        for _, batch in in_executions(batches, self.steps_per_execution, called.on_test_batch_begin, end):
            self._ready(batch[0], what="evaluate")
            self._test_step(*batch)
        logs = self._logs()
        called.on_test_end(logs)
        return logs

    @spelled
    @explained
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
        """Loss and metrics on data: a number, a list in Keras's order, or a dict by name."""
        self._ready(what="evaluate")
        verbose, steps = check_verbose(verbose, self.name), check_steps(steps, "steps", self.name)
        source = data.source(x, y, sample_weight, model=self, batch_size=batch_size, steps=steps)
        batches = data.Epochs(_shared(source), steps)
        called = self._callbacks(callbacks, batches, verbose)
        with closing(batches):
            logs = self._evaluate(batches, called)
        return self._as_list(logs, return_dict)

    @spelled
    @explained
    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Outputs for data, batch by batch: an array ``(samples, ...)``, or a list of them."""
        verbose, steps = check_verbose(verbose, self.name), check_steps(steps, "steps", self.name)
        batches = data.Epochs(data.source(x, model=self, batch_size=batch_size, steps=steps), steps)
        called = self._callbacks(callbacks, batches, verbose)
        outputs, done = [], 0
        self.stop_predicting = False
        called.on_predict_begin()

        def end(step: int) -> bool:
            nonlocal done
            called.on_predict_batch_end(step, {"outputs": joined(outputs[done:])})
            done = len(outputs)
            return self.stop_predicting

        size = self.steps_per_execution
        with closing(batches):
            for _, (inputs, _, _) in in_executions(batches, size, called.on_predict_batch_begin, end):
                outputs.append(compact(self._predict_step(inputs)))
        called.on_predict_end()
        return joined(outputs)


def _shared(source):
    """The source, of which each of several processes reads its share."""
    return source if shares.together() is None else shares.together().shared(source)


def compact(outputs):
    """The outputs of a batch; a small view of a large array would keep all of it until the last batch is done."""

    def alone(array):
        whole = getattr(array, "base", None)
        return array.copy() if whole is not None and getattr(whole, "nbytes", 0) > 2 * array.nbytes else array

    return put_back(outputs, [alone(array) for array in leaves_of(outputs)])


def joined(outputs: list):
    """The outputs of several batches, joined."""
    if len(outputs) == 1:
        return outputs[0]
    parts = zip(*(leaves_of(output) for output in outputs))
    return put_back(outputs[0], [np.concatenate(part) for part in parts])
