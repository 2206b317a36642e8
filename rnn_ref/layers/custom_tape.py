"""What a custom cell records going forward, and the gradients going back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(slots=True)
class CustomTape:
    """What the steps of a custom cell record.

    Attributes
    ----------
    x : ndarray, (T, B, ...)
        Inputs in the order in which they were read.
    states : list of ndarray, each (T + 1, B, ...)
        Index 0 is the initial state, ``t + 1`` the state after step t.
    outputs : ndarray, (T, B, ...)
        A masked step repeats the previous output, or zeros if there is none.
    mask : ndarray of bool, (T, B), or None
    constants : list of ndarray
    training : bool
    backs : list of callable
        The backward pass of every step, if steps were recorded.
    output_is_state : bool
        Whether the output is the first state, as in the built-in cells.
    keep_parts : bool
        Whether backward keeps each step's part of the weights' gradients.
    gates, z
        None and empty: a custom cell has no gates that others know of.
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
        With respect to each state; index 0 belongs to the initial state.
    parts : list of dict
        Each step's part of the weights' gradients by name, if asked for; those missing are zero.
    dz, dc
        Empty and None: a custom cell has no named pre-activations and no known cell state.
    """

    dx: np.ndarray
    dstates: list[np.ndarray]
    parts: list[dict] = field(default_factory=list)
    dz: tuple = ()
    dc: None = None

    @property
    def dh(self) -> np.ndarray:
        """The gradient of the first state."""
        return self.dstates[0]


def one_size(size) -> Any:
    """A size as an int, or a shape of any type as a tuple."""
    return int(size) if isinstance(size, (int, np.integer)) else tuple(int(each) for each in size)


def shape_of(size) -> tuple:
    return (size,) if isinstance(size, (int, np.integer)) else size


def over(mask, array) -> np.ndarray:
    """``(B,)`` with axes added, to the rank of an array ``(B, ...)``."""
    return mask.reshape(-1, *[1] * (np.ndim(array) - 1))
