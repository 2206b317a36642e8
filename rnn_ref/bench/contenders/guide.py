"""The small models of a well-known guide to RNN layers, fitted to a real series.

The guide's inputs have 10 steps of 5 features; here these are the sunspots of the last fifty years, five to a step,
and the next year is forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

STEPS, FEATURES = 10, 5
# (class, units, what is handed on): the last output, that of every step, or the last of both directions
MODELS = {
    "SimpleRNN": [("SimpleRNN", 64, "last")],
    "LSTM": [("LSTM", 64, "last")],
    "GRU": [("GRU", 64, "last")],
    "stacked": [("LSTM", 64, "every"), ("LSTM", 32, "last")],
    "Bidirectional": [("LSTM", 64, "both")],
    "TimeDistributed": [("LSTM", 64, "every")],
}


@dataclass(frozen=True)
class Guide:
    """A model of :data:`MODELS`, and the series (one number a year) it is fitted to."""

    batch: ClassVar[int] = 32

    model: str
    series: list[float]
    epochs: int = 10  # in one call of fit

    @property
    def layers(self) -> list[tuple[str, int, str]]:
        return MODELS[self.model]

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """``x`` (N, 10, 5), and ``y`` (N, 1), or (N, 10, 1) for a model that forecasts at every step."""
        series = np.asarray(self.series, "float32") / np.std(self.series, dtype="float32")
        windows = np.lib.stride_tricks.sliding_window_view(series, STEPS * FEATURES + 1)
        x = windows[:, :-1].reshape(-1, STEPS, FEATURES).copy()
        next_years = windows[:, FEATURES::FEATURES, np.newaxis].copy()
        return x, next_years if self.layers[-1][2] == "every" else next_years[:, -1]

    def weights(self, shapes) -> list[np.ndarray]:
        """The same for every library, in Keras's layout and order."""
        generator = np.random.default_rng(0)
        return [generator.normal(scale=0.1, size=shape).astype("float32") for shape in shapes]
