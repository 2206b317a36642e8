"""``compile``, and one step of training or testing, for every kind of model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnn_ref.device import converted, move_together, to_numpy, xp
from rnn_ref.models import data
from rnn_ref.models.data.class_weights import check_class_weight
from rnn_ref.models.loops import Loops
from rnn_ref.models.objective import Objective
from rnn_ref.models.structure import unflatten
from rnn_ref.reading import fetch, number, read_together
from rnn_ref.training import optimizers


class Training(Loops):
    """The training half of a model; the other half gives ``forward``, ``backward`` and weights.

    References
    ----------
    https://keras.io/api/models/model_training_apis/
    """

    objective: Objective | None = None
    optimizer = None

    def compile(
        self,
        optimizer="rmsprop",
        loss=None,
        loss_weights=None,
        metrics=None,
        weighted_metrics=None,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        auto_scale_loss=True,
    ) -> None:
        """Set what to train with.

        Parameters
        ----------
        optimizer : str or Optimizer
        loss : str, Loss, or list or dict of them
        loss_weights : list or dict of float, optional
        metrics, weighted_metrics : list, optional
            Metrics without and with sample weights.
        run_eagerly, jit_compile
            Of no effect on results: recurrent kernels are compiled in any case (to step through them in a
            debugger, set ``NUMBA_DISABLE_JIT=1`` before Python starts). ``run_eagerly=True`` is refused.
        steps_per_execution : int
            Only 1.
        auto_scale_loss : bool
            Concerns mixed precision, which does not exist here.
        """
        if run_eagerly:
            raise NotImplementedError(
                f"{self.name}: run_eagerly=True; to step through plain Python, set NUMBA_DISABLE_JIT=1 before start."
            )
        if steps_per_execution != 1:
            raise NotImplementedError(f"{self.name}: steps_per_execution={steps_per_execution}; only 1 is supported.")
        settings = (loss, loss_weights, metrics, weighted_metrics)
        # Raises before anything is changed; the outputs of a subclassed model are known once it saw data.
        objective = Objective(*settings, self.output_names) if self.outputs_known else None
        self.optimizer = optimizers.get(optimizer)
        self.objective, self._objective_settings = objective, settings

    def _ready(self, x: list | None = None, *, what: str) -> None:
        if self.optimizer is None:
            raise ValueError(f"{self.name}: call compile(optimizer=..., loss=...) before {what}.")
        if x is not None and not self.built:
            self.build_on(x)
        if self.outputs_known and (self.objective is None or self.objective.names != self.output_names):
            self.objective = Objective(*self._objective_settings, self.output_names)

    # -- one step -----------------------------------------------------------------------------------

    def _regularization(self) -> float:
        return sum(number(w.regularizer(w.value)) for w in self.trainable_weights if w.regularizer is not None)

    def _check_targets(self, y: list) -> None:
        for name, loss, target in zip(self.objective.names, self.objective.losses, y):
            if loss is not None and target is None:
                raise ValueError(f"{self.name}: no target y for the output {name!r}, which has a loss.")
        if not any(self.objective.losses):
            raise ValueError(f"{self.name}: compiled without a loss; give one to compile(loss=...).")

    def gradients(self, x, y, sample_weight=None, *, training: bool = True):
        """Loss of one batch, and its gradient by the names of the trainable weights.

        Returns
        -------
        loss : float
        grads : dict of str to ndarray
        """
        with read_together():
            batch = self._on_device(*self._one_batch(x, y, sample_weight))
            loss, _, grads, *_ = self._loss_and_gradients(*batch, training=training)
        named = {name: grads[w] for name, w in self.named_weights().items() if w in grads}
        loss = fetch([loss])[0]
        self._look_at_data(loss, batch)
        return loss, converted(named, to_numpy)

    def _loss_and_gradients(self, x, y, sample_weight, *, training=True):
        """The loss, the trainable weights, gradients by weight, and the outputs with their masks."""
        outputs, tape = self.run_lists(x, training=training)
        masks = self.output_masks(tape)
        loss, dy = self.objective.value_and_gradients(y, outputs, sample_weight, masks)
        loss = loss + tape.penalty  # the walk adds its gradient
        grads, trainable = tape.back(dy)[1], self.trainable_weights
        for weight in trainable:
            if weight.regularizer is not None:
                loss = loss + number(weight.regularizer(weight.value))
                grads[weight] = grads.get(weight, 0) + weight.regularizer.gradient(weight.value)
        return loss, trainable, grads, outputs, masks

    def _on_device(self, *parts: list) -> list[list]:
        """Lists of a batch's arrays on the current device: on a GPU one transfer for all of them."""
        if xp.module is np:
            return list(parts)
        moved = iter(move_together([array for part in parts for array in part]))
        return [[next(moved) for _ in part] for part in parts]

    def _train_step(self, x, y, sample_weight) -> float:
        x, y, sample_weight = self._on_device(x, y, sample_weight)
        with read_together():  # on a GPU the numbers of the step, once all its work is handed over
            loss, trainable, grads, outputs, masks = self._loss_and_gradients(x, y, sample_weight)
            if trainable:
                self.optimizer.apply([grads.get(weight) for weight in trainable], trainable)
            self.objective.update(loss, y, outputs, sample_weight, masks)
        return self.objective.last_total

    def _test_step(self, x, y, sample_weight) -> float:
        x, y, sample_weight = self._on_device(x, y, sample_weight)
        with read_together():
            outputs, tape = self.run_lists(x, record=False)
            masks = self.output_masks(tape)
            loss = self.objective.value(y, outputs, sample_weight, masks) + tape.penalty + self._regularization()
            self.objective.update(loss, y, outputs, sample_weight, masks)
        return self.objective.last_total

    def _predict_step(self, x) -> list[np.ndarray]:
        with read_together():
            outputs = self.run_lists(self._on_device(x)[0], record=False)[0]
        return [to_numpy(y) for y in outputs]

    # -- one batch from outside ---------------------------------------------------------------------

    def _one_batch(self, x, y, sample_weight, class_weight=None):
        if class_weight is not None:
            class_weight = check_class_weight(class_weight, self.name)
        batch = data.one_batch(x, y, sample_weight, model=self, class_weight=class_weight)
        self._ready(batch[0], what="training or testing on a batch")
        self._check_targets(batch[1])
        return batch

    def _look_at_data(self, loss: float, batch) -> None:
        """Whether NaN in the data explains the loss of a batch that came alone; ``fit`` looks before it begins."""
        if not math.isfinite(loss):
            data.look_for_nan(*batch, model=self)

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False) -> Any:
        """One update; loss and metrics of this batch (and those before it since the last reset)."""
        batch = self._one_batch(x, y, sample_weight, class_weight)
        self._look_at_data(self._train_step(*batch), batch)
        logs = self.objective.logs()
        return logs if return_dict else unflatten(list(logs.values()))

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False) -> Any:
        """Loss and metrics of one batch, without an update."""
        batch = self._one_batch(x, y, sample_weight)
        self._look_at_data(self._test_step(*batch), batch)
        logs = self.objective.logs()
        return logs if return_dict else unflatten(list(logs.values()))

    def predict_on_batch(self, x):
        """Outputs for one batch, as NumPy arrays."""
        return converted(self(x), to_numpy)

    @property
    def metrics(self) -> list:
        """The metrics of ``compile``; those named by strings appear once a batch was seen."""
        return [metric for _, metric, _ in (self.objective.metrics or [])] if self.objective is not None else []

    def reset_metrics(self) -> None:
        """Forget the batches that loss and metrics are averaged over."""
        if self.objective is not None:
            self.objective.reset()

    @property
    def metrics_names(self) -> list[str]:
        """ "loss", then the metrics; complete once a batch was seen."""
        return list(self.objective.logs()) if self.objective is not None else ["loss"]
