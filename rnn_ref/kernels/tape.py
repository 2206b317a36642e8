"""What a forward pass leaves behind, and what a backward pass gives. Both targets fill the same two records.

Letters: ``B`` batch, ``T`` time, ``F`` input features, ``H`` units, ``G`` gates. Time comes first, so that one
time step of a block of samples is one contiguous piece of memory. States have ``T + 1`` steps: index 0 is
the initial state, index ``t + 1`` the state after step ``t``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


@dataclass(slots=True)
class Tape:
    """Everything BPTT must remember; also everything there is to see.

    Attributes
    ----------
    x : ndarray, (T, B, F)
        Inputs in the order they were read.
    h : ndarray, (T + 1, B, H)
        Hidden states.
    c : ndarray, (T + 1, B, H) or None
        Cell states (LSTM).
    gates : ndarray, (G, T, B, H) or None
        Gates in Keras's order (LSTM ``i, f, c, o``; GRU ``z, r, h``).
    z : ndarray, (G, T, B, H) or None
        Pre-activations; kept when asked for, and where an activation's derivative needs them.
    q : ndarray, (T, B, H) or None
        GRU: projected state ``h_{t-1} U_h + b'_h`` (``reset_after=True``) or reset state ``r h_{t-1}`` (False).
    mask : ndarray of bool, (T, B), or None
        Steps that counted.
    x_drop, h_drop : ndarray, (1 or G, B, F) and (1 or G, B, H), or None
        Dropout of inputs and states, the same at every step.
    """

    x: np.ndarray
    h: np.ndarray
    c: np.ndarray | None = None
    gates: np.ndarray | None = None
    z: np.ndarray | None = None
    q: np.ndarray | None = None
    mask: np.ndarray | None = None
    x_drop: np.ndarray | None = None
    h_drop: np.ndarray | None = None

    @property
    def states(self) -> list[np.ndarray]:
        """``[h]`` or ``[h, c]``."""
        return [self.h] if self.c is None else [self.h, self.c]

    @property
    def outputs(self) -> np.ndarray:
        """``(T, B, H)``: the hidden state after each step."""
        return self.h[1:]

    @property
    def final_states(self) -> list[np.ndarray]:
        """States after the last step, ``(B, H)`` each."""
        return [state[-1] for state in self.states]


@dataclass(slots=True)
class Gradients:
    """Derivatives of the loss L.

    Attributes
    ----------
    dx : ndarray, (T, B, F) or None
        With respect to the inputs; None when not asked for.
    dW, dU, db : ndarray
        With respect to ``kernel``, ``recurrent_kernel`` and ``bias``, in their shapes; ``db`` None without bias.
    dh, dc : ndarray, (T + 1, B, H)
        Total derivative with respect to every state; index 0 belongs to the initial state.
    dz : ndarray, (G, T, B, H)
        With respect to the pre-activations.
    dq : ndarray, (T, B, H) or None
        GRU, ``reset_after=True``: with respect to the projected state ``q``.
    """

    dx: np.ndarray | None
    dW: np.ndarray
    dU: np.ndarray
    db: np.ndarray | None
    dh: np.ndarray
    dz: np.ndarray
    dc: np.ndarray | None = None
    dq: np.ndarray | None = None

    @property
    def dstates(self) -> list[np.ndarray]:
        """``[dh]`` or ``[dh, dc]``."""
        return [self.dh] if self.dc is None else [self.dh, self.dc]


# -- cells that were written as equations ------------------------------------------------------------------------------


class Extra(NamedTuple):
    """What the equations use besides products.

    Attributes
    ----------
    b_q : ndarray, (A, H), or None
        Bias of each recurrent product that stands apart.
    per_unit : tuple of ndarray, each (H,)
        Weights that are used number by number.
    constants : ndarray, (C,)
        Constants, then weights of one number for all units.
    """

    b_q: np.ndarray | None
    per_unit: tuple[np.ndarray, ...]
    constants: np.ndarray


@dataclass(slots=True)
class WrittenTape(Tape):
    """Tape of a cell that was written as equations.

    Attributes
    ----------
    gates : ndarray, (G, T, B, H)
        What the equations make of each pre-activation with an activation; else the pre-activation.
    z : ndarray, (G, T, B, H) or None
        Pre-activations, or their parts ``x_t W_g + b_g`` where the equations take these apart.
    q : ndarray, (A, T, B, H)
        Recurrent products apart.
    others : ndarray, (states besides, T + 1, B, H)
        States besides the hidden one.
    """

    others: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 0, 0)))

    @property
    def states(self) -> list[np.ndarray]:
        """``h``, and the others."""
        return [self.h, *self.others]


@dataclass(slots=True)
class WrittenGradients(Gradients):
    """Gradients of a cell that was written as equations.

    Attributes
    ----------
    dq : ndarray, (A, T, B, H)
        With respect to the recurrent products apart.
    db_q : ndarray, (A, H) or None
        With respect to their bias.
    dothers : ndarray, (states besides, T + 1, B, H)
    dp : ndarray, (P, T, B, H)
        With respect to the weights that are used number by number, what each step, sample and unit gives.
    dper_unit : list of ndarray, each (H,)
        Their sums over steps and samples.
    """

    db_q: np.ndarray | None = None
    dothers: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 0, 0)))
    dp: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 0, 0)))
    dper_unit: list[np.ndarray] = field(default_factory=list)

    @property
    def dstates(self) -> list[np.ndarray]:
        """``dh``, and those of the others."""
        return [self.dh, *self.dothers]
