"""Typical wrong answers of notebook 00, and what is said about them."""

import numpy as np

WRONG = [
    ("00.1", lambda forecast, truth: np.sqrt(np.mean((forecast - truth) ** 2)), r"\(9, 1\) less \(9,\)"),
    ("00.1", lambda forecast, truth: np.mean((np.ravel(forecast) - truth) ** 2), "root is missing"),
    ("00.1", lambda forecast, truth: np.mean(np.abs(np.ravel(forecast) - truth)), "absolute"),
    ("00.1", lambda forecast, truth: np.sqrt(np.sum((np.ravel(forecast) - truth) ** 2)), "not the sum"),
    ("00.2", lambda x: x[:, 0, 0], "first value"),
    ("00.2", lambda x: x[:, -1], r"\(N, 1\)"),
    ("00.2", lambda x: x.mean(axis=(1, 2)), "mean of each window"),
    ("00.3", ((100, 5, 24), (5, 24), (3, 96), (24, 96)), "batch first"),
    ("00.3", ((5, 100, 24), (5, 24), (3, 24), (24, 24)), "side by side"),
    ("00.3", ((5, 100, 24), (5, 24), (96, 3), (96, 24)), "in, out"),
    ("00.3", ((5, 100, 24), (5, 100), (3, 96), (24, 96)), "the last output is not"),
    ("00.3", (1, 2, 3, 4), "should be a shape"),
    ("00.4", lambda norm: norm[-1] / norm[0], "other way round"),
    ("00.4", lambda norm: norm[0], "divide by"),
    ("00.4", lambda norm: norm[0] / norm.sum(), "share of the sum"),
]
