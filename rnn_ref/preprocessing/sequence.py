"""Sequences of different lengths into one array, and one long sequence into batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from rnn_ref import checks
from rnn_ref.guard import guarded
from rnn_ref.preprocessing.long_sequences import StatefulBatches, stateful_batches

__all__ = ["StatefulBatches", "pad_sequences", "stateful_batches"]


@guarded
def pad_sequences(
    sequences: Sequence[Sequence],
    maxlen: int | None = None,
    dtype: DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Pad short sequences and truncate long ones, as `keras.utils.pad_sequences` does.

    Parameters
    ----------
    sequences : sequence of N sequences, each of shape (length, ...)
        All steps have the same shape.
    maxlen : int, optional
        The length `T` of the result, by default that of the longest sequence.
    dtype : data type
        The type of the result: "float32" for real values, `object` for strings of any length.
    padding : {"pre", "post"}
        Where to pad short sequences: before their first step or after their last.
    truncating : {"pre", "post"}
        Where to truncate long sequences.
    value : scalar
        The value to pad with.

    Returns
    -------
    numpy.ndarray, shape (N, T, ...)

    Raises
    ------
    ValueError
        If `sequences` is not a sequence of sequences, their steps have different shapes, there is no sequence to
        take `maxlen` from, or an option is unknown.

    Examples
    --------
    >>> pad_sequences([[1], [2, 3], [4, 5, 6]])
    array([[0, 0, 1],
           [0, 2, 3],
           [4, 5, 6]], dtype=int32)
    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2, padding="post", truncating="post")
    array([[1, 0],
           [2, 3],
           [4, 5]], dtype=int32)
    """
    for option, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f"{option} should be 'pre' or 'post', got {side!r}")
    if not hasattr(sequences, "__len__"):
        raise ValueError(
            f"sequences should be a list of sequences, got {type(sequences).__name__}; make a list of it first"
        )
    for position, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                f"sequences should be a list of sequences, but at position {position} it holds {sequence!r} of "
                f"type {type(sequence).__name__}"
            )
    checks.unmasked(sequences, "sequences", "pad_sequences")
    lengths = [len(sequence) for sequence in sequences]
    if maxlen is None:
        if not lengths:
            raise ValueError("sequences is empty, so its longest sequence has no length: give maxlen")
        maxlen = max(lengths)
    if maxlen < 0:
        raise ValueError(f"maxlen should be 0 or more, got {maxlen}")
    if isinstance(value, str) and np.dtype(dtype).kind not in "OSU":
        raise ValueError(f"a padding value of {value!r} does not fit dtype {dtype}; use dtype=object for strings")

    kind = np.dtype(dtype).kind
    if kind == "V":
        raise TypeError(f"pad_sequences: dtype must be a type such as 'int32', got {dtype!r}")
    if kind not in "OSUM" and not np.isfinite(checks.numbers(value, "value", "pad_sequences")).all() and kind != "f":
        raise ValueError(f"pad_sequences: a padding value of {value!r} does not fit dtype {dtype}")
    step_shape = next((np.shape(sequence)[1:] for sequence in sequences if len(sequence)), ())
    padded = np.full((len(sequences), maxlen, *step_shape), value, dtype=dtype)
    for position, (row, sequence, length) in enumerate(zip(padded, sequences, lengths)):
        kept = min(length, maxlen)
        if not kept:
            continue
        steps = np.asarray(sequence[-kept:] if truncating == "pre" else sequence[:kept], dtype=dtype)
        if steps.shape[1:] != step_shape:
            raise ValueError(
                f"the steps of the sequence at position {position} have shape {steps.shape[1:]}, those before it "
                f"have {step_shape}"
            )
        if padding == "pre":
            row[-kept:] = steps
        else:
            row[:kept] = steps
    return padded
