"""The gradient of a table that rows were looked up in, on a GPU."""

from __future__ import annotations

from numba import cuda

from rnn_ref.kernels.cuda.recurrence import stream

BLOCK = (32, 8)  # threads along columns and rows of the table: neighbouring threads read neighbouring memory
MOST_BLOCKS = 65_535  # along that axis; then each takes several rows


@cuda.jit
def _sum_rows(dy, order, tokens, dE):
    """Every thread adds up one number of a row of the table: the rows of ``dy`` with its token stand together."""
    k, v = cuda.grid(2)
    _, stride = cuda.gridsize(2)
    while v < dE.shape[0] and k < dE.shape[1]:
        first, end = 0, tokens.size
        while first < end:  # binary search for the first token that is not less than v
            middle = (first + end) // 2
            if tokens[middle] < v:
                first = middle + 1
            else:
                end = middle
        total = type(dE[v, k])(0)
        while first < tokens.size and tokens[first] == v:
            total += dy[order[first], k]
            first += 1
        dE[v, k] = total
        v += stride


def sum_rows(dy, order, tokens, dE) -> None:
    """``dE[v] = Σ dy[order[n]]`` over all n where ``tokens[n] = v``, always added in the same order.

    ``dy`` (N, H), ``tokens`` (N,) ascending, ``order`` (N,) where each stood, ``dE`` (V, H).
    """
    V, H = dE.shape
    blocks = -(-H // BLOCK[0]), min(-(-V // BLOCK[1]), MOST_BLOCKS)
    _sum_rows[blocks, BLOCK, stream(dE)](dy, order, tokens, dE)
