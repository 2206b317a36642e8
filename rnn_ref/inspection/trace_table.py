"""A trace as a long table: one row for each number."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

COLUMNS = {"sample": "sample", "time": "time", "unit": "unit", "feature": "unit"}  # axis: column


def table(layers: Iterable):
    """See :meth:`rnn_ref.inspection.tracing.Trace.to_pandas`."""
    try:
        import pandas
    except ImportError:
        raise ImportError("to_pandas needs pandas: pip install 'rnn-ref[notebooks]', or pip install pandas.") from None
    parts = []
    for layer in layers:
        for name, array in layer.arrays().items():
            if name != "times":
                parts.append(pandas.DataFrame(_columns(layer, name, array)))
    base = ["layer", "array", "sample", "time", "unit"]
    long = pandas.concat(parts, ignore_index=True) if parts else pandas.DataFrame(columns=[*base, "value"])
    extra = [column for column in long.columns if column not in (*base, "value")]
    long = long.reindex(columns=[*base, *extra, "value"])
    numbers = ["sample", "time", "unit", *extra]
    return long.astype(dict.fromkeys(numbers, "Int64") | {"layer": "category", "array": "category"})


def _columns(layer, name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    """The position of each number, and the numbers as float64 (0 and 1 for a mask)."""
    size = array.size
    columns = {"layer": np.full(size, layer.name), "array": np.full(size, name)}
    for place, axis in enumerate(layer.axes[name]):
        index = np.arange(array.shape[place])
        if axis == "time" and layer.times is not None and np.shape(layer.times) == index.shape:
            index = layer.times
        shape = [1] * array.ndim
        shape[place] = -1
        columns[COLUMNS.get(axis, axis)] = np.broadcast_to(index.reshape(shape), array.shape).ravel()
    return columns | {"value": array.astype("float64").ravel()}
