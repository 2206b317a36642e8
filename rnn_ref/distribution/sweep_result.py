"""What a sweep found, run by run and over seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_ref import checks
from rnn_ref.distribution.run import Outcome, Run, described

RESAMPLES = 2000


class Sweep:
    """The runs of :func:`rnn_ref.sweep`, in the order of the grid and of the seeds.

    Attributes
    ----------
    rows : list of dict
        One a run: the point's values by argument, ``seed``, what was returned by name, and ``error``, None or a text.
    metrics : list of str
        The names of what trainings returned.

    Examples
    --------
    >>> from rnn_ref import sweep
    >>> found = sweep(lambda rate: rate**2, {"rate": [1, 2]}, seeds=[0], progress=False)
    >>> found.rows[1]
    {'rate': 2, 'seed': 0, 'result': 4.0, 'error': None}
    """

    def __init__(self, runs: list[tuple[Run, Outcome]]):
        self.arguments = list(runs[0][0].labels)
        results = [outcome.result or {} for _, outcome in runs]
        self.metrics = list(dict.fromkeys(name for result in results for name in result))
        taken = {"seed", "error", *self.arguments} & set(self.metrics)
        if taken:
            raise ValueError(f"sweep: train returned numbers called {sorted(taken)}, which the table has already.")
        self.rows: list[dict[str, Any]] = [
            {**run.labels, "seed": run.seed, **(outcome.result or {}), "error": outcome.error} for run, outcome in runs
        ]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The rows of runs that failed."""
        return [row for row in self.rows if row["error"] is not None]

    def frame(self):
        """The rows as a pandas data frame.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        try:
            import pandas
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError("Sweep.frame needs pandas: pip install pandas; or use rows.") from error
        return pandas.DataFrame(self.rows)

    def values(self, metric: str) -> list[tuple[dict[str, Any], np.ndarray]]:
        """Each point of the grid with its numbers over the seeds, without the runs that failed."""
        if metric not in self.metrics:
            raise ValueError(
                f"sweep: there is no {metric!r}; trainings returned {', '.join(self.metrics) or 'nothing'}"
            )
        points: dict[tuple, list[float]] = {}
        for row in self.rows:
            found = points.setdefault(tuple(row[name] for name in self.arguments), [])
            if row.get(metric) is not None:
                found.append(row[metric])
        return [(dict(zip(self.arguments, point)), np.array(found)) for point, found in points.items()]

    def summary(self, level: float = 0.95) -> list[dict[str, Any]]:
        """Mean, spread and interval over the seeds, a row a point.

        Parameters
        ----------
        level : float
            How sure the interval of the mean is: by the bootstrap, percentiles of the means of 2,000 samples drawn with
            replacement from the seeds' numbers (Efron 1979).

        Returns
        -------
        list of dict
            The point's values, ``runs`` (that did not fail), and for every metric ``"... mean"``, ``"... std"`` (the
            sample's standard deviation), ``"... low"`` and ``"... high"``; None where there is none.
        """
        level = checks.number(level, "level", "Sweep.summary", "(0, 1)")
        rows: list[dict[str, Any]] = []
        for metric in self.metrics:
            for n, (point, values) in enumerate(self.values(metric)):
                if n == len(rows):
                    rows.append({**point, "runs": 0})
                rows[n]["runs"] = max(rows[n]["runs"], len(values))
                mean, std, low, high = _described(values, level)
                rows[n] |= {f"{metric} mean": mean, f"{metric} std": std, f"{metric} low": low, f"{metric} high": high}
        return rows

    def __str__(self) -> str:
        heads = [*self.arguments, "runs", *(f"{metric} (95 %)" for metric in self.metrics)]
        cells = [heads]
        for row in self.summary():
            told = [
                f"{described(row[f'{m} mean'])} ({described(row[f'{m} low'])} to {described(row[f'{m} high'])})"
                for m in self.metrics
            ]
            cells.append([*(str(row[name]) for name in self.arguments), str(row["runs"]), *told])
        widths = [max(map(len, column)) for column in zip(*cells)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]
        if self.errors:
            last = self.errors[0]["error"].strip().splitlines()[-1]
            lines.append(f"{len(self.errors)} of {len(self.rows)} runs failed, the first with: {last}")
        return "\n".join(lines)

    __repr__ = __str__


def _described(values: np.ndarray, level: float) -> tuple[float | None, ...]:
    """Mean, standard deviation, and the interval of the mean."""
    if not len(values):
        return None, None, None, None
    mean = float(values.mean())
    if len(values) == 1 or not np.isfinite(values).all():
        return mean, None, None, None
    drawn = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return mean, float(values.std(ddof=1)), float(low), float(high)
