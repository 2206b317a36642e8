"""The metrics given to ``compile``, for all outputs together."""

from __future__ import annotations

import warnings
from typing import Any

from rnn_ref.models.structure import flatten
from rnn_ref.training import metrics
from rnn_ref.training.metrics.base import metrics_in


class CompiledMetrics(metrics.Metric):
    """One metric that holds those given to ``compile``; its result is a dict by the names in the logs.

    Names are Keras's: ``"mae"``, preceded by the name of the output if there are several; a second metric of that name
    is ``"mae_1"``, and one of ``weighted_metrics`` whose name is taken is ``"weighted_mae"``.

    Parameters
    ----------
    plain, weighted : list or dict, optional
        ``metrics`` and ``weighted_metrics`` as given to ``compile``.
    names : list of str
        Of the outputs.
    """

    def __init__(self, plain, weighted, names: list[str]):
        super().__init__(name="compile_metrics")
        self.names = names
        self._asked = [
            (k, identifier, is_weighted)
            for setting, what, is_weighted in ((plain, "metrics", False), (weighted, "weighted_metrics", True))
            for k, identifiers in enumerate(_for_each_output(setting, names, what))
            for identifier in identifiers
        ]
        self._made: list[tuple[int, metrics.Metric, bool]] | None = None

    def resolve(self, y_true: list, y_pred: list) -> None:
        """Names such as "accuracy" can only be resolved once the first arrays are seen."""
        if self._made is None:
            self._made = [(k, metrics.resolve(i, y_true[k], y_pred[k]), w) for k, i, w in self._asked]
            self._warn_of_one_name()

    def _warn_of_one_name(self) -> None:
        """Warn that metrics of the same name are told apart by numbers, as in Keras: this is easily overlooked."""
        names = [(k, metric.name) for k, metric, weighted in self._made if not weighted]
        twice = next((name for k, name in names if names.count((k, name)) > 1), None)
        if twice is not None:
            warnings.warn(
                f"compile: several metrics are named {twice!r}; in the logs the second is {twice + '_1'!r}. "
                "Give one of them a name.",
                stacklevel=2,
            )

    @property
    def metrics(self) -> list[metrics.Metric]:
        """The metrics of all outputs; those asked for by name appear once a batch has been seen."""
        if self._made is None:
            return metrics_in([identifier for _, identifier, _ in self._asked])
        return [metric for _, metric, _ in self._made]

    _inner = metrics

    def update(self, y_true: list, y_pred: list, sample_weight: list, masks: list) -> None:
        """Add a batch, given as a list with one entry per output."""
        self.resolve(y_true, y_pred)
        for k, metric, weighted in self._made:
            if y_true[k] is None:
                raise ValueError(f"compile: metrics of the output {self.names[k]!r} need a target y for it.")
            weight = metrics.fold_mask(sample_weight[k] if weighted else None, masks[k])
            metric.update_state(y_true[k], y_pred[k], sample_weight=weight)

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Add a batch, given in the structure of the outputs."""
        if sample_weight is None or len(self.names) == 1 or not isinstance(sample_weight, (list, tuple, dict)):
            sample_weight = [sample_weight] * len(self.names)
        weights = flatten(sample_weight, self.names, "sample_weight") if len(self.names) > 1 else sample_weight
        y_true, y_pred = (flatten(y, self.names, what) for y, what in ((y_true, "y"), (y_pred, "y_pred")))
        self.update(y_true, y_pred, weights, [None] * len(self.names))

    def result(self) -> dict[str, Any]:
        """Every metric so far, by its name in the logs."""
        times: dict[str, int] = {}
        found = {}
        for k, metric, weighted in self._made or []:
            prefix = f"{self.names[k]}_" if len(self.names) > 1 else ""
            name = prefix + metric.name
            if name in times and weighted:
                name = f"{prefix}weighted_{metric.name}"
            times[name] = times.get(name, 0) + 1
            if times[name] > 1:
                name = f"{name}_{times[name] - 1}"
            found[name] = metric.result()
        return found


def _for_each_output(setting, names: list[str], what: str) -> list[list]:
    """A list of metrics for each output."""
    if setting is None or (isinstance(setting, (list, tuple, dict)) and not setting):
        return [[] for _ in names]
    if not isinstance(setting, (list, tuple, dict)):
        raise ValueError(f"compile: {what} must be a list, tuple or dict, got {setting!r}; write {what}=[{setting!r}].")
    if isinstance(setting, dict):
        unknown = set(setting) - set(names)
        if unknown:
            raise ValueError(f"compile: {what} names {sorted(unknown)}; the outputs are {names}.")
        setting = [setting.get(name) for name in names]
    elif len(names) == 1:
        setting = [setting]
    elif len(setting) != len(names):
        raise ValueError(
            f"compile: {what}={setting!r} has {len(setting)} entries for {len(names)} outputs. Give a list (or None) "
            f"for each, in the order {names}, or a dict by their names."
        )
    per_output = [_listed(entry) for entry in setting]
    for entry in per_output:
        for identifier in entry:
            if not metrics.is_by_shape(identifier):
                metrics.get(identifier)  # so that an unknown name raises now, not in the first batch
            if len(names) == 1 and getattr(identifier, "name", None) == "loss":
                raise ValueError(f"compile: a metric named 'loss' in {what} would hide the loss; name it otherwise.")
    return per_output


def _listed(entry) -> list:
    if isinstance(entry, (list, tuple)):
        return [identifier for inner in entry for identifier in _listed(inner)]
    return [] if entry is None else [entry]
