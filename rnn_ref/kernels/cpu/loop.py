"""The walk over time of one chunk of a batch, there and back, for any cell whose steps are given.

    forward, each step         z_g = x_t W_g + b_g  (+ h_{t-1} U_g, or q_a = h_{t-1} U_g + b'_a apart),  then ``step``
    backward, each step        ``d_step`` gives dz, dq, and what reaches the states before;  dh_{t-1} += dz_g U_gᵀ

Where a recurrent product multiplies what the equations make of a state, m_j in the place of h_{t-1}, a step has two
parts, and these products stand between them; backward dm_j = Σ_g dz_g U_gᵀ.

A step takes three records: ``tape``, ``weights`` (in ``d_step`` also ``flow``) and ``at``, which says where in them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, get_type_hints

import numpy as np
from numba import njit, types

from rnn_ref.jit import (
    GIVEN3,
    INTEGER,
    INTEGERS,
    R1,
    R2,
    R3,
    R4,
    kernel,
    library,
    part,
    share,
    task,
)
from rnn_ref.kernel_cache import source_stamp
from rnn_ref.kernels.cpu import batch
from rnn_ref.kernels.cpu.masking import hold, pass_on, take_out
from rnn_ref.kernels.cpu.products import clear, copy_rows, packed_product
from rnn_ref.kernels.cpu.recurrence import d_recurrent, multiply, recurrent
from rnn_ref.kernels.cpu.sequence import project_steps


def BOOLS(real):
    return types.Array(types.boolean, 2, "C")


class Tape(NamedTuple):
    """What the steps leave behind. S slots for steps: T, or fewer, which are used again.

    gates (G, S, B, H)   pre-activations, and after a step what takes their place
    z (G, T, B, H)       pre-activations; or without elements
    q (A, S, B, H)       recurrent products apart
    m (M, S, B, H)       what the first part of a step makes for products to multiply, after recurrent dropout
    h (T + 1 or 2, B, H), c (states besides, T + 1 or 2, B, H)
    """

    gates: R4
    z: R4
    q: R4
    m: R4
    h: R3
    c: R4


class Weights(NamedTuple):
    """What steps and products read.

    W (G, panels, F, width), U (products, panels, H, width)   packed; on the way back U transposed, and no W
    b (G*H,), b_q (A, H)   biases, also of products apart
    p (P, B, H)            weights that the equations use number by number, the same for all samples
    constants (C,)
    codes (K,)             of activations that are options, see :mod:`rnn_ref.equations.activations`
    """

    W: R4
    b: R1
    U: R4
    b_q: R2
    p: R3
    constants: R1
    codes: INTEGERS


class Masks(NamedTuple):
    """mask (T, B), steps that count; x_drop (1 or G, B, F); h_drop (products, B, H); without elements: none."""

    mask: BOOLS
    x_drop: R3
    h_drop: R3


class Flow(NamedTuple):
    """Gradients, each of the shape of what it belongs to; but dm (M, 1, B, H), and dp (P, T, B, H) of each sample."""

    dh: R3
    dc: R4
    dz: R4
    dq: R4
    dm: R4
    dp: R4


class Flat(NamedTuple):
    """A :class:`Tape` as steps see it: the samples' and units' numbers in one row, ``(..., B*H)``."""

    gates: R3
    z: R3
    q: R3
    m: R3
    h: R2
    c: R3


class FlatFlow(NamedTuple):
    """A :class:`Flow` as steps see it."""

    dh: R2
    dc: R3
    dz: R3
    dq: R3
    dm: R3
    dp: R3


class StepWeights(NamedTuple):
    """p (P, B*H), constants (C,) and codes (K,)."""

    p: R2
    constants: R1
    codes: INTEGERS


class At(NamedTuple):
    """Slots of the step, and of the states before and after it; the chunk's first and last number in a row."""

    step: int
    before: int
    after: int
    c_before: int
    c_after: int
    first: int
    last: int


def record(cls, named: bool = True) -> Callable:
    """The compiler's type of a record, given the precision; or of a plain tuple of the same."""
    annotations = get_type_hints(cls).values()
    return lambda real: types.BaseTuple.from_types(
        tuple(annotation(real) for annotation in annotations), cls if named else None
    )


TAPE, WEIGHTS, MASKS, FLOW = map(record, (Tape, Weights, Masks, Flow))
# From Python to compiled code records go as plain tuples, whose types are found out ten times as fast.
TAPE_, WEIGHTS_, MASKS_, FLOW_ = (record(cls, named=False) for cls in (Tape, Weights, Masks, Flow))


@njit(inline="always")
def rows_of(a):
    """``(K, S, B, H)`` as ``(K, S, B*H)``."""
    return a.reshape(a.shape[0], a.shape[1], a.shape[2] * a.shape[3])


@part
def nothing(tape, weights, at):
    """The first part of a step that has one part only."""


@part
def d_nothing(tape, weights, flow, at):
    """The same on the way back."""


class Steps(NamedTuple):
    """What a cell does at one time step besides products, as functions of the records above.

    Attributes
    ----------
    step, d_step : function
        The step, or its second part.
    first, d_first : function
        Its first part: it makes ``tape.m``, from whose gradient ``flow.dm`` it goes back.
    """

    step: Callable
    d_step: Callable
    first: Callable = nothing
    d_first: Callable = d_nothing


class Product(NamedTuple):
    """A recurrent product: to z_target, or where target < 0 to q_(-1 - target) apart; of m_made, or of h_{t-1} (-1)."""

    target: int
    made: int = -1


class Loop(NamedTuple):
    """Compiled for one cell: parts of a chunk's walk, and the walks of all chunks."""

    forward_rows: Callable
    forward_batch: Callable
    backward_rows: Callable
    backward_batch: Callable


def loop(
    name: str, steps: Steps, products: tuple[Product, ...], settled: tuple[int, ...], made_from: Path | str
) -> Loop:
    """The loops around a cell's steps.

    Parameters
    ----------
    name : str
        Of the cell.
    steps : Steps
    products : tuple of Product
        At most one of each made state.
    settled : tuple of int
        Before which part of the step each gate's pre-activation is complete, 0 or 1.
    made_from : Path or str
        The file of the steps, or a hash of their source: the compiled loops are kept on disk under it.
    """
    if isinstance(made_from, Path):
        made_from = source_stamp(made_from)[:16]

    # Constants: the compiler writes the products out one by one.
    P, G = len(products), len(settled)
    target, made = tuple(p.target for p in products) or (0,), tuple(p.made for p in products) or (0,)
    settled = settled or (0,)
    back = tuple(sorted(range(P), key=lambda g: target[g] >= 0)) or (0,)  # products apart come first
    step, d_step, first_part, d_first_part = steps

    @library(cell=name, made_from=made_from)
    def forward_rows(
        x: GIVEN3, weights: WEIGHTS, masks: MASKS, tape: TAPE, dropped: R3, scratch: R2, first: INTEGER, last: INTEGER
    ):
        """Samples ``first:last`` through all time steps. ``dropped`` (STEPS, n, F) and ``scratch`` (n, H) are room."""
        gates, q, m, h, c, H = tape.gates, tape.q, tape.m, tape.h, tape.c, tape.h.shape[2]
        flat = Flat(
            rows_of(gates), rows_of(tape.z), rows_of(q), rows_of(m), h.reshape(h.shape[0], h.shape[1] * H), rows_of(c)
        )
        fixed = StepWeights(
            weights.p.reshape(weights.p.shape[0], weights.p.shape[1] * H), weights.constants, weights.codes
        )
        mask, h_drop = masks.mask, masks.h_drop
        for t in range(x.shape[0]):
            if t % batch.STEPS == 0:
                project_steps(x, weights.W, weights.b, masks.x_drop, dropped, t, gates, first, last)
            s, before, after = t % gates.shape[1], t % h.shape[0], (t + 1) % h.shape[0]
            c_before, c_after = t % c.shape[1], (t + 1) % c.shape[1]
            at = At(s, before, after, c_before, c_after, first * H, last * H)
            h_prev = h[before, first:last]
            for g in range(P):
                z = target[g]
                if made[g] >= 0:
                    continue
                if z >= 0:
                    z_g = gates[z, s, first:last]
                    recurrent(h_prev, weights.U, g, h_drop, first, last, scratch, z_g, z_g)
                else:
                    start, q_g = weights.b_q[-1 - z : -z], q[-1 - z, s, first:last]
                    recurrent(h_prev, weights.U, g, h_drop, first, last, scratch, start, q_g)
            if tape.z.size > 0:
                for g in range(G):
                    if settled[g] == 0:
                        copy_rows(gates[g, s, first:last], tape.z[g, t, first:last])
            first_part(flat, fixed, at)
            for g in range(P):
                if made[g] >= 0:
                    z, m_g = target[g], m[made[g], s, first:last]
                    if h_drop.size > 0:
                        multiply(m_g, h_drop[g, first:last], m_g)
                    if z >= 0:
                        z_g = gates[z, s, first:last]
                        packed_product(m_g, weights.U[g], z_g, z_g)
                    else:
                        packed_product(m_g, weights.U[g], weights.b_q[-1 - z : -z], q[-1 - z, s, first:last])
            if tape.z.size > 0:
                for g in range(G):
                    if settled[g] == 1:
                        copy_rows(gates[g, s, first:last], tape.z[g, t, first:last])
            step(flat, fixed, at)
            if mask.size > 0:
                hold(mask[t, first:last], h_prev, h[after, first:last])
                for j in range(c.shape[0]):
                    hold(mask[t, first:last], c[j, c_before, first:last], c[j, c_after, first:last])

    @library(cell=name, made_from=made_from)
    def backward_rows(
        weights: WEIGHTS, masks: MASKS, tape: TAPE, flow: FLOW, given: INTEGER, scratch: R3, first: INTEGER,
        last: INTEGER,
    ):  # fmt: skip
        """Samples ``first:last`` back. ``scratch`` (2 + states besides, n, H): dropped states, and what masks keep."""
        T, H, dh, dc, mask, h_drop = tape.gates.shape[1], tape.h.shape[2], flow.dh, flow.dc, masks.mask, masks.h_drop
        flat = Flat(
            rows_of(tape.gates), rows_of(tape.z), rows_of(tape.q), rows_of(tape.m),
            tape.h.reshape(T + 1, tape.h.shape[1] * H), rows_of(tape.c),
        )  # fmt: skip
        flows = FlatFlow(
            dh.reshape(T + 1, dh.shape[1] * H), rows_of(dc), rows_of(flow.dz), rows_of(flow.dq), rows_of(flow.dm),
            rows_of(flow.dp),
        )  # fmt: skip
        fixed = StepWeights(
            weights.p.reshape(weights.p.shape[0], weights.p.shape[1] * H), weights.constants, weights.codes
        )
        for t in range(T - 1, -1, -1):
            at = At(t, t, t + 1, t, t + 1, first * H, last * H)
            if t < given:
                clear(dh[t, first:last])
            if mask.size > 0:
                take_out(mask, t, dh, scratch[1], first, last)
                for j in range(dc.shape[0]):
                    take_out(mask, t, dc[j], scratch[2 + j], first, last)
            d_step(flat, fixed, flows, at)
            for g in range(P):
                if made[g] >= 0:
                    z, dm = target[g], flow.dm[made[g], 0, first:last]
                    clear(dm)
                    d = flow.dz[z, t, first:last] if z >= 0 else flow.dq[-1 - z, t, first:last]
                    packed_product(d, weights.U[g], dm, dm)
                    if h_drop.size > 0:
                        multiply(dm, h_drop[g, first:last], dm)
            d_first_part(flat, fixed, flows, at)
            for k in range(P):
                g = back[k]
                if made[g] < 0:
                    z = target[g]
                    d = flow.dz[z, t, first:last] if z >= 0 else flow.dq[-1 - z, t, first:last]
                    d_recurrent(d, weights.U, g, h_drop, first, last, scratch[0], dh[t, first:last])
            if mask.size > 0:
                pass_on(mask, t, dh, scratch[1], first, last)
                for j in range(dc.shape[0]):
                    pass_on(mask, t, dc[j], scratch[2 + j], first, last)

    @task
    def forward_chunk(k, x, weights, masks, tape, borders):
        first, last, H, dtype = borders[k], borders[k + 1], tape[4].shape[2], tape[4].dtype
        dropped, scratch = np.empty((batch.STEPS, last - first, x.shape[2]), dtype), np.empty((last - first, H), dtype)
        forward_rows(x, Weights(*weights), Masks(*masks), Tape(*tape), dropped, scratch, first, last)

    @kernel(parallel=True, cell=name, made_from=made_from)
    def forward_batch(x: GIVEN3, weights: WEIGHTS_, masks: MASKS_, tape: TAPE_, borders: INTEGERS):
        share(borders.size - 1, forward_chunk, (x, weights, masks, tape, borders))

    @task
    def backward_chunk(k, weights, masks, tape, flow, given, borders):
        first, last, H, others = borders[k], borders[k + 1], tape[4].shape[2], tape[5].shape[0]
        scratch = np.empty((2 + others, last - first, H), tape[4].dtype)
        backward_rows(Weights(*weights), Masks(*masks), Tape(*tape), Flow(*flow), given, scratch, first, last)

    @kernel(parallel=True, cell=name, made_from=made_from)
    def backward_batch(weights: WEIGHTS_, masks: MASKS_, tape: TAPE_, flow: FLOW_, given: INTEGER, borders: INTEGERS):
        share(borders.size - 1, backward_chunk, (weights, masks, tape, flow, given, borders))

    return Loop(forward_rows, forward_batch, backward_rows, backward_batch)
