"""The equations of every cell as text, for :func:`rnn_ref.explain_step`: one unit at one time step, there and back.

Each line gives a symbol and the expression it is computed by, valid Python, whose names are symbols again: the state of
things before the step, sums over other units, and what the lines above gave. Tests evaluate every expression with
NumPy. The compiled equations themselves are in :mod:`rnn_ref.equations`; symbols are named as there, and

    x_W_f         x_t W_f, a sum over the input features
    h_U_f         h_{t-1} U_f, a sum over the units
    d_c           dL/dc
    d_later_h     what reaches dL/dh through later time steps; d_out_h what reaches it through the outputs
    activation, recurrent_activation, and their derivatives d_activation(z, a), d_recurrent_activation(z, a)
"""

from __future__ import annotations

from typing import NamedTuple


class Equation(NamedTuple):
    """``symbol = expression``."""

    symbol: str
    expression: str


class CellEquations(NamedTuple):
    """Forward and backward, in the order of computing."""

    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]


def _equations(text: str) -> tuple[Equation, ...]:
    return tuple(Equation(*(side.strip() for side in line.split("=", 1))) for line in text.strip().splitlines())


SIMPLE_RNN = CellEquations(
    forward=_equations("""
        z = x_W + h_U + b
        h = activation(z)
    """),
    backward=_equations("""
        d_h = d_out_h + d_later_h
        d_z = d_h * d_activation(z, h)
    """),
)

LSTM = CellEquations(
    forward=_equations("""
        z_i = x_W_i + h_U_i + b_i
        z_f = x_W_f + h_U_f + b_f
        z_c = x_W_c + h_U_c + b_c
        z_o = x_W_o + h_U_o + b_o
        i = recurrent_activation(z_i)
        f = recurrent_activation(z_f)
        g = activation(z_c)
        o = recurrent_activation(z_o)
        c = f * c_prev + i * g
        h = o * activation(c)
    """),
    backward=_equations("""
        d_h = d_out_h + d_later_h
        d_o = d_h * activation(c)
        d_c = d_later_c + d_h * o * d_activation(c, activation(c))
        d_i = d_c * g
        d_f = d_c * c_prev
        d_g = d_c * i
        d_z_i = d_i * d_recurrent_activation(z_i, i)
        d_z_f = d_f * d_recurrent_activation(z_f, f)
        d_z_c = d_g * d_activation(z_c, g)
        d_z_o = d_o * d_recurrent_activation(z_o, o)
        d_c_prev = d_c * f
    """),
)

_GRU_GATES = """
        z_z = x_W_z + h_U_z + b_z
        z_r = x_W_r + h_U_r + b_r
        z = recurrent_activation(z_z)
        r = recurrent_activation(z_r)
"""
_GRU_STATE = """
        g = activation(z_h)
        h = z * h_prev + (1 - z) * g
"""
_GRU_BACK = """
        d_h = d_out_h + d_later_h
        d_z = d_h * (h_prev - g)
        d_g = d_h * (1 - z)
        d_z_h = d_g * d_activation(z_h, g)
"""
_GRU_GATES_BACK = """
        d_z_z = d_z * d_recurrent_activation(z_z, z)
        d_z_r = d_r * d_recurrent_activation(z_r, r)
        d_h_prev = d_h * z
"""


def _joined(*parts: str) -> tuple[Equation, ...]:
    return _equations("\n".join(part.strip() for part in parts))


GRU_RESET_AFTER = CellEquations(
    forward=_joined(_GRU_GATES, "q = h_U_h + b_hh\nz_h = x_W_h + b_h + r * q", _GRU_STATE),
    backward=_joined(_GRU_BACK, "d_r = d_z_h * q\nd_q = d_z_h * r", _GRU_GATES_BACK),
)
# The candidate's kernel sees the reset states of all units, so dL/dq sums over the candidates of all units.
GRU_RESET_BEFORE = CellEquations(
    forward=_joined(_GRU_GATES, "q = r * h_in\nz_h = x_W_h + q_U_h + b_h", _GRU_STATE),
    backward=_joined(_GRU_BACK, "d_q = d_z_h_U_h\nd_r = d_q * h_in", _GRU_GATES_BACK),
)


def masked(states: tuple[str, ...]) -> CellEquations:
    """A masked step: nothing is computed, the states are carried over."""
    symbols = "hc"[: len(states)]
    back = [Equation("d_h", "d_out_h + d_later_h")] + [Equation("d_c", "d_later_c")] * (len(symbols) - 1)
    return CellEquations(
        forward=tuple(Equation(s, f"{s}_prev") for s in symbols),
        backward=(*back, *(Equation(f"d_{s}_prev", f"d_{s}") for s in symbols)),
    )
