"""The time axis of a trace: step numbers, given values, or the tokens that were read."""

from __future__ import annotations

import numpy as np

MOST_LABELS = 60  # the most tokens on an axis that are all written


def time_values(layer, time, T: int, where: str) -> tuple[str, np.ndarray]:
    """Label and values of the axis: as given, or the numbers of the steps kept in the trace."""
    if time is None:
        time = "time step", layer.times if np.shape(layer.times) == (T,) else np.arange(T)
    if not isinstance(time, tuple | list) or len(time) != 2 or not hasattr(time[1], "__len__"):
        raise TypeError(f"{where}: time must be a label and {T} values, got {time!r}.")
    label, values = time
    if len(values) != T:
        raise ValueError(f"{where}: time has {len(values)} values, the trace has {T} time steps.")
    return label, values


def whole_steps(axis, values) -> None:
    """Only whole numbers on an axis of whole values, since steps and years have no fractions."""
    values = np.asarray(values)
    if values.dtype.kind in "iu" or (values.dtype.kind == "f" and (values == np.round(values)).all()):
        axis.xaxis.get_major_locator().set_params(integer=True)


def written(token) -> str:
    """A token made visible, even if it is a blank."""
    return "␣" if token == " " else str(token).replace("\n", "↵")


def write_tokens(axis, values, tokens, where: str) -> None:
    """Write what was read at each step under an axis."""
    if not hasattr(tokens, "__len__"):
        raise TypeError(f"{where}: tokens must be a string or a list, one for each time step; got {tokens!r}.")
    if len(tokens) != len(values):
        raise ValueError(f"{where}: tokens has {len(tokens)} entries, the trace has {len(values)} time steps.")
    shown = [written(token) for token in tokens]
    every = -(-len(shown) // MOST_LABELS)
    axis.set_xticks(values[::every], shown[::every], parse_math=False)
    if max(len(token) for token in shown) > 2:
        axis.tick_params(axis="x", rotation=90)
    axis.tick_params(axis="x", length=0, labelsize=8)
    axis.set_xlabel("token" if every == 1 else f"token (every {every} written)")


def sample_of(layer, sample: int, where: str) -> int:
    """Check the index of a sample."""
    B = next(array.shape[0] for array in layer.initial_states.values())
    if not 0 <= sample < B:
        raise ValueError(f"{where}: sample={sample}, but the trace holds samples 0 to {B - 1}.")
    return sample
