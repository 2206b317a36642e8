"""The walk over time of a persistent kernel, the same for every cell; what a cell does at one step is in its file.

Forward, at each step ``t``, a block

1. fetches the states ``h_{t-1}`` of its samples, ``tile`` rows at a time, into shared memory;
2. multiplies them with the recurrent kernel's columns of its units, which it keeps in registers;
3. adds the threads' parts up, applies the cell's equations, and writes ``h_t``;
4. waits until all blocks have done so.

Backward it is the same with the gradients of the pre-activations in place of the states, and the recurrent kernel's
rows in place of its columns.

gates   (G, T, B, H)     come in as ``x_t W + b``
h       (T + 1, B, H)
s       LSTM: c (T + 1, B, H); GRU: q (T, B, H)
mask    (T, B)

Where a cell or a run has none of these, the array has no elements.
"""

from __future__ import annotations

import time
from functools import cache
from typing import NamedTuple

from numba import config, cuda

from rnn_ref.kernels.cuda.persistent.plan import COLUMNS, Plan
from rnn_ref.kernels.cuda.persistent.product import product
from rnn_ref.kernels.cuda.recurrence import device_function


class Options(NamedTuple):
    """What a kernel is compiled for, besides its plan and precision."""

    activation: int
    recurrent_activation: int
    masked: bool
    keep_z: bool


# Waiting. ``cuda.cg.this_grid().sync()`` waits for the whole grid, and is a call into a library: it would put the
# weights from registers into memory and back at every step. Here blocks wait only for those that share their samples.
# A block that waits must not keep another from starting: the launch has to be cooperative, which Numba makes it if
# the kernel asks for its grid.


@device_function
def alone():
    """Nothing to ask for: every block runs by itself."""


@device_function
def together():
    cuda.cg.this_grid()


if config.ENABLE_CUDASIM:

    @device_function
    def look(array, i):
        time.sleep(0)  # lets the others run
        return array[i]

else:
    look = getattr(cuda, "ldcv", None)  # past the caches: others change it; numba-cuda has it, Numba alone does not


@device_function
def wait_for_block(arrived, group, count):
    cuda.syncthreads()


@device_function
def wait_for_group(arrived, group, count):
    """Wait until ``count`` arrivals of blocks of this group have been counted; what they wrote can then be read."""
    cuda.syncthreads()
    if cuda.threadIdx.x == 0:
        cuda.threadfence()
        cuda.atomic.add(arrived, group, 1)
        while look(arrived, group) < count:
            pass
        cuda.threadfence()
    cuda.syncthreads()


@device_function
def clear_columns(a, first, tid, threads):
    """Zeros in the columns that no state fills."""
    for row in range(a.shape[0]):
        for k in range(first + tid, a.shape[1], threads):
            a[row, k] = 0


@cache
def make_forward(cell, plan: Plan, real, options: Options):
    """Compile ``forward(U, b, gates, z, h, s, mask, arrived, terms)`` for one cell; ``U`` (H, G*H).

    ``arrived`` (row_groups,) counts blocks that are through with a step, from zero on; ``terms`` is ``plan.slices``.
    """
    load, clear, multiply_add, store, total = product(plan, real)
    read, write = cell.forward(total, options)
    start, wait = (together, wait_for_group) if plan.cooperative else (alone, wait_for_block)
    G = len(cell.GATES)
    H, units, rows, tile, quads, slices = plan[:6]
    unit_groups, threads, K = plan.unit_groups, plan.threads, plan.K
    A_SHAPE, PARTIAL_SHAPE = (tile, K), (tile * COLUMNS, quads * (slices + 1))
    WEIGHTS, SUMS = plan.depth * COLUMNS, tile * COLUMNS
    zero = real(0)
    early = plan.depth <= 4  # reads go on while the product is computed, if registers are left for what they bring

    @device_function
    def weight(U, first_unit, last_unit, term, column):
        unit = first_unit + column // G
        return U[term, column % G * H + unit] if term < H and unit < last_unit else zero

    @cuda.jit
    def forward(U, b, gates, z, h, s, mask, arrived, terms):
        a = cuda.shared.array(A_SHAPE, real)
        partial = cuda.shared.array(PARTIAL_SHAPE, real)
        w0, w1 = cuda.local.array(WEIGHTS, real), cuda.local.array(WEIGHTS, real)
        w2, w3 = cuda.local.array(WEIGHTS, real), cuda.local.array(WEIGHTS, real)
        sums = cuda.local.array(SUMS, real)
        T, B = gates.shape[1:3]
        tid, block = cuda.threadIdx.x, cuda.blockIdx.x
        quad, slice_ = tid // slices, tid % slices
        first_unit, first_row = block % unit_groups * units, block // unit_groups * rows
        start()
        last_unit, last_row = min(first_unit + units, H), min(first_row + rows, B)
        row, unit = tid // units, tid % units  # of the state that this thread computes
        load(weight, U, first_unit, last_unit, 0, quad, slice_, w0)
        load(weight, U, first_unit, last_unit, 1, quad, slice_, w1)
        load(weight, U, first_unit, last_unit, 2, quad, slice_, w2)
        load(weight, U, first_unit, last_unit, 3, quad, slice_, w3)
        clear_columns(a, H, tid, threads)
        for t in range(T):
            for n0 in range(first_row, last_row, tile):
                for m in range(tile):
                    for k in range(tid, H, threads):
                        a[m, k] = h[t, min(n0 + m, last_row - 1), k]
                n, k = min(n0 + row, last_row - 1), min(first_unit + unit, last_unit - 1)
                if early:
                    before = read(t, n, k, b, gates, h, s, mask)
                cuda.syncthreads()
                clear(sums)
                multiply_add(a, w0, 0, slice_, sums)
                multiply_add(a, w1, 1, slice_, sums)
                multiply_add(a, w2, 2, slice_, sums)
                multiply_add(a, w3, 3, slice_, sums)
                if not early:
                    before = read(t, n, k, b, gates, h, s, mask)
                if quad < quads:
                    store(sums, quad, slice_, partial)
                cuda.syncthreads()
                if row < tile and n0 + row < last_row and first_unit + unit < last_unit:
                    write(before, partial, terms, row, unit, t, n, k, gates, z, h, s)
            wait(arrived, cuda.blockIdx.x // unit_groups, (t + 1) * unit_groups)

    return forward


@cache
def make_backward(cell, plan: Plan, real, options: Options):
    """Compile ``backward(U, gates, z, h, s, mask, dh, ds, dz, arrived, terms)`` for one cell.

    ``dz`` (D, T, B, H) has what the cell writes; ``cell.PROJECTED`` says which of it went through the recurrent kernel.
    ``dh`` (T + 1, B, H) holds what reaches the states from outside, and is completed.
    """
    load, clear, multiply_add, store, total = product(plan, real)
    read, write = cell.backward(options)
    start, wait = (together, wait_for_group) if plan.cooperative else (alone, wait_for_block)
    G, PROJECTED = len(cell.GATES), cell.PROJECTED
    H, units, rows, tile, quads, slices = plan[:6]
    unit_groups, threads, K = plan.unit_groups, plan.threads, plan.K
    A_SHAPE, PARTIAL_SHAPE = (tile, K), (tile * COLUMNS, quads * (slices + 1))
    WEIGHTS, SUMS = plan.depth * COLUMNS, tile * COLUMNS
    zero = real(0)

    @device_function
    def weight(U, first_unit, last_unit, term, column):
        unit = first_unit + column
        return U[unit, term] if term < G * H and unit < last_unit else zero

    @cuda.jit
    def backward(U, gates, z, h, s, mask, dh, ds, dz, arrived, terms):
        a = cuda.shared.array(A_SHAPE, real)
        partial = cuda.shared.array(PARTIAL_SHAPE, real)
        w0, w1 = cuda.local.array(WEIGHTS, real), cuda.local.array(WEIGHTS, real)
        w2, w3 = cuda.local.array(WEIGHTS, real), cuda.local.array(WEIGHTS, real)
        sums = cuda.local.array(SUMS, real)
        T, B = gates.shape[1:3]
        tid, block = cuda.threadIdx.x, cuda.blockIdx.x
        quad, slice_ = tid // slices, tid % slices
        first_unit, first_row = block % unit_groups * units, block // unit_groups * rows
        start()
        last_unit, last_row = min(first_unit + units, H), min(first_row + rows, B)
        row, unit = tid // units, tid % units  # of the state whose gradient this thread computes
        load(weight, U, first_unit, last_unit, 0, quad, slice_, w0)
        load(weight, U, first_unit, last_unit, 1, quad, slice_, w1)
        load(weight, U, first_unit, last_unit, 2, quad, slice_, w2)
        load(weight, U, first_unit, last_unit, 3, quad, slice_, w3)
        clear_columns(a, G * H, tid, threads)
        for t in range(T, -1, -1):  # dh[t] is completed by dz[:, t], then leads to dz[:, t - 1]
            for n0 in range(first_row, last_row, tile):
                n, k = min(n0 + row, last_row - 1), min(first_unit + unit, last_unit - 1)
                mine = row < tile and n0 + row < last_row and first_unit + unit < last_unit
                before = read(max(t - 1, 0), n, k, gates, z, h, s, mask, ds)
                d = dh[t, n, k]
                if t < T:
                    for m in range(tile):
                        for g in range(G):
                            for j in range(tid, H, threads):
                                a[m, g * H + j] = dz[PROJECTED[g], t, min(n0 + m, last_row - 1), j]
                    cuda.syncthreads()
                    clear(sums)
                    multiply_add(a, w0, 0, slice_, sums)
                    multiply_add(a, w1, 1, slice_, sums)
                    multiply_add(a, w2, 2, slice_, sums)
                    multiply_add(a, w3, 3, slice_, sums)
                    if quad < quads:
                        store(sums, quad, slice_, partial)
                    cuda.syncthreads()
                    if mine:
                        d += total(partial, terms, row, unit)
                if mine:
                    dh[t, n, k] = d
                    if t > 0:
                        write(before, d, t - 1, n, k, dh, ds, dz)
            wait(arrived, cuda.blockIdx.x // unit_groups, (T + 1 - t) * unit_groups)

    return backward
