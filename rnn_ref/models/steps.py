"""One step of training, testing or prediction; each method may be overridden, as in Keras."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from rnn_ref import shares
from rnn_ref.device import asarray, converted, device, move_together, to_numpy, xp
from rnn_ref.layers.autodiff import accepts, pullback
from rnn_ref.layers.border import mask_of
from rnn_ref.layers.penalties import on_weights
from rnn_ref.layers.symbolic import entries, pack, replace_entries
from rnn_ref.models.objective import Objective
from rnn_ref.reading import number, read_together
from rnn_ref.training.metrics.base import Metric, metrics_in

# Methods of Keras's models that are never called here, and what to write instead.
REPLACED = {
    "make_train_function": "train_step",
    "make_test_function": "test_step",
    "make_predict_function": "predict_step",
    "compute_loss_and_updates": "compute_loss",
    "stateless_compute_loss": "compute_loss",
    "stateless_call": "call",
}


class Steps:
    """What a model does with one batch.

    A subclass of a model may override ``train_step(data)``, ``test_step(data)``, ``predict_step(data)``,
    ``compute_loss``, ``compute_metrics``, ``get_metrics_result``, ``reset_metrics`` and ``metrics``. ``data`` is
    ``x``, ``(x, y)`` or ``(x, y, sample_weight)``, as NumPy arrays.

    References
    ----------
    https://keras.io/guides/custom_train_step_in_jax/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> class Mine(rnn_ref.Sequential):
    ...     def train_step(self, data):
    ...         x, y = data
    ...         loss, gradients = self.gradients(x, y)
    ...         self.optimizer.apply(list(gradients.values()), self.trainable_weights)
    ...         return {"loss": loss, "largest": max(np.abs(g).max() for g in gradients.values())}
    >>> model = Mine([rnn_ref.Input((3,)), rnn_ref.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> list(model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0).history)
    ['loss', 'largest']
    """

    objective: Objective | None = None
    optimizer = None
    _step_logs: dict | None = None  # what the last step returned, if it is not the default step
    _step_masks: list | None = None  # masks of the outputs, while a step runs
    _recorded_losses: list | None = None  # penalties, while autograd records compute_loss
    _target_structure: Any = None

    # -- for the loops ------------------------------------------------------------------------------

    def _overrides(self, name: str) -> bool:
        return name in self.__dict__ or getattr(type(self), name) is not getattr(Steps, name)

    def _check_overrides(self) -> None:
        """Refuse a class that overrides a method that is never called."""
        for name, instead in REPLACED.items():
            if hasattr(self, name):
                raise NotImplementedError(
                    f"{self.name}: {type(self).__name__} defines {name}, which would never be called; write {instead}."
                )
        for name in ("train_step", "test_step", "predict_step"):
            if self._overrides(name) and len(inspect.signature(getattr(self, name)).parameters) > 1:
                raise TypeError(
                    f"{self.name}: {name} of {type(self).__name__} must take one argument, {name}(self, data): "
                    "there is no state to hand on, weights are updated in place."
                )

    def refuse_own_loss(self, what: str) -> None:
        """Refuse a loss of one's own, for tools that would show the loss of ``compile`` instead."""
        if self._overrides("compute_loss"):
            raise NotImplementedError(
                f"{self.name}: {what} does not see compute_loss of {type(self).__name__}; pass loss=..."
            )
        if self.objective is not None and self.objective.joint:
            raise NotImplementedError(
                f"{self.name}: {what} does not see the loss {self.objective.joint[0].name!r}, which is of several "
                "outputs or a second one of one; pass loss=..."
            )

    def flatten_targets(self, y, what: str) -> list:
        """Targets as a list, one for each output; a class with its own step or loss may take others."""
        custom = any(self._overrides(name) for name in ("train_step", "test_step", "compute_loss"))
        if self.objective is None or self.objective.names != self.output_names:
            self._ready(what="training")
        self._target_structure = None
        try:
            return self.objective.targets(y, what)
        except ValueError:
            if not custom:
                raise
        self._target_structure = replace_entries(y, lambda _: 0)
        return entries(y)

    def _train_step(self, x: list, y: list, sample_weight: list) -> float:
        """Train on a batch and return its loss, or NaN if the step does not return one."""
        self._step_logs = None
        if self._overrides("train_step"):
            return self._take_logs(self.train_step(self._packed(x, y, sample_weight)), "train_step")
        self._train_on(x, y, sample_weight)
        return self.objective.last_total

    def _test_step(self, x: list, y: list, sample_weight: list) -> float:
        self._step_logs = None
        if self._overrides("test_step"):
            return self._take_logs(self.test_step(self._packed(x, y, sample_weight)), "test_step")
        self._test_on(x, y, sample_weight)
        return self.objective.last_total

    def _predict_step(self, x: list):
        """Outputs for a batch, in their structure, as NumPy arrays."""
        if self._overrides("predict_step"):
            return converted(self.predict_step(self._packed(x, [None], [None])), to_numpy)
        with read_together():
            outputs = self.run_lists(self._on_device(x)[0], record=False)[0]
        return self.structure_outputs([to_numpy(y) for y in outputs])

    def _take_logs(self, logs, method: str) -> float:
        if not isinstance(logs, dict):
            raise TypeError(f"{self.name}: {method} must return a dict of names and numbers, got {logs!r}.")
        self._step_logs = _flat(logs)
        return self._step_logs.get("loss", 0.0)

    def _logs(self) -> dict[str, float]:
        """Loss and metrics so far, by name; for an overridden step what it last returned."""
        return _flat(self.get_metrics_result()) if self._step_logs is None else dict(self._step_logs)

    def _packed(self, x: list, y: list, sample_weight: list):
        """A batch as ``x``, ``(x, y)`` or ``(x, y, sample_weight)``."""
        x = pack(self._input_structure, x) if self.built or len(x) > 1 else x[0]
        with_y = any(entry is not None for entry in y)
        with_weight = any(entry is not None for entry in sample_weight)
        if not with_y and not with_weight:
            return (x,) if isinstance(x, (list, tuple)) else x
        return (
            (x, self._structured(y))
            if not with_weight
            else (x, self._structured(y), self._given_weights(sample_weight))
        )

    def _structured(self, y: list):
        if self._target_structure is not None:
            return pack(self._target_structure, y)
        return self.structure_outputs(y) if any(entry is not None for entry in y) else None

    def _given_weights(self, sample_weight: list):
        if all(entry is None for entry in sample_weight):
            return None
        alike = all(entry is sample_weight[0] for entry in sample_weight)
        return sample_weight[0] if alike else self.structure_outputs(sample_weight)

    def _unpacked(self, data) -> tuple[list, list, list]:
        x, y, sample_weight = (*data, None, None)[:3] if isinstance(data, tuple) else (data, None, None)
        return self._one_batch(x, y, sample_weight)

    # -- Keras's methods ----------------------------------------------------------------------------

    def train_step(self, data) -> dict[str, float]:
        """Update the weights on a batch.

        Returns
        -------
        dict of str to float
            The values for the history.
        """
        self._train_on(*self._unpacked(data))
        return self._logs()

    def test_step(self, data) -> dict[str, float]:
        """Loss and metrics of a batch, without an update."""
        self._test_on(*self._unpacked(data))
        return self._logs()

    def predict_step(self, data):
        """Outputs for a batch."""
        x = data[0] if isinstance(data, tuple) else data
        return self(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of a batch: the loss of ``compile`` plus the penalties in ``losses``.

        A subclass may compute another loss from ``y_pred``, its weights, its ``losses`` and
        ``super().compute_loss(...)``, with operators and NumPy functions: HIPS autograd differentiates it.

        Parameters
        ----------
        x, y, y_pred, sample_weight
            A batch, and the outputs for it.
        training : bool

        Returns
        -------
        float
        """
        y, *batch = self._by_output(y, y_pred, sample_weight)
        self._check_targets(y)
        total = self.objective.value(y, *batch)
        for penalty in self.losses:
            total = total + penalty
        return total

    def compute_metrics(self, x, y, y_pred, sample_weight=None) -> dict[str, float]:
        """Add a batch to the metrics of ``compile``, and return all metrics so far."""
        if self.objective.metrics is not None:
            self.objective.metrics.update(*self._by_output(y, y_pred, sample_weight))
        return self.get_metrics_result()

    def _by_output(self, y, y_pred, sample_weight) -> tuple[list, list, list, list]:
        """Targets, predictions, weights and masks of a batch, each a list with one entry per output."""
        self._ready(what="computing losses or metrics")
        y, y_pred = self.objective.targets(y, f"{self.name}: y"), entries(y_pred)
        if not isinstance(sample_weight, (list, tuple, dict)):
            sample_weight = [sample_weight] * len(y_pred)
        return y, y_pred, entries(sample_weight), self._step_masks or [mask_of(each) for each in y_pred]

    def get_metrics_result(self) -> dict[str, float]:
        """The results of ``metrics`` so far, by name."""
        found = {}
        for metric in self.metrics:
            result = metric.result()
            found |= result if isinstance(result, dict) else {metric.name: result}
        return found

    @property
    def metrics(self) -> list[Metric]:
        """The running mean of the loss, the metrics of ``compile`` as one, means of single losses, and the model's own.

        The latter are attributes of the model and of its layers, or in lists or dicts that are attributes.
        """
        found = list(self.objective.means) if self.objective is not None else []
        attributes = [value for name, value in self.__dict__.items() if name not in ("objective", "_settings")]
        return list(dict.fromkeys(found + metrics_in(attributes) + _of_layers(self)))

    def reset_metrics(self) -> None:
        """Forget the batches seen so far by the loss and the metrics."""
        for metric in self.metrics:
            metric.reset_state()

    @property
    def metrics_names(self) -> list[str]:
        """The names of ``metrics``; those of ``compile`` appear as one, "compile_metrics", as in Keras 3."""
        return [metric.name for metric in self.metrics]

    # -- the default steps --------------------------------------------------------------------------

    def _check_targets(self, y: list) -> None:
        for name, loss, target in zip(self.objective.names, self.objective.losses, y):
            if loss is not None and target is None:
                raise ValueError(f"{self.name}: no target y for the output {name!r}, which has a loss.")
        if not any(self.objective.losses) and not self.objective.joint and not self.losses:
            raise ValueError(f"{self.name}: compiled without a loss; give one to compile(loss=...).")

    def _on_device(self, *parts: list) -> list[list]:
        """Lists of a batch's arrays on the current device; on a GPU, one transfer for all of them."""
        if xp.module is np:
            return list(parts)
        moved = iter(move_together([array for part in parts for array in part]))
        return [[next(moved) for _ in part] for part in parts]

    def _train_on(self, x: list, y: list, sample_weight: list) -> None:
        if shares.together() is not None:
            return shares.together().train_on(self, x, y, sample_weight)
        batch = self._on_device(x, y, sample_weight)
        with read_together():  # on a GPU: read the step's numbers once all its work has been queued
            loss, trainable, grads, outputs, masks = self._loss_and_gradients(*batch)
            if trainable:
                self.optimizer.apply([grads.get(weight) for weight in trainable], trainable)
            self._update_metrics(loss, *batch, outputs, masks)

    def _test_on(self, x: list, y: list, sample_weight: list) -> None:
        if shares.together() is not None:
            return shares.together().test_on(self, x, y, sample_weight)
        x, y, sample_weight = self._on_device(x, y, sample_weight)
        with read_together():
            outputs, tape = self.run_lists(x, record=False)
            masks = self.output_masks(tape)
            loss = self._loss(x, y, sample_weight, outputs, masks, tape)
            self._update_metrics(loss, x, y, sample_weight, outputs, masks)

    def _loss(self, x, y, sample_weight, outputs, masks, tape):
        if self._overrides("compute_loss"):
            return number(self._own_loss(x, y, outputs, sample_weight, masks, training=False))
        self._check_targets(y)
        return self.objective.value(y, outputs, sample_weight, masks) + tape.penalty + self._regularization()

    def _update_metrics(self, loss, x, y, sample_weight, outputs, masks) -> None:
        self.objective.track(len(outputs[0]), loss)
        if not self._overrides("compute_metrics"):
            self.objective.update(y, outputs, sample_weight, masks)
            return
        self._step_masks = masks
        try:
            logs = self.compute_metrics(*self._as_given(x, y, outputs, sample_weight))
        finally:
            self._step_masks = None
        self._take_logs(logs, "compute_metrics")

    def _as_given(self, x: list, y: list, outputs: list, sample_weight: list) -> tuple:
        """A batch in the structures that the user gave."""
        x = pack(self._input_structure, x)
        return x, self._structured(y), self.structure_outputs(outputs), self._given_weights(sample_weight)

    def _regularization(self) -> float:
        return sum(on_weights(self.trainable_weights))

    def _loss_and_gradients(self, x, y, sample_weight, *, training=True):
        """The loss, the trainable weights, the gradients by weight, and the outputs with their masks."""
        outputs, tape = self.run_lists(x, training=training)
        masks = self.output_masks(tape)
        if self._overrides("compute_loss"):
            return self._with_own_loss(x, y, outputs, sample_weight, masks, tape, training)
        self._check_targets(y)
        loss, dy = self.objective.value_and_gradients(y, outputs, sample_weight, masks)
        loss = loss + tape.penalty  # the walk adds their gradient
        grads, trainable = tape.back(dy)[1], self.trainable_weights
        loss = loss + sum(on_weights(trainable))
        for weight in trainable:
            if weight.regularizer is not None and shares.is_first():
                grads[weight] = grads.get(weight, 0) + weight.regularizer.gradient(weight.value)
        return loss, trainable, grads, outputs, masks

    # -- a compute_loss of one's own ----------------------------------------------------------------

    def _own_loss(self, x, y, outputs, sample_weight, masks, *, training: bool):
        self.objective.last = []
        self._step_masks = masks
        try:
            options = {"training": training} if accepts(self.compute_loss, "training") else {}
            loss = self.compute_loss(*self._as_given(x, y, outputs, sample_weight), **options)
        finally:
            self._step_masks = None
        if loss is None or np.ndim(loss):
            raise TypeError(f"{self.name}: compute_loss must return one number, got {loss!r}.")
        return loss

    def _with_own_loss(self, x, y, outputs, sample_weight, masks, tape, training):
        """Like :meth:`_loss_and_gradients`; autograd differentiates the loss by outputs, penalties and weights."""
        trainable = self.trainable_weights
        regularized = [weight for weight in trainable if weight.regularizer is not None]
        penalties = [value for _, value in tape.penalties] + on_weights(regularized)
        batch = converted([x, y, sample_weight, masks], to_numpy)
        predicted = converted(outputs, to_numpy)
        penalties = [np.asarray(to_numpy(value), predicted[0].dtype) for value in penalties]
        m = len(predicted)

        def loss_of(*recorded):
            x, y, sample_weight, masks = batch
            self._recorded_losses = list(recorded[m:])
            try:
                return [self._own_loss(x, y, list(recorded[:m]), sample_weight, masks, training=training)]
            finally:
                self._recorded_losses = None

        what = f"{type(self).__name__}.compute_loss"
        with device("cpu"):  # autograd knows only NumPy arrays
            (loss,), back = pullback(loss_of, [*predicted, *penalties], what)
            found, direct = back([np.ones_like(loss)])
        found, direct = converted(found, asarray), {weight: asarray(dw) for weight, dw in direct.items()}
        tape.scale = [0.0 if factor is None else factor for factor in found[m : m + len(tape.penalties)]]
        grads = tape.back(found[:m])[1]
        for weight, factor in zip(regularized, found[m + len(tape.penalties) :]):
            if factor is not None:
                grads[weight] = grads.get(weight, 0) + weight.regularizer.gradient(weight.value) * factor
        for weight in trainable:
            grads[weight] = grads.get(weight, 0) + direct.get(weight, xp.zeros_like(weight.value))
        return number(loss), trainable, grads, outputs, masks


def _of_layers(model) -> list[Metric]:
    """Metrics of the layers in this model; those of nested models belong to the latter."""
    found = []
    for layer in model.sublayers():
        if not isinstance(layer, Steps):
            found += metrics_in(list(vars(layer).values())) + _of_layers(layer)
    return found


def _flat(logs: dict) -> dict:
    """Logs as plain numbers, without nested dicts."""
    found: dict = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            found |= _flat(value)
        else:
            found[name] = float(value) if np.ndim(value) == 0 else np.asarray(to_numpy(value))
    return found
