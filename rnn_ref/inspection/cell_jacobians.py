"""Jacobian of one step of each cell.

The equations of a cell are linear in the gradients that come in, and treat every unit apart: with ones in their
place the cell's own backward functions give the derivatives of a unit's new state by its pre-activations, for all
steps of the tape at once. The pre-activations depend on the old state through the recurrent kernel,
``z_g = ... + h_{t-1} U_g``. So for each new state

    d s_t / d h_{t-1} = Σ_g diag(d s_t / d z_g) U_gᵀ + diag(direct)

where ``direct`` is what bypasses the pre-activations: the forget gate's ``f c_{t-1}``, the update gate's ``z h_{t-1}``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import numpy as np

from rnn_ref.device import device
from rnn_ref.inspection.known_cells import kind_of
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.gru import GRUCell
from rnn_ref.layers.lstm import LSTMCell
from rnn_ref.layers.matmul import matmul
from rnn_ref.layers.simple_rnn import SimpleRNNCell


class Steps:
    """Jacobians that are put together when asked for, by a function of the module: then they can be pickled."""

    def __init__(self, T: int, step: Callable[[int], np.ndarray]):
        self.T, self.step = T, step

    def __len__(self) -> int:
        return self.T

    def __getitem__(self, t: int) -> np.ndarray:
        with device("cpu"):  # of a tape that holds NumPy's arrays
            return self.step(t)


def step_jacobians(cell, tape, sample: int) -> Steps:
    """``d s_t / d s_{t-1}``, ``(S, S)`` in float64, for every step of one sample of a tape; masks are not looked at."""
    of_kind = {SimpleRNNCell: simple_rnn, LSTMCell: lstm, GRUCell: gru}
    for each in getattr(cell, "cells", [cell]):
        if isinstance(each, Cell) and (type(each).run, type(each).run_back) != (Cell.run, Cell.run_back):
            # What its tape says was read may not be what the cell was given.
            raise ValueError(
                f"state_jacobians: {type(each).__name__}, the cell of {each.name}, has a run of its own, and what that "
                "does to its inputs is not known. Write it as a cell with call(inputs, states) instead."
            )
    return of_kind.get(kind_of(cell), by_own_backward)(cell, tape, sample)


def _series(array: np.ndarray, sample: int) -> np.ndarray:
    """One sample of ``(..., T, B, H)`` in float64, contiguous: ``(..., T, H)``."""
    return np.ascontiguousarray(array[..., sample, :], "float64")


def _recurrent_kernel(cell) -> np.ndarray:
    """``U_gᵀ`` for each gate, ``(G, H, H)``."""
    H, G = cell.units, cell.blocks
    return np.ascontiguousarray(cell.recurrent_kernel.value.astype("float64").reshape(H, G, H).transpose(1, 2, 0))


def _weighted(d: np.ndarray, U_T: np.ndarray) -> np.ndarray:
    """``Σ_g diag(d_g) U_gᵀ``: ``d`` (G, H)."""
    return np.einsum("gk,gkj->kj", d, U_T)


def simple_rnn(cell, tape, sample: int) -> Steps:
    """``J = diag(dh/dz) Uᵀ``."""
    z, h = _series(tape.z, sample), _series(tape.h, sample)[1:]
    dz = np.empty_like(z)
    options = cell.kernel_options().values()
    cell.kernels.backward_step(np.ones(h.size), z.reshape(-1), h.reshape(-1), dz.reshape(-1), *options)
    U_T = _recurrent_kernel(cell)
    return Steps(len(h), partial(_rnn_step, dz, U_T, np.zeros_like(h)))


def _rnn_step(dz, U_T, direct, t: int) -> np.ndarray:
    """``dz`` (G, T, H), and what bypasses the pre-activations, ``direct`` (T, H)."""
    return _weighted(dz[:, t], U_T) + np.diag(direct[t])


def lstm(cell, tape, sample: int) -> Steps:
    """Joint state ``(h, c)``: rows of ``h`` with dh = 1, rows of ``c`` with dc = 1."""
    gates, c = _series(tape.gates, sample), _series(tape.c, sample)
    z = gates if tape.z is None else _series(tape.z, sample)
    _, T, H = gates.shape
    dz, dc_prev = np.empty((2, *gates.shape)), np.empty((2, T, H))
    for state, (dh, dc) in enumerate(((1.0, 0.0), (0.0, 1.0))):
        cell.kernels.backward_step(
            np.full(T * H, dh),
            np.full(T * H, dc),
            *z.reshape(4, -1),
            *gates.reshape(4, -1),
            c[1:].reshape(-1),
            c[:-1].reshape(-1),
            *dz[state].reshape(4, -1),
            dc_prev[state].reshape(-1),
            *cell.kernel_options().values(),
        )
    return Steps(T, partial(_lstm_step, dz, dc_prev, _recurrent_kernel(cell)))


def _lstm_step(dz, dc_prev, U_T, t: int) -> np.ndarray:
    H = dz.shape[-1]
    J = np.zeros((2 * H, 2 * H))
    for state in range(2):
        rows = slice(state * H, state * H + H)
        J[rows, :H] = _weighted(dz[state, :, t], U_T)
        J[rows, H:] = np.diag(dc_prev[state, t])
    return J


def gru(cell, tape, sample: int) -> Steps:
    """Both variants; with ``reset_after=False`` the reset gate stands between the state and the candidate's kernel."""
    gates, h, q = _series(tape.gates, sample), _series(tape.h, sample)[:-1], _series(tape.q, sample)
    (z, r, g), (z_z, z_r, z_h) = gates, gates if tape.z is None else _series(tape.z, sample)
    T, H = h.shape
    ones, dz, direct = np.ones(T * H), np.empty((3, T, H)), np.zeros((T, H))
    options = cell.kernel_options()
    activations = options["activation"], options["recurrent_activation"]
    cell.kernels.d_update(ones, *(a.reshape(-1) for a in (z_z, z_h, z, g, h, dz[0], dz[2], direct)), *activations)
    U_T = _recurrent_kernel(cell)
    if options["reset_after"]:
        dz_h = dz[2].copy()  # d h / d z_h; dz[2] becomes d h / d q, of the projected state
        cell.kernels.d_reset_projection(
            *(a.reshape(-1) for a in (dz_h, z_r, r, q, dz[1], dz[2])), options["recurrent_activation"]
        )
        return Steps(T, partial(_rnn_step, dz, U_T, direct))
    dq, through_r = np.ones(T * H), np.zeros((T, H))  # d (r h_{t-1}): by z_r, and by h_{t-1} itself
    cell.kernels.d_reset_state(
        dq, *(a.reshape(-1) for a in (z_r, r, h, dz[1], through_r)), options["recurrent_activation"]
    )
    return Steps(T, partial(_reset_before_step, dz, U_T, direct, through_r))


def _reset_before_step(dz, U_T, direct, through_r, t: int) -> np.ndarray:
    reset_state = _weighted(dz[1:2, t], U_T[1:2]) + np.diag(through_r[t])
    candidate = dz[2, t][:, None] * matmul(U_T[2], reset_state)
    return _weighted(dz[:1, t], U_T[:1]) + candidate + np.diag(direct[t])


def by_own_backward(cell, tape, sample: int) -> Steps:
    """Of any cell, also a stack of them: a batch of S copies of one step, and the cell's backward with unit vectors.

    They are put together later, by a copy of the cell: its weights may have been trained on by then.
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
