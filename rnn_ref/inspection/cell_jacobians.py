"""Jacobian of one step of each cell.

The equations of a cell are linear in the incoming gradients, and treat every unit separately: with ones as incoming
gradients, the lines of its backward give the derivatives of a unit's new state by its recurrent products,
``p_g = h_{t-1} U_g``, for all steps of the tape at once. So for each new state

    d s_t / d h_{t-1} = Σ_g diag(d s_t / d p_g) U_gᵀ + diag(direct)

where ``direct`` is what bypasses the products: the forget gate's ``f c_{t-1}``, the update gate's ``z h_{t-1}``. A gate
whose product multiplies what the equations make of the state, ``p_g = m U_g``, has U_gᵀ d m / d h_{t-1} in the place of
U_gᵀ.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import numpy as np

from rnn_ref.device import device
from rnn_ref.equations.activations import NAMES
from rnn_ref.equations.reading import backward_lines, forward_lines
from rnn_ref.inspection.known_cells import is_known
from rnn_ref.layers import activations
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.matmul import matmul


class Steps:
    """Jacobians assembled on demand, by a function of the module, so that they can be pickled."""

    def __init__(self, T: int, step: Callable[[int], np.ndarray]):
        self.T, self.step = T, step

    def __len__(self) -> int:
        return self.T

    def __getitem__(self, t: int) -> np.ndarray:
        with device("cpu"):  # of a tape that holds NumPy's arrays
            return self.step(t)


def step_jacobians(cell, tape, sample: int) -> Steps:
    """``d s_t / d s_{t-1}``, ``(S, S)`` in float64, for every step of one sample of a tape; masks are not looked at."""
    for each in getattr(cell, "cells", [cell]):
        if isinstance(each, Cell) and (type(each).run, type(each).run_back) != (Cell.run, Cell.run_back):
            # The inputs on its tape may differ from those the cell was given.
            raise ValueError(
                f"state_jacobians: {type(each).__name__}, the cell of {each.name}, has a run of its own, and what that "
                "does to its inputs is not known. Write it as a cell with call(inputs, states) instead."
            )
    return (by_equations if is_known(cell) else by_own_backward)(cell, tape, sample)


def _series(array: np.ndarray, sample: int) -> np.ndarray:
    """One sample of ``(..., T, B, H)`` in float64, contiguous: ``(..., T, H)``."""
    return np.ascontiguousarray(array[..., sample, :], "float64")


def by_equations(cell, tape, sample: int) -> Steps:
    """For a cell with a record: assembled from the derivatives of one unit, which its backward lines give."""
    record, known = cell.record, _known(cell, tape, sample)
    states = tuple(record.states.values())
    T, H = known[states[0]].shape
    none = {f"d_{origin}_{state}": 0.0 for origin in ("out", "later") for state in states}
    none |= {f"d_z{gate.end}_U{gate.end}": 0.0 for gate in record.gates}

    def derivatives(**ones) -> Callable[[str], np.ndarray]:
        values = _Symbols(cell, known | none | ones)
        return lambda symbol: np.broadcast_to(np.asarray(values.find(symbol), "float64"), (T, H))

    def products(d) -> list[np.ndarray]:
        return [d(f"d_{gate.apart}" if gate.apart else f"d_z{gate.end}") for gate in record.h_gates]

    by_state = [derivatives(**{f"d_out_{s}" if s == states[0] else f"d_later_{s}": 1.0}) for s in states]
    by_made = {
        gate.product: derivatives(**{f"d_{gate.product}": 1.0}) for gate in record.h_gates if gate.product != "h"
    }
    weights = cell.gate_weights()
    U_T = [weights[gate.name].recurrent_kernel.T.astype("float64") for gate in record.h_gates]
    return Steps(
        T,
        partial(
            _step,
            [gate.product for gate in record.h_gates],
            np.array(U_T).reshape(-1, H, H),
            [products(d) for d in by_state],
            [[d(f"d_{s}_prev") for s in states] for d in by_state],
            {name: (products(d), d("d_h_in")) for name, d in by_made.items()},
        ),
    )


def _step(multiplied, U_T, dp, direct, made, t: int) -> np.ndarray:
    """``d s_t / d s_{t-1}``.

    What each product multiplies, by name; U_T (products, H, H); derivatives of each state by each product, and by each
    state before the step, (T, H) each; those of what a step makes by each product, and by the hidden state itself.
    """
    H, of_state = U_T.shape[-1], [k for k, of in enumerate(multiplied) if of == "h"]
    through = {name: np.diag(by_h[t]) + _sum(d, U_T, of_state, t) for name, (d, by_h) in made.items()}
    J = np.zeros((len(dp) * H, len(dp) * H))
    for s, (d, bypass) in enumerate(zip(dp, direct)):
        rows = slice(s * H, s * H + H)
        J[rows, :H] = _sum(d, U_T, of_state, t)
        for k, of in enumerate(multiplied):
            if of != "h":
                J[rows, :H] += d[k][t][:, None] * matmul(U_T[k], through[of])
        for other, by_itself in enumerate(bypass):
            J[rows, other * H : other * H + H] += np.diag(by_itself[t])
    return J


def _sum(d, U_T, products: list[int], t: int) -> np.ndarray:
    """``Σ_k diag(d_k) U_kᵀ`` of these products."""
    return np.einsum("gk,gkj->kj", np.array([d[k][t] for k in products]).reshape(-1, U_T.shape[-1]), U_T[products])


def _known(cell, tape, sample: int) -> dict:
    """The arrays of the tape by symbol, ``(T, H)`` each. Without pre-activations, none are needed."""
    record, gates = cell.record, tape.z if tape.gates is None else tape.gates
    z, q = gates if tape.z is None else tape.z, tape.q
    known = {name: weight.value.astype("float64") for name, weight in cell.equation_weights().items()}
    known |= getattr(cell, "constants", {})
    for symbol, state in zip(record.states.values(), tape.states):
        series = _series(state, sample)
        known |= {f"{symbol}_prev": series[:-1], symbol: series[1:]}
    for g, gate in enumerate(record.x_gates):
        summed = gate.product and not (gate.apart and hasattr(cell, "equations"))
        known[f"{'z' if summed else 'x'}{gate.end}"] = _series(z[g], sample)
        if gate.symbol and gate.symbol not in record.states.values():
            known[gate.symbol] = _series(gates[g], sample)
    for k, gate in enumerate(gate for gate in record.h_gates if gate.apart or gate.product != "h"):
        known[gate.apart or gate.product] = _series(q[k] if q.ndim == 4 else q, sample)
    return known | {"h_in": known[f"{next(iter(record.states.values()))}_prev"]}


class _Symbols(dict):
    """Values by symbol; those that are missing are computed by the lines of a cell."""

    def __init__(self, cell, known: dict):
        super().__init__(known)
        self.lines = dict((*forward_lines(cell.record), *backward_lines(cell.record)))
        named = {name: activations.get(name) for name in NAMES if name != "hard_sigmoid_legacy"}
        options = ("activation", "recurrent_activation")
        named |= {name: getattr(cell, name) for name in options if hasattr(cell, name)}
        self |= named | {f"d_{name}": partial(_slope, activation) for name, activation in named.items()}

    def __missing__(self, symbol: str):
        self[symbol] = eval(self.lines[symbol], {"__builtins__": {}}, self)
        return self[symbol]

    def find(self, symbol: str):
        """Its value; 0 for gradients of symbols that the states do not depend on."""
        return self[symbol] if symbol in self or symbol in self.lines else 0.0


def _slope(activation, z, a) -> np.ndarray:
    return activation.gradient(z, a, np.ones_like(a))


def by_own_backward(cell, tape, sample: int) -> Steps:
    """For any cell, or stack of cells: a batch of S copies of one step, and the cell's backward with unit vectors.

    They are assembled later, by a copy of the cell, whose own weights may have been trained further by then.
    """
    tapes = getattr(tape, "tapes", [tape])
    x, states = tapes[0].x, [state for each in tapes for state in each.states]
    constants = next((c for each in tapes if (c := getattr(each, "constants", None))), None)
    S = sum(int(np.prod(state.shape[2:])) for state in states)
    x, states = x[:, sample].copy(), [state[:, sample].copy() for state in states]
    extra = {} if constants is None else {"constants": [_repeated(c[sample], S) for c in constants]}
    borders = np.cumsum([int(np.prod(state.shape[1:])) for state in states])[:-1]
    units = [
        part.reshape(S, *state.shape[1:]).astype(state.dtype)
        for part, state in zip(np.split(np.eye(S), borders, axis=1), states)
    ]
    return Steps(len(x), partial(_step_of_own, copy.deepcopy(cell), x, states, extra, units))


def _step_of_own(cell, x, states, extra, units, t: int) -> np.ndarray:
    S = len(units[0])
    once = cell.run(_repeated(x[t], S)[None], [_repeated(state[t], S) for state in states], **extra)
    rows = cell.run_back(once, np.zeros_like(once.outputs), units, input_gradient=False).initial_state
    return np.concatenate([row.reshape(S, -1) for row in rows], axis=1).astype("float64")


def _repeated(array: np.ndarray, count: int) -> np.ndarray:
    return np.repeat(array[None], count, axis=0)
