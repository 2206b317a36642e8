"""What a model is trained on: a loss for each output, their weights, and the metrics shown with them."""

from __future__ import annotations

import math
import numbers
from functools import partial

from rnn_ref.models import joint_losses
from rnn_ref.models.compiled_metrics import CompiledMetrics
from rnn_ref.models.structure import along_or_flat, flatten, is_deep
from rnn_ref.reading import later, number
from rnn_ref.training import losses, metrics
from rnn_ref.training._recording import is_recorded, plain

BY_SHAPE = ("crossentropy", "ce")


class Objective:
    """Losses and metrics of a compiled model.

    Parameters
    ----------
    loss
        A loss for a single output, or a list or dict with one for each; None leaves an output free. For nested outputs,
        and for a function of several outputs, see :func:`~rnn_ref.models.joint_losses.terms`.
    loss_weights : float, or list or dict of float, optional
        Factors of the losses in the total.
    metrics_, weighted_metrics
        See :class:`~rnn_ref.models.compiled_metrics.CompiledMetrics`.
    output_names : list of str
    structure
        Lists, tuples and dicts of outputs, as the model returns them. If both are dicts, losses are listed in the
        order of the dict of losses.

    Attributes
    ----------
    losses, loss_weights : list
        One for each output.
    joint : list of Term
        Further losses: of several outputs at once, or a second loss of one output.
    loss_tracker : Mean
        Running mean of the total over the batches since the last reset.
    trackers : list of Mean
        Running means of the single losses, if there are several.
    metrics : CompiledMetrics or None
    """

    def __init__(self, loss, loss_weights, metrics_, weighted_metrics, output_names: list[str], structure=None):
        self.names = output_names
        self.structure = structure
        self.joint: list[joint_losses.Term] = []
        names = list(output_names)
        order = None
        if joint_losses.is_nested(structure) and joint_losses.are_joint(loss, structure):
            loss, loss_weights, order = self._nested(loss, loss_weights)
            names += [term.name for term in self.joint]
        settings = [_only(entry) for entry in self._for_each_output(loss, "loss")]
        # "crossentropy" can only be resolved once the shapes are known; everything else is checked now.
        self.losses = [entry if _by_shape(entry) else losses.resolve(entry) for entry in settings]
        weights = [_only(entry) for entry in self._for_each_output(loss_weights, "loss_weights")]
        self.loss_weights = [_check_weight(weight) for weight in weights]
        given = metrics_ is not None or weighted_metrics is not None
        self.metrics = CompiledMetrics(metrics_, weighted_metrics, output_names) if given else None
        self.last: list = []  # the losses of the last batch
        self.loss_tracker = metrics.Mean(name="loss")
        tracked = [k for k in range(len(output_names)) if self.losses[k] is not None] if order is None else order
        if isinstance(structure, dict) and isinstance(loss, dict):
            tracked.sort(key=lambda k: list(loss).index(output_names[k]))
        self._tracked = tracked if len(tracked) > 1 else []
        self.trackers = [metrics.Mean(name=f"{(self._term_names or names)[k]}_loss") for k in self._tracked]

    _term_names: dict | None = None

    def _nested(self, loss, loss_weights) -> tuple[list, list, list]:
        """The first loss of each output, its weight, and the order of the losses; all others go to ``joint``."""
        n = len(self.names)
        first, weights, order, self._term_names = [None] * n, [None] * n, [], {}
        for term in joint_losses.terms(loss, loss_weights, self.structure, self.names):
            if joint_losses.is_nested(term.places) or first[term.places] is not None:
                self.joint.append(joint_losses.resolved(term._replace(weight=_check_weight(term.weight))))
                order.append(n + len(self.joint) - 1)
            else:
                first[term.places], weights[term.places] = term.loss, term.weight
                order.append(term.places)
            self._term_names[order[-1]] = term.name
        return first, weights, order

    def _for_each_output(self, setting, what: str) -> list:
        if setting is not None and not isinstance(setting, (list, tuple, dict)):
            return [setting] * len(self.names)
        if isinstance(setting, dict):  # outputs that are not named have no loss
            unknown = set(setting) - set(self.names)
            if unknown:
                raise ValueError(f"compile: {what} names {sorted(unknown)}; the outputs are {self.names}.")
            return [setting.get(name) for name in self.names]
        if isinstance(setting, (list, tuple)) and len(setting) != len(self.names):
            raise ValueError(
                f"compile: {what}={setting!r} has {len(setting)} entries; there are {len(self.names)} outputs: "
                f"{', '.join(self.names)}."
            )
        return [None] * len(self.names) if setting is None else list(setting)

    def targets(self, y, what: str) -> list:
        """Targets as a list with one for each output; targets of outputs without a loss may be left out."""
        if y is not None and is_deep(self.structure):
            y = along_or_flat(self.structure, y, what)
        trained = [k for k, loss in enumerate(self.losses) if loss is not None]
        if y is not None and 0 < len(trained) < len(self.names):
            names = {self.names[k] for k in trained}
            given = list(y) if isinstance(y, (list, tuple)) else [y]
            if isinstance(y, dict) and names <= set(y) <= set(self.names):
                return [y.get(name) for name in self.names]
            if not isinstance(y, dict) and len(given) == len(trained):
                found = dict(zip(trained, given))  # by number: outputs of one layer have the same name
                return [found.get(k) for k in range(len(self.names))]
        return flatten(y, self.names, what)

    # -- one batch ----------------------------------------------------------------------------------

    def value_and_gradients(self, y_true, y_pred, sample_weight, masks) -> tuple[float, list]:
        """The total loss, and dL/dy for each output (None where an output has no loss)."""
        self._resolve(y_true, y_pred)
        total = 0.0
        grads: list = []
        self.last = []
        for loss, weight, true, pred, sample, mask in zip(
            self.losses, self.loss_weights, y_true, y_pred, sample_weight, masks
        ):
            if loss is None:
                grads.append(None)
                self.last.append(None)
                continue
            value, dy = loss.value_and_gradient(true, pred, sample_weight=sample, mask=mask)
            self.last.append(number(value))
            total = total + weight * self.last[-1]
            grads.append(dy if weight == 1.0 else dy * dy.dtype.type(weight))
        for term in self.joint:
            value, dys = joint_losses.value_and_gradients(term, y_true, y_pred, sample_weight, masks)
            self.last.append(number(value))
            total = total + term.weight * self.last[-1]
            for row, dy in zip(term.rows, dys):
                dy = dy * dy.dtype.type(term.weight)
                grads[row] = dy if grads[row] is None else grads[row] + dy
        return total, grads

    def value(self, y_true, y_pred, sample_weight, masks):
        """The total loss; autograd records it if it is recording the predictions."""
        self._resolve(y_true, y_pred)
        total = 0.0
        self.last = []
        for loss, weight, true, pred, sample, mask in zip(
            self.losses, self.loss_weights, y_true, y_pred, sample_weight, masks
        ):
            if loss is None:
                self.last.append(None)
                continue
            value = loss(true, pred, **({} if sample is None else {"sample_weight": sample}), **_masked(mask))
            if not is_recorded(value):
                value = number(value)
            self.last.append(plain(value))
            total = total + weight * value
        for term in self.joint:
            value = joint_losses.value(term, y_true, y_pred, sample_weight, masks)
            value = value if is_recorded(value) else number(value)
            self.last.append(plain(value))
            total = total + term.weight * value
        return total

    # -- running means over an epoch ----------------------------------------------------------------

    @property
    def means(self) -> list:
        """The metrics of the model, in Keras's order."""
        return [self.loss_tracker, *([self.metrics] if self.metrics is not None else []), *self.trackers]

    def track(self, n: int, total) -> None:
        """Add the total of a batch of n samples, and its single losses, to their running means."""
        values = [0.0 if self.last[k] is None else self.last[k] for k in self._tracked] if self.last else []
        later(partial(self._add, n), total, *values)

    def _add(self, n: int, total: float, *each: float) -> None:
        self.last_total = total
        for tracker, value in zip([self.loss_tracker, *self.trackers], (total, *each)):
            tracker.total.assign_add(n * value)
            tracker.count.assign_add(n)

    def update(self, y_true, y_pred, sample_weight, masks) -> None:
        """Add a batch to the metrics."""
        if self.metrics is not None:
            self.metrics.update(y_true, y_pred, sample_weight, masks)

    def _resolve(self, y_true, y_pred) -> None:
        if len(y_pred) != len(self.names):
            raise ValueError(
                f"compile: the model returned {len(y_pred)} outputs, its losses and metrics are for {self.names}."
            )
        if any(map(_by_shape, self.losses)):
            self.losses = [
                losses.resolve(loss, true, pred) if _by_shape(loss) else loss
                for loss, true, pred in zip(self.losses, y_true, y_pred)
            ]


def _by_shape(entry) -> bool:
    return isinstance(entry, str) and entry in BY_SHAPE


def _only(entry):
    """``["mse"]`` for one output is ``"mse"``."""
    return entry[0] if isinstance(entry, (list, tuple)) and len(entry) == 1 else entry


def _check_weight(weight) -> float:
    if weight is None:
        return 1.0
    if isinstance(weight, bool) or not isinstance(weight, numbers.Real) or not math.isfinite(weight):
        raise ValueError(f"compile: loss_weights must be numbers, got {weight!r}.")
    return float(weight)


def _masked(mask) -> dict:
    return {} if mask is None else {"mask": mask}
