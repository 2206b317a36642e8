"""What a model is trained on: a loss for each output, their weights, and the metrics shown beside them."""

from __future__ import annotations

from functools import partial
from typing import Any

from rnn_ref.models.structure import flatten
from rnn_ref.reading import later, number
from rnn_ref.training import losses, metrics

BY_SHAPE = ("crossentropy", "ce")


class Objective:
    """Losses and metrics of a compiled model.

    Parameters
    ----------
    loss
        A loss for the only output, or a list or dict with one for each; None leaves an output free.
    loss_weights : list or dict of float, optional
        Factors of the losses in the total.
    metrics, weighted_metrics
        A list for the only output, or a list or dict of such lists.
    output_names : list of str
    """

    def __init__(self, loss, loss_weights, metrics_, weighted_metrics, output_names: list[str]):
        self.names = output_names
        settings = self._for_each_output(loss, "loss")
        # "crossentropy" is understood only once the shapes are known; everything else is checked now.
        self.losses = [l if l in BY_SHAPE else losses.resolve(l) for l in settings]
        weights = self._for_each_output(loss_weights, "loss_weights")
        self.loss_weights = [1.0 if w is None else float(w) for w in weights]
        self._unresolved = [
            (self._metrics_for_each_output(metrics_, "metrics"), False),
            (self._metrics_for_each_output(weighted_metrics, "weighted_metrics"), True),
        ]
        self.metrics: list[tuple[int, Any, bool]] | None = None  # (output, metric, weighted)
        self.reset()

    def _for_each_output(self, setting, what: str) -> list:
        if setting is not None and not isinstance(setting, (list, tuple, dict)) and len(self.names) > 1:
            return [setting] * len(self.names)
        if isinstance(setting, dict):  # outputs that are not named have none
            unknown = set(setting) - set(self.names)
            if unknown:
                raise ValueError(f"compile: {what} names {sorted(unknown)}; the outputs are {self.names}.")
            return [setting.get(name) for name in self.names]
        if isinstance(setting, (list, tuple)) and len(setting) == len(self.names) == 1:
            return list(setting)
        return flatten(setting, self.names, f"compile: {what}")

    def _metrics_for_each_output(self, setting, what: str) -> list[list]:
        if setting is None:
            return [[] for _ in self.names]
        if isinstance(setting, dict):
            per_output = self._for_each_output(setting, what)
        elif len(self.names) == 1:
            per_output = [setting]
        elif all(isinstance(entry, (list, tuple)) for entry in setting) and len(setting) == len(self.names):
            per_output = list(setting)
        else:
            per_output = [setting] * len(self.names)
        return [[] if m is None else list(m) if isinstance(m, (list, tuple)) else [m] for m in per_output]

    # -- one batch ----------------------------------------------------------------------------------

    def value_and_gradients(self, y_true, y_pred, sample_weight, masks) -> tuple[float, list]:
        """Total loss and dL/dy for each output (None where an output has no loss)."""
        self._resolve(y_true, y_pred)
        total, grads = 0.0, []
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
        return total, grads

    def value(self, y_true, y_pred, sample_weight, masks) -> float:
        """Total loss."""
        self._resolve(y_true, y_pred)
        total = 0.0
        self.last = []
        for loss, weight, true, pred, sample, mask in zip(
            self.losses, self.loss_weights, y_true, y_pred, sample_weight, masks
        ):
            value = None if loss is None else number(loss(true, pred, sample_weight=sample, mask=mask))
            self.last.append(value)
            total = total if value is None else total + weight * value
        return total

    # -- running means over an epoch ----------------------------------------------------------------

    def reset(self) -> None:
        """Forget all batches seen."""
        self._samples = 0
        self._total = 0.0
        self._each = [0.0] * len(self.names)
        for _, metric, _ in self.metrics or []:
            metric.reset_state()

    def update(self, total: float, y_true, y_pred, sample_weight, masks) -> None:
        """Add a batch, just evaluated, to the running means, once its numbers are read."""
        later(partial(self._add, len(y_pred[0])), total, *(0.0 if value is None else value for value in self.last))
        for k, metric, weighted in self.metrics:
            weight = metrics.fold_mask(sample_weight[k] if weighted else None, masks[k])
            metric.update_state(y_true[k], y_pred[k], sample_weight=weight)

    def _add(self, n: int, total: float, *each: float) -> None:
        self.last_total = total
        self._samples += n
        self._total += n * total
        for k, value in enumerate(each):
            self._each[k] += n * value

    def _resolve(self, y_true, y_pred) -> None:
        """Strings such as "accuracy" can be understood only when the first arrays are seen."""
        if self.metrics is not None:
            return
        self.losses = [
            losses.resolve(l, true, pred) if l in BY_SHAPE else l for l, true, pred in zip(self.losses, y_true, y_pred)
        ]
        self.metrics = [
            (k, metrics.resolve(identifier, y_true[k], y_pred[k]), weighted)
            for per_output, weighted in self._unresolved
            for k, identifiers in enumerate(per_output)
            for identifier in identifiers
        ]

    def logs(self) -> dict[str, float]:
        """Loss and metrics so far, by name."""
        several = len(self.names) > 1
        logs = {"loss": self._total / max(1, self._samples)}
        if several:
            logs |= {
                f"{name}_loss": each / max(1, self._samples)
                for name, each, loss in zip(self.names, self._each, self.losses)
                if loss is not None
            }
        for k, metric, _ in self.metrics or []:
            name = f"{self.names[k]}_{metric.name}" if several else metric.name
            logs[name] = float(metric.result())
        return logs
