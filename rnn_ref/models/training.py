"""``compile``, and training on single batches, for every kind of model."""

from __future__ import annotations

import copy
import math
from typing import Any

from rnn_ref.device import converted, to_numpy
from rnn_ref.guard import explained
from rnn_ref.models import data
from rnn_ref.models.data.class_weights import check_class_weight
from rnn_ref.models.loops import Loops
from rnn_ref.models.objective import Objective
from rnn_ref.models.steps import Steps
from rnn_ref.models.structure import unflatten
from rnn_ref.reading import fetch, read_together
from rnn_ref.spelling import spelled
from rnn_ref.training import optimizers


class Training(Steps, Loops):
    """The training half of a model; the other half provides ``forward``, ``backward`` and the weights.

    References
    ----------
    https://keras.io/api/models/model_training_apis/
    """

    compiled = False
    _settings: tuple = (None, None, None, None)  # what compile was given

    @spelled
    @explained
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
        """Choose the optimizer, losses and metrics to train with.

        Parameters
        ----------
        optimizer : str or Optimizer
        loss : str, Loss, function, or list or dict of them
            A Python function ``f(y_true, y_pred)`` is differentiated by HIPS autograd. With several outputs, one
            loss for all, or one for each; None leaves an output free. Where outputs are nested, so are losses. A list
            that does not have the structure of the outputs holds several losses of all of them:
            ``[f, {"a": "mse", "b": "mae"}]`` adds to the losses of ``a`` and ``b`` a Python function of both,
            ``f({"a": ..., "b": ...}, {"a": ..., "b": ...})``.
        loss_weights : float, or list or dict of float, optional
            Factors of the losses in the total.
        metrics, weighted_metrics : list or dict, optional
            Metrics without and with sample weights. With several outputs, a list of lists, or a dict by output name.
        steps_per_execution : int
            Callbacks are called only for the first and last of this many batches; each is still a step of its own.
        run_eagerly, jit_compile, auto_scale_loss
            Accepted without effect: every batch is a step in Python whose kernels are compiled in any case, in single
            or double precision. To step through the kernels in a debugger, set ``NUMBA_DISABLE_JIT=1`` before Python
            starts.

        Raises
        ------
        ValueError
            If losses, weights or metrics do not fit the outputs.
        NotImplementedError
            If a subclass overrides a method of Keras's that would never be called.
        """
        self._check_overrides()
        if isinstance(steps_per_execution, bool) or not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ValueError(
                f"{self.name}: steps_per_execution must be a positive integer, got {steps_per_execution!r}."
            )
        settings = (loss, loss_weights, metrics, weighted_metrics)
        # Raises before anything is changed; the outputs of a subclassed model are unknown until it has seen data.
        objective = self._objective_of(settings) if self.outputs_known else None
        self.optimizer = optimizers.get(optimizer)
        self.objective, self._settings, self.compiled = objective, settings, True
        self.run_eagerly, self.steps_per_execution, self.jit_compile = run_eagerly, steps_per_execution, jit_compile

    def compile_arguments(self) -> dict:
        """Arguments of ``compile`` for training a copy in the same way, with an optimizer and metrics of its own."""
        loss, weights, metrics, weighted_metrics = self._settings
        optimizer = type(self.optimizer).from_config(self.optimizer.get_config())
        return {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": weights,
            "metrics": copy.deepcopy(metrics),
            "weighted_metrics": copy.deepcopy(weighted_metrics),
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self.jit_compile,
        }

    def _objective_of(self, settings: tuple) -> Objective:
        return Objective(*settings, self.output_names, self._output_structure)

    def _ready(self, x: list | None = None, *, what: str) -> None:
        if not self.compiled:
            raise ValueError(f"{self.name}: call compile(optimizer=..., loss=...) before {what}.")
        if x is not None and not self.built:
            self.build_on(x)
        if self.outputs_known and (self.objective is None or self.objective.names != self.output_names):
            self.objective = self._objective_of(self._settings)

    @explained
    def gradients(self, x, y=None, sample_weight=None, *, training: bool = True):
        """The loss of one batch, and its gradients by the names of the trainable weights.

        Returns
        -------
        loss : float
        grads : dict of str to ndarray
            In the order of ``trainable_weights``; zeros where the loss does not depend on a weight.
        """
        with read_together():
            batch = self._on_device(*self._one_batch(x, y, sample_weight))
            loss, trainable, grads, *_ = self._loss_and_gradients(*batch, training=training)
        names = {weight: name for name, weight in self.named_weights().items()}
        named = {names[weight]: grads[weight] if weight in grads else weight.value * 0 for weight in trainable}
        loss = fetch([loss])[0]
        self._look_at_data(loss, batch)
        return loss, converted(named, to_numpy)

    # -- single batches -----------------------------------------------------------------------------

    def _one_batch(self, x, y, sample_weight, class_weight=None):
        if class_weight is not None:
            class_weight = check_class_weight(class_weight, self.name)
        batch = data.one_batch(x, y, sample_weight, model=self, class_weight=class_weight)
        self._ready(batch[0], what="training or testing on a batch")
        return batch

    def _look_at_data(self, loss: float, batch) -> None:
        """Warn if NaN in the data of a single batch explains its loss; ``fit`` checks before it begins."""
        if not math.isfinite(loss):
            data.look_for_nan(*batch, model=self)

    def _as_list(self, logs: dict, return_dict: bool):
        """Logs, or their values: a number, or a list in Keras's order (the loss; metrics; single losses; the rest)."""
        if return_dict:
            return logs
        inside = [getattr(metric, "metrics", [metric]) for metric in self.metrics]
        order = [metric.name for each in inside for metric in each]
        names = [name for name in dict.fromkeys(order) if name in logs]
        return unflatten([logs[name] for name in names + sorted(set(logs) - set(names))])

    @spelled
    @explained
    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False) -> Any:
        """Train on one batch; returns its loss and metrics."""
        batch = self._one_batch(x, y, sample_weight, class_weight)
        self.reset_metrics()
        self._look_at_data(self._train_step(*batch), batch)
        return self._as_list(self._logs(), return_dict)

    @spelled
    @explained
    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False) -> Any:
        """Loss and metrics of one batch, without an update."""
        batch = self._one_batch(x, y, sample_weight)
        self.reset_metrics()
        self._look_at_data(self._test_step(*batch), batch)
        return self._as_list(self._logs(), return_dict)

    @explained
    def predict_on_batch(self, x):
        """Outputs for one batch, as NumPy arrays."""
        return self._predict_step(data.one_batch(x, None, None, model=self)[0])
