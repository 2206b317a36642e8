"""Typical wrong answers of notebook 03, and what is said about them."""

import numpy as np


def each_by_itself(gradients, limit):
    return [g * min(1, limit / np.linalg.norm(g)) for g in gradients]


def always_scaled(gradients, limit):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    return [g * limit / norm for g in gradients]


def logit(f):
    return np.log(f / (1 - f))


WRONG = [
    ("03.1", lambda U: np.linalg.norm(U, 2), "spectral norm"),
    ("03.1", lambda U: np.linalg.eigvals(U).real.max(), "magnitudes before"),
    ("03.1", lambda U: np.abs(np.linalg.eigvals(U)).min(), "smallest"),
    ("03.2", lambda h, U: U.T, "slope of tanh is missing"),
    ("03.2", lambda h, U: (1 - h**2)[:, None] * U, "U transposed"),
    ("03.2", lambda h, U: (1 - h**2) * U, "this is the transpose"),
    ("03.2", lambda h, U: (1 - h**2) * U.T, "the row"),
    ("03.3", each_by_itself, "clipped by itself"),
    ("03.3", always_scaled, "below the limit stays"),
    ("03.3", lambda gradients, limit: [np.clip(g, -limit, limit) for g in gradients], "clips each number"),
    ("03.3", lambda gradients, limit: gradients[0], "as many arrays"),
    ("03.4", lambda steps, share: share ** (1 / steps), "this is the gate"),
    ("03.4", lambda steps, share: -logit(share ** (1 / steps)), "sign"),
    ("03.4", lambda steps, share: logit(share), "single step"),
]
