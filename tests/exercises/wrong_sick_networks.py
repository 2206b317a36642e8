"""Typical wrong answers of notebook 15, and what is said about them."""

import numpy as np

from rnn_ref.exercises.patients import DISEASES, WARD

AGAINST = {
    "dead units": r"0 of 16 units do|\d of 16",
    "exploding weights": "largest magnitude is 0",
    "lost mask": "they move by 0",
    "saturated gates": r"they are so \d+%|has no gates",
    "state that leaks": "they differ by 0",
    "vanished gradient": "look for the cause",
}


def after(change):
    return lambda hidden, lengths: max(change(h, n) for h, n in zip(hidden, lengths))


WRONG = [
    *(
        (f"15.{k}", disease, AGAINST[disease])
        for k, right in enumerate(WARD.values(), start=1)
        for disease in DISEASES
        if disease != right
    ),
    ("15.1", "flu", "expected one of 'dead units'"),
    ("15.7", lambda hidden, mask: np.flatnonzero(np.abs(hidden.mean(axis=(0, 1))) < 1e-9), "unit 5 is counted"),
    ("15.7", lambda hidden, mask: np.flatnonzero((hidden == 0).all(axis=1).any(axis=0)), "unit 2 is counted"),
    ("15.7", lambda hidden, mask: np.flatnonzero((hidden == 0).all(axis=(0, 1))), "unit 1 is missing"),
    ("15.7", lambda hidden, mask: (hidden[mask] == 0).all(axis=0), "not True and False"),
    ("15.7", lambda hidden, mask: np.flatnonzero((hidden[mask] == 0).any(axis=0)), "unit 2 is counted"),
    ("15.8", after(lambda h, n: np.abs(h[n:] - h[n]).max() if n < len(h) else 0), "first step of padding"),
    ("15.8", lambda hidden, lengths: np.abs(np.diff(hidden, axis=1)).max(), "while it reads"),
    ("15.8", after(lambda h, n: np.abs(h[n:]).max(initial=0)), "not how far it moves"),
    ("15.8", after(lambda h, n: (h[n:] - h[n - 1]).max(initial=0)), "both signs count"),
    ("15.8", after(lambda h, n: np.abs(h[n:] - h[n - 1]).max()), "ValueError"),
]
