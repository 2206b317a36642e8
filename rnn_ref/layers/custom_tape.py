"""What a custom cell leaves behind, and what its way back gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(slots=True)
class CustomTape:
    """What the steps of a custom cell leave behind.

    Attributes
    ----------
    x : ndarray, (T, B, ...)
        Inputs in the order they were read.
    states : list of ndarray, each (T + 1, B, ...)
        Index 0 is the initial state, ``t + 1`` the state after step t.
    outputs : ndarray, (T, B, ...)
        A masked step repeats the output before it; before the first one there are zeros.
    mask : ndarray of bool, (T, B), or None
    constants : list of ndarray
    training : bool
    backs : list of callable
        The record of every step, if steps were recorded on the way.
    output_is_state : bool
        Whether the output is the first state itself, as in the built-in cells.
    keep_parts : bool
        Whether the way back shall keep every step's part of the weights' gradients.
    gates, z
        A custom cell's own business: None and nothing.
    """

    x: np.ndarray
    states: list[np.ndarray]
    outputs: np.ndarray
    mask: np.ndarray | None
    constants: list[np.ndarray]
    training: bool
    backs: list = field(default_factory=list)
    output_is_state: bool = False
    keep_parts: bool = False
    gates: None = None
    z: tuple = ()

    @property
    def h(self) -> np.ndarray:
        """The first state."""
        return self.states[0]

    @property
    def final_states(self) -> list[np.ndarray]:
        return [state[-1] for state in self.states]


@dataclass(slots=True)
class CustomFlow:
    """Gradients at every step.

    Attributes
    ----------
    dx : ndarray, (T, B, ...)
    dstates : list of ndarray, each (T + 1, B, ...)
        With respect to every state; index 0 belongs to the initial state.
    parts : list of dict
        Each step's part of the weights' gradients by name, if they were asked for; what is not there is zero.
    dz, dc
        A custom cell has no named pre-activations and no state known as the cell state: nothing and None.
    """

    dx: np.ndarray
    dstates: list[np.ndarray]
    parts: list[dict] = field(default_factory=list)
    dz: tuple = ()
    dc: None = None

    @property
    def dh(self) -> np.ndarray:
        """The first state's."""
        return self.dstates[0]


def one_size(size) -> Any:
    """8 stays 8; a shape, whatever its type, becomes a tuple."""
    return int(size) if isinstance(size, (int, np.integer)) else tuple(int(each) for each in size)


def shape_of(size) -> tuple:
    return (size,) if isinstance(size, (int, np.integer)) else size


def over(mask, array) -> np.ndarray:
    """``(B,)`` in the rank of an array ``(B, ...)``."""
    return mask.reshape(-1, *[1] * (np.ndim(array) - 1))
