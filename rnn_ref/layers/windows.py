"""Windows that slide over time, for convolution and pooling: how many there are, and where each begins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.symbolic import NEEDS_ALL_STEPS


def one_size(value, name: str, layer: str) -> int:
    """A positive integer, from an integer or a tuple of one."""
    inner = value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value
    if isinstance(inner, bool) or not isinstance(inner, (int, np.integer)) or inner <= 0:
        raise ValueError(f"{layer}: {name} must be a positive integer, or a tuple of one, got {value!r}.")
    return int(inner)


class Windows(NamedTuple):
    """Windows of ``size`` steps that are ``dilation`` apart; each window begins ``stride`` steps after the last.

    Attributes
    ----------
    size, stride, dilation : int
    padding : {"valid", "same", "causal"}
        All windows lie within the sequence; or there are T / stride of them, centred; or window t ends at step t, so
        that no output looks ahead.
    """

    size: int
    stride: int
    padding: str
    dilation: int = 1

    @property
    def span(self) -> int:
        """The number of steps that a window spans."""
        return self.dilation * (self.size - 1) + 1

    def count(self, T: int | None, layer: str, shape) -> int | None:
        """The number of windows."""
        if T is None:
            return None
        count = -(-T // self.stride) if self.padding != "valid" else (T - self.span) // self.stride + 1
        if count <= 0:
            raise ValueError(
                f"{layer}: a window reaches over {self.span} steps, but there are {T} in inputs of shape "
                f"{tuple(shape)}; no output is left. Use padding='same', or a smaller window."
            )
        return count

    def margins(self, T: int) -> tuple[int, int]:
        """The number of steps of padding before and after the sequence."""
        if self.padding == "valid":
            return 0, 0
        if self.padding == "causal":
            return self.span - 1, 0
        total = max((-(-T // self.stride) - 1) * self.stride + self.span - T, 0)
        return total // 2, total - total // 2

    def slices(self, count: int) -> list[slice]:
        """For each position k in a window, the steps of the padded sequence at k in windows 0, 1, ..."""
        starts = (k * self.dilation for k in range(self.size))
        return [slice(start, start + (count - 1) * self.stride + 1, self.stride) for start in starts]

    def padded(self, x, fill) -> np.ndarray:
        """``(B, T, F)`` padded with ``fill``."""
        before, behind = self.margins(x.shape[1])
        if not before and not behind:
            return x
        wide = xp.full((x.shape[0], before + x.shape[1] + behind, x.shape[2]), fill, x.dtype)
        wide[:, before : before + x.shape[1]] = x
        return wide


def features_last(x, data_format: str) -> np.ndarray:
    """``(B, T, F)`` from either data format; its own inverse."""
    return x if data_format == "channels_last" else x.swapaxes(1, 2)


def check_sequence(layer, shape) -> None:
    """Check that there are three axes."""
    if len(shape) != 3:
        raise ValueError(f"{layer.name}: expected an array with 3 axes, got shape {tuple(shape)}. {NEEDS_ALL_STEPS}")


def check_data_format(data_format, layer: str) -> str:
    """A valid data format; None means ``"channels_last"``."""
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(f"{layer}: data_format={data_format!r}; use 'channels_last' or 'channels_first'.")
    return data_format or "channels_last"


def check_padding(padding, allowed: tuple[str, ...], layer: str) -> str:
    """A valid padding, in lower case."""
    if not isinstance(padding, str) or padding.lower() not in allowed:
        raise ValueError(f"{layer}: padding={padding!r}; use {' or '.join(map(repr, allowed))}.")
    return padding.lower()
