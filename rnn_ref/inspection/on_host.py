"""Tapes and gradients as NumPy arrays, whichever device the model ran on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnn_ref.device import converted, to_numpy, xp
from rnn_ref.models.walk import Walk


def on_host(record):
    """A tape, or its gradients, with NumPy arrays; a walk is changed in place."""
    if xp.module is np:
        return record
    if isinstance(record, Walk):
        for step in record.steps:
            step.tape = on_host(step.tape)
        return record
    if isinstance(getattr(record, "inner", None), Walk):
        record = replace(record, inner=on_host(record.inner))
    return converted(record, to_numpy)
