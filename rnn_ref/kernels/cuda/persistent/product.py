"""The recurrent product of one block: weights in registers, states in shared memory.

a         (tile, K)                                   rows of states, the same for all threads of the block
w0..w3    (depth * COLUMNS,) each                     a thread's weights: every ``slices``-th term of its sums
sums      (tile * COLUMNS,)                           a thread's part of its sums
partial   (tile * COLUMNS, quads * (slices + 1))      every thread's part; the + 1 keeps reads off one memory bank
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from rnn_ref.kernels.cuda.persistent.plan import COLUMNS, PARTS, Plan
from rnn_ref.kernels.cuda.recurrence import device_function


class Product(NamedTuple):
    """Device functions for one plan."""

    load: object
    clear: object
    multiply_add: object
    store: object
    total: object


@cache
def product(plan: Plan, real) -> Product:
    """Compile the product's steps with the plan's sizes as constants, so that loops over them are unrolled."""
    tile, slices, depth, width = plan.tile, plan.slices, plan.depth, plan.slices + 1
    zero = real(0)

    @device_function
    def load(weight, U, first_unit, last_unit, part, quad, slice_, w):
        """Part of a thread's weights into registers; ``weight(U, first_unit, last_unit, k, column)`` looks them up."""
        for k in range(depth):
            for c in range(COLUMNS):
                term = slice_ + slices * (part * depth + k)
                w[k * COLUMNS + c] = weight(U, first_unit, last_unit, term, quad * COLUMNS + c)

    @device_function
    def clear(sums):
        for m in range(tile * COLUMNS):
            sums[m] = zero

    @device_function
    def multiply_add(a, w, part, slice_, sums):
        """``sums += a w`` over one part of the weights."""
        for k in range(depth):
            for row in range(tile):
                x = a[row, slice_ + slices * (part * depth + k)]
                for c in range(COLUMNS):
                    sums[row * COLUMNS + c] += x * w[k * COLUMNS + c]

    @device_function
    def store(sums, quad, slice_, partial):
        for m in range(tile * COLUMNS):
            partial[m, quad * width + slice_] = sums[m]

    @device_function
    def total(partial, terms, row, column):
        """The sum that belongs to one row and column of the block.

        ``terms`` is ``slices``, but the compiler must not know: it would unroll the loop and need a register for each.
        """
        s = zero
        for slice_ in range(terms):
            s += partial[row * COLUMNS + column % COLUMNS, column // COLUMNS * width + slice_]
        return s

    return Product(load, clear, multiply_add, store, total)


assert PARTS == 4  # the loop writes the four parts out
