"""What is particular to a cell, besides its equations: the record that stands beside them.

    z_g = x_t W_g + p U_g + b_g         a gate's pre-activation; p is what its recurrent product multiplies

Everything that must know a cell's gates and states reads them here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Gate(NamedTuple):
    """One gate, or the candidate: a block of the kernel, of the recurrent kernel and of the bias.

    Attributes
    ----------
    name : str
        As a trace has it: ``"forget"``.
    letter : str
        Of its weights and pre-activation, ``W_f`` and ``z_f``; empty where there is one gate.
    symbol : str
        Its value in the equations.
    product : str
        What its recurrent product multiplies: ``"h"``, the hidden state, or what the equations make of it; empty where
        there is none.
    apart : str
        What the equations call ``h_{t-1} U_g + b'_g`` where they need it apart from ``x_t W_g + b_g``, which is ``x_g``
        there; empty where both come as one sum.
    inputs : bool
        Whether it looks at the inputs.
    """

    name: str
    letter: str
    symbol: str
    product: str = "h"
    apart: str = ""
    inputs: bool = True

    @property
    def end(self) -> str:
        """``"_f"``, what its symbols end with."""
        return f"_{self.letter}" if self.letter else ""


class Record(NamedTuple):
    """A cell.

    Attributes
    ----------
    gates : tuple of Gate
        In the order of their blocks.
    states : dict of str to str
        Names and symbols, the hidden state first: ``{"hidden": "h", "cell": "c"}``.
    step, d_step : function
        One unit at one time step, there and back; its arguments are the gates' pre-activations and states before the
        step, and gradients of the states after it.
    """

    gates: tuple[Gate, ...]
    states: dict[str, str]
    step: Callable
    d_step: Callable

    @property
    def x_gates(self) -> tuple[Gate, ...]:
        """Those with a block in the kernel."""
        return tuple(gate for gate in self.gates if gate.inputs)

    @property
    def h_gates(self) -> tuple[Gate, ...]:
        """Those with a block in the recurrent kernel."""
        return tuple(gate for gate in self.gates if gate.product)

    @property
    def q_gates(self) -> tuple[Gate, ...]:
        """Those whose recurrent product stands apart."""
        return tuple(gate for gate in self.gates if gate.apart)

    @property
    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Of the gates, and of the states."""
        return tuple(gate.name for gate in self.gates), tuple(self.states)
