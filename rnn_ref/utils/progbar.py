"""Progbar: a line of progress for your own loops."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

import numpy as np

from rnn_ref.guard import guard_methods


@guard_methods
class Progbar:
    """Show the progress of a loop, with the values that it reports.

    Parameters
    ----------
    target : int or None
        Number of steps; None if it is not known.
    width : int
        Characters of the bar.
    verbose : {0, 1, 2}
        Nothing; a bar that moves; one line at the end.
    interval : float
        Least number of seconds between updates.
    stateful_metrics, stateless_metrics : iterable of str, optional
        Values to show as they are, or values to average over the steps (all others are then shown as they are). Give
        one of the two; without either, all are averaged.
    unit_name : str

    References
    ----------
    https://keras.io/api/utils/python_utils/

    Examples
    --------
    >>> bar = Progbar(2, verbose=2)
    >>> bar.add(1, [("loss", 3.0)])
    >>> bar.add(1, [("loss", 1.0)])
    2/2 - 0s - ...step - loss: 1.0000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Progbar: Only one of stateful_metrics and stateless_metrics says which is which; give one."
            )
        self.target, self.width, self.verbose = target, width, verbose
        self.interval, self.unit_name = interval, unit_name
        self._stateful = set(stateful_metrics or ())
        self._stateless = None if stateless_metrics is None else set(stateless_metrics)
        self._values: dict[str, tuple[float, int]] = {}  # the sum of what was reported, and of how many steps
        self._seen = 0
        self._start = time.perf_counter()
        self._drawn = -np.inf
        self._length = 0

    def add(self, n: int, values=None) -> None:
        """Advance by ``n`` steps; see :meth:`update`."""
        self.update(self._seen + n, values)

    def update(self, current: int, values=None, finalize: bool | None = None) -> None:
        """Go to step ``current``.

        Parameters
        ----------
        current : int
        values : list of (str, number), optional
            Of the steps since the last update; a list of numbers stands for their mean.
        finalize : bool, optional
            Whether this is the end, whose values replace the averages; by default ``current >= target``.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        steps = max(current - self._seen, 1)
        for name, value in values or ():
            averaged = name not in self._stateful if self._stateless is None else name in self._stateless
            value = float(np.mean(value))
            if finalize or not averaged:
                self._values[name] = value, 1
            else:
                total, count = self._values.get(name, (0.0, 0))
                self._values[name] = total + value * steps, count + steps
        self._seen = current
        now = time.perf_counter()
        if self.verbose == 1 and (finalize or now - self._drawn >= self.interval):
            self._drawn = now
            self._draw(self._text(current, now, self._bar(current) + " "), finalize)
        elif self.verbose == 2 and finalize:
            print(self._text(current, now, ""))

    def _bar(self, current: int) -> str:
        if not self.target:
            return ""
        done = int(self.width * min(current / self.target, 1))
        return "━" * done + "─" * (self.width - done)

    def _text(self, current: int, now: float, bar: str) -> str:
        elapsed = now - self._start
        each = elapsed / max(current, 1)
        duration = f"{each:.0f}s" if each >= 1 else f"{each * 1e3:.0f}ms" if each >= 1e-3 else f"{each * 1e6:.0f}us"
        count = f"{current}/{self.target if self.target is not None else 'Unknown'}"
        parts = [f"{count} {bar}".strip(), f"{elapsed:.0f}s", f"{duration}/{self.unit_name}"]
        for name, (total, number) in self._values.items():
            mean = total / max(number, 1)
            parts.append(f"{name}: {mean:.4f}" if abs(mean) > 1e-3 else f"{name}: {mean:.4e}")
        return " - ".join(parts)

    def _draw(self, text: str, finalize: bool) -> None:
        """On a terminal, overwrite the previous line; elsewhere, write a new one."""
        moving = sys.stdout.isatty() or "ipykernel" in sys.modules
        print(
            ("\r" if moving else "") + text.ljust(self._length), end="\n" if finalize or not moving else "", flush=True
        )
        self._length = len(text) if moving else 0
