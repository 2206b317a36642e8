"""Matrix products inside compiled code, and the two that multiply many rows with a kernel: forward, and back.

Every product is cut into the tiles of :mod:`rnn_ref.kernels.cpu.tile`. A matrix that is used again and again is
packed first: its columns are laid out in panels as wide as a tile, so that a tile reads memory in a row. Work is
shared out in blocks by shape alone, and every number is summed in the same order however it is cut, so the bits of a
result do not depend on how many cores there are.
"""

from __future__ import annotations

import numpy as np
from numba.extending import overload

from rnn_ref.hardware import BLOCK_K, BLOCK_ROWS, PANEL_BYTES, ROWS, VECTOR_BYTES, VECTORS
from rnn_ref.jit import GIVEN2, GIVEN3, INTEGER, R2, R4, REAL, UNWRAPPED, kernel, library, part, share, task
from rnn_ref.kernels.cpu.batch import workspace
from rnn_ref.kernels.cpu.tile import address, copy_bytes, tile

LARGE, MEDIUM, SMALL, _ = ROWS
_large, _medium, _small, _one = (tile(rows, VECTORS) for rows in ROWS)
_one_wide = tile(1, VECTORS, panels=2)
_large_tail, _medium_tail, _small_tail, _one_tail = (tile(rows, 1, tail=True) for rows in ROWS)


@library
def tiled_product(
    a: INTEGER, a_row: INTEGER, a_column: INTEGER, b: INTEGER, b_row: INTEGER, b_panel: INTEGER, s: INTEGER,
    s_row: INTEGER, c: INTEGER, c_row: INTEGER, n: INTEGER, K: INTEGER, m: INTEGER, like: REAL, size: INTEGER,
):  # fmt: skip
    """``c = s + a b`` by addresses and strides in bytes; ``like`` is a number of the arrays' type, ``size`` its bytes.

    ``b_panel`` leads from one panel of ``b`` to the next. ``s`` may be ``c`` itself, or one row for all (``s_row`` 0).
    """
    if K == 0 and s != c:
        for i in range(n):
            copy_bytes(s + i * s_row, c + i * c_row, m * size)
    width, lanes = PANEL_BYTES // size, VECTOR_BYTES // size
    done = 0
    if n == 1:  # few sums at a time leave the processor waiting for each: two panels at once
        for j in range(0, m - 2 * width + 1, 2 * width):
            s_k = s + j * size
            for k in range(0, K, BLOCK_K):
                a_k, b_k, depth = a + k * a_column, b + k * b_row, min(BLOCK_K, K - k)
                _one_wide(a_k, a_row, a_column, b_k, b_row, s_k, s_row, c + j * size, c_row, depth, b_panel, like)
                s_k = c + j * size
            b, done = b + 2 * b_panel, j + 2 * width
    for j in range(done, m, width):
        left, s_k, s_k_row = m - j, s + j * size, s_row
        for k in range(0, K, BLOCK_K):
            depth = min(BLOCK_K, K - k)
            a_i, b_k, s_i, c_i, i = a + k * a_column, b + k * b_row, s_k, c + j * size, n
            while i > 0:
                rows = 1
                if i >= LARGE and i != 2 * MEDIUM:
                    rows = LARGE
                elif i >= MEDIUM:
                    rows = MEDIUM
                elif i >= SMALL:
                    rows = SMALL
                if left >= width:
                    if rows == LARGE:
                        _large(a_i, a_row, a_column, b_k, b_row, s_i, s_k_row, c_i, c_row, depth, 0, like)
                    elif rows == MEDIUM:
                        _medium(a_i, a_row, a_column, b_k, b_row, s_i, s_k_row, c_i, c_row, depth, 0, like)
                    elif rows == SMALL:
                        _small(a_i, a_row, a_column, b_k, b_row, s_i, s_k_row, c_i, c_row, depth, 0, like)
                    else:
                        _one(a_i, a_row, a_column, b_k, b_row, s_i, s_k_row, c_i, c_row, depth, 0, like)
                else:
                    for v in range(0, left, lanes):
                        b_v, s_v, c_v, w = b_k + v * size, s_i + v * size, c_i + v * size, left - v
                        if rows == LARGE:
                            _large_tail(a_i, a_row, a_column, b_v, b_row, s_v, s_k_row, c_v, c_row, depth, w, like)
                        elif rows == MEDIUM:
                            _medium_tail(a_i, a_row, a_column, b_v, b_row, s_v, s_k_row, c_v, c_row, depth, w, like)
                        elif rows == SMALL:
                            _small_tail(a_i, a_row, a_column, b_v, b_row, s_v, s_k_row, c_v, c_row, depth, w, like)
                        else:
                            _one_tail(a_i, a_row, a_column, b_v, b_row, s_v, s_k_row, c_v, c_row, depth, w, like)
                a_i, s_i, c_i, i = a_i + rows * a_row, s_i + rows * s_k_row, c_i + rows * c_row, i - rows
            s_k, s_k_row = c + j * size, c_row  # the sum goes on where its first part lies
        b += b_panel


def product(a, b, start, c):
    """``c = start + a b`` for matrices ``a`` (n, K), ``b`` (K, m), ``c`` (n, m); rows of ``b`` and ``c`` in one piece.

    ``start`` is (n, m), or (1, m) for all rows. ``b`` may have more columns than ``c``, as the last panel of a packed
    matrix does.
    """
    c[:] = start + a @ b[:, : c.shape[1]]


@overload(product, jit_options=UNWRAPPED)
def _product_compiled(a, b, start, c):
    def product(a, b, start, c):
        if c.size > 0:
            tiled_product(
                address(a), a.strides[0], a.strides[1], address(b), b.strides[0], PANEL_BYTES,
                address(start), start.strides[0] if start.shape[0] > 1 else 0, address(c), c.strides[0],
                c.shape[0], a.shape[1], c.shape[1], c[0, 0], c.itemsize,
            )  # fmt: skip

    return product


def packed_product(a, b, start, c):
    """``c = start + a b`` for ``b`` from :func:`pack`, one gate's panels ``(P, K, width)``."""
    c[:] = start + a @ np.concatenate(list(b), axis=1)[:, : c.shape[1]]


@overload(packed_product, jit_options=UNWRAPPED)
def _packed_product_compiled(a, b, start, c):
    def packed_product(a, b, start, c):
        if c.size > 0:
            tiled_product(
                address(a), a.strides[0], a.strides[1], address(b), b.strides[1], b.strides[0],
                address(start), start.strides[0] if start.shape[0] > 1 else 0, address(c), c.strides[0],
                c.shape[0], a.shape[1], c.shape[1], c[0, 0], c.itemsize,
            )  # fmt: skip

    return packed_product


@part
def clear(a):
    """``a = 0``. Loops, because array expressions compile many times slower and run no faster."""
    for n in range(a.shape[0]):
        for k in range(a.shape[1]):
            a[n, k] = 0


def copy_rows(a, out):
    """The rows of ``a`` (n, m), each in one piece of memory, into the beginning of those of ``out`` (>= n, >= m)."""
    out[: a.shape[0], : a.shape[1]] = a


@overload(copy_rows, jit_options=UNWRAPPED)
def _copy_rows_compiled(a, out):
    def copy_rows(a, out):
        count = a.shape[1] * a.itemsize
        if count == PANEL_BYTES:  # known to the compiler: a few instructions and no call
            for n in range(a.shape[0]):
                copy_bytes(address(a) + n * a.strides[0], address(out) + n * out.strides[0], PANEL_BYTES)
        else:
            for n in range(a.shape[0]):
                copy_bytes(address(a) + n * a.strides[0], address(out) + n * out.strides[0], count)

    return copy_rows


@kernel
def _pack(weights, panels):
    G, P, _K, width = panels.shape
    m = weights.shape[1] // G
    for g in range(G):
        for p in range(P):
            left, right = p * width, min(m, (p + 1) * width)
            copy_rows(weights[:, g * m + left : g * m + right], panels[g, p])


@kernel
def _pack_transposed(weights, panels):
    G, P, K, width = panels.shape
    for g in range(G):
        for p in range(P):
            for first in range(0, K, BLOCK_K):
                last = min(K, first + BLOCK_K)
                panel = panels[g, p, first:last]
                for v in range(min(width, weights.shape[0] - p * width)):
                    row = weights[p * width + v, g * K + first : g * K + last]
                    for k in range(row.size):
                        panel[k, v] = row[k]


def pack(weights: np.ndarray, G: int, name: str, *, transposed: bool = False) -> np.ndarray:
    """``(K, G*H)`` -> ``(G, panels, K, width)``: the columns of every gate in panels; the last may be filled in part.

    ``transposed`` packs every gate's ``(H, K)`` instead: ``(G, panels, H, width)``.
    The result lies in the workspace of that name.
    """
    K, m = weights.shape[0], weights.shape[1] // G
    if transposed:
        K, m = m, K
    width = PANEL_BYTES // weights.itemsize
    panels = workspace(name, weights, G, -(-m // width), K, width)
    (_pack_transposed if transposed else _pack)(weights, panels)
    return panels


@task
def _project_block(block, a, W, start, out):
    first, last = block * BLOCK_ROWS, min(out.shape[0], (block + 1) * BLOCK_ROWS)
    packed_product(a[0, first:last], W[0], start, out[first:last])
    for g in range(1, a.shape[0]):
        packed_product(a[g, first:last], W[g], out[first:last], out[first:last])


@kernel(parallel=True)
def project_rows(a: GIVEN3, W: R4, start: GIVEN2, out: R2):
    """``out = start + Σ_g a_g W_g``: ``a`` (G, N, K), ``W`` packed, ``start`` (1, m), ``out`` (N, m)."""
    share((out.shape[0] + BLOCK_ROWS - 1) // BLOCK_ROWS, _project_block, (a, W, start, out))


def project(x, W, b, z) -> None:
    """``z = x W + b``: ``x`` (N, F), ``W`` (F, H), ``b`` (H,), ``z`` (N, H)."""
    project_rows(x[None], pack(W, 1, "W"), b[None], z)


def d_project_x(dz, W, dx) -> None:
    """``dx = Σ_g dz_g W_gᵀ``: ``dz`` (G, N, H), ``W`` (F, G*H), ``dx`` (N, F)."""
    project_rows(dz, pack(W, len(dz), "W transposed", transposed=True), np.zeros((1, dx.shape[1]), dx.dtype), dx)
