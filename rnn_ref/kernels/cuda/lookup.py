"""The gradient of a table that rows were looked up in, on a GPU."""

from __future__ import annotations

from numba import cuda

BLOCK = (8, 32)  # threads along rows of the table and their columns


@cuda.jit
def _sum_rows(dy, order, tokens, dE):
    """Every thread adds up one number of one row of the table: the rows of ``dy`` with its token stand together."""
    v, k = cuda.grid(2)
    if v < dE.shape[0] and k < dE.shape[1]:
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


def sum_rows(dy, order, tokens, dE) -> None:
    """``dE[v] = Σ dy[order[n]]`` over all n where ``tokens[n] = v``, always added in the same order.

    ``dy`` (N, H), ``tokens`` (N,) ascending, ``order`` (N,) where each stood, ``dE`` (V, H).
    """
    V, H = dE.shape
    _sum_rows[(-(-V // BLOCK[0]), -(-H // BLOCK[1])), BLOCK](dy, order, tokens, dE)
