"""Stacks of matrices, multiplied matrix by matrix: what attention does beside its projections.

    c[s] = a[s] b[s]        a (S, N, K), b (S, K, M), c (S, N, M)

NumPy would leave this to its BLAS, whose sums are cut by the number of its threads, so that bits depended on it; and
whose threads wait for ever when the process is forked in the midst of a product.
"""

from __future__ import annotations

import numpy as np

from rnn_ref.hardware import BLOCK_ROWS
from rnn_ref.jit import GIVEN2, GIVEN3, R3, READ3, kernel, share, task
from rnn_ref.kernels.cpu.products import product
from rnn_ref.kernels.cpu.threads import lock, prepare


@task
def _multiply_block(part, a, b, zero, c):
    blocks = (c.shape[1] + BLOCK_ROWS - 1) // BLOCK_ROWS
    s, first = part // blocks, part % blocks * BLOCK_ROWS
    last = min(c.shape[1], first + BLOCK_ROWS)
    product(a[s, first:last], b[s], zero, c[s, first:last])


@kernel(parallel=True)
def multiply_stacks(a: GIVEN3, b: READ3, zero: GIVEN2, c: R3):
    """``c[s] = a[s] b[s]``; ``zero`` (1, M)."""
    S, N, _ = c.shape
    share(S * ((N + BLOCK_ROWS - 1) // BLOCK_ROWS), _multiply_block, (a, b, zero, c))


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a b`` of stacks (S, N, K) and (S, K, M) of one precision, float32 or float64."""
    S, N, M = *a.shape[:2], b.shape[2]
    c = np.empty((S, N, M), a.dtype)
    lock[True]
    try:
        prepare(a.dtype, multiply_stacks, work=a.size * M)
        multiply_stacks(a, np.ascontiguousarray(b), np.zeros((1, M), a.dtype), c)
    finally:
        lock.release()
    return c
