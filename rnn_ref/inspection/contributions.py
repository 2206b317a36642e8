"""Contribution of every time step to the gradient of each weight.

A weight is used at every step, so its gradient is a sum over steps; each term is the product of what multiplied the
weight (the input, or the state before the step) and the gradient of the result (the pre-activations):

    dL/dW = Σ_t x_tᵀ dz_t        dL/dU = Σ_t h_{t-1}ᵀ dz_t        dL/db = Σ_t 1ᵀ dz_t

A custom cell's own step backward gives the terms themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnn_ref.inspection.known_cells import is_known, require_known
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.matmul import matmul


@dataclass(frozen=True)
class Factor:
    """The part of a weight that belongs to some gates: at step t, ``left[t]ᵀ right[g][t]`` for each gate g.

    Attributes
    ----------
    left : ndarray, (T, B, K)
    drop : ndarray, (B, K), or None
        Dropout of ``left``, the same at all steps.
    right : tuple of ndarray, each (T, B, H)
    """

    left: np.ndarray
    drop: np.ndarray | None
    right: tuple[np.ndarray, ...]

    def at(self, t) -> np.ndarray:
        """``(K, gates*H)`` at one step."""
        left = self.left[t] if self.drop is None else self.left[t] * self.drop
        return np.concatenate([matmul(left.T, right[t]) for right in self.right], axis=1)


def contributions(cell, tape, gradients) -> tuple[dict[str, tuple[int, ...]], Callable[[str, int], np.ndarray]]:
    """Shapes of a cell's weights by name, and ``part(name, t)``: the contribution of step t in order of computation."""
    if not isinstance(cell, Cell):
        shapes = {name: weight.shape for name, weight in cell.named_weights().items()}
        return shapes, partial(_custom_part, gradients.parts, shapes, tape.h.dtype)
    if not is_known(cell):
        shapes = {name: weight.shape for name, weight in cell.named_weights().items()}
        return shapes, partial(_unknown_part, cell)
    factors = weight_factors(cell, tape, gradients)
    shapes = {name: getattr(cell, name).shape for name in factors}
    return shapes, partial(_part, factors, shapes)


# Functions of the module, not closures, so that what holds them can be pickled.


def _part(factors: dict, shapes: dict, name: str, t: int) -> np.ndarray:
    return contribution_at(factors[name], shapes[name], t)


def _custom_part(parts: list[dict], shapes: dict, dtype, name: str, t: int) -> np.ndarray:
    part = parts[t].get(name)
    return np.zeros(shapes[name], dtype) if part is None else part


def _unknown_part(cell, name: str, t: int):
    return require_known(cell, f"contribution({name!r})", cell.name)


def weight_factors(cell, tape, gradients) -> dict[str, list[list[Factor]]]:
    """The parts of each weight's gradient, by weight name: rows of blocks side by side.

    Only the bias of a GRU with ``reset_after`` has two rows (input, recurrent).
    """
    record, dz = cell.record, dict(zip(cell.record.x_gates, gradients.dz))
    dq = () if gradients.dq is None else gradients.dq if gradients.dq.ndim == 4 else [gradients.dq]
    apart = dict(zip(record.q_gates, dq))
    # dL/dq of a separate projected state, or dL/dz of the sum that contains it.
    through_state = {gate: apart[gate] if gate.apart else dz[gate] for gate in record.h_gates}
    from_h = tuple(d for gate, d in through_state.items() if gate.product == "h")
    from_q = tuple(d for gate, d in through_state.items() if gate.product != "h")
    ones = np.ones((*gradients.dz.shape[1:3], 1), gradients.dz.dtype)
    factors = {"kernel": [_per_gate(tape.x, tape.x_drop, tuple(dz.values()))]}
    if through_state:
        factors["recurrent_kernel"] = [
            _per_gate(tape.h[:-1], tape.h_drop, from_h) + ([Factor(tape.q, None, from_q)] if from_q else [])
        ]
    if cell.bias is not None:
        rows = [tuple(dz.values())]
        if cell.bias.value.ndim == 2:
            rows.append(tuple(through_state.values()))
        factors["bias"] = [[Factor(ones, None, right)] for right in rows]
    if cell.recurrent_bias is not None:
        factors["recurrent_bias"] = [[Factor(ones, None, tuple(apart.values()))]]
    weights = cell.equation_weights()
    for (name, weight), d in zip(weights.items(), gradients.dp if weights else ()):
        d = d.sum(axis=-1, keepdims=True) if weight.shape == (1,) else d
        factors[name] = [[Factor(ones, None, (d,))]]
    return factors


def _per_gate(left, drop, right) -> list[Factor]:
    """One factor for all gates, or one for each if every gate has its own dropout mask."""
    if drop is None or len(drop) == 1:
        return [Factor(left, None if drop is None else drop[0], right)]
    return [Factor(left, mask, (dz,)) for mask, dz in zip(drop, right)]


def contribution_at(rows: list[list[Factor]], shape: tuple[int, ...], t: int) -> np.ndarray:
    """One step's part of a weight's gradient, in the weight's shape."""
    blocks = [np.concatenate([factor.at(t) for factor in row], axis=1) for row in rows]
    return np.concatenate(blocks).reshape(shape)
