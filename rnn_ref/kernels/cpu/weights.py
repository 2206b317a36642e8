"""Gradients of weights: ``dW_g = (x drop_g)ᵀ dz_g``, one product over all time steps and samples.

Kernel and recurrent kernel are multiplied together, as they share ``dz``. A bias is the weight of an input that is
always 1: where there is one, its gradient is the last row.

x, h     (T, B, F), (T, B, H)     inputs and the states that each step began with
dz       (G, T, B, H)             gradients of the pre-activations
d_h      (0 or 1, T, B, H)        what stands for the last gate's ``dz`` in the product with ``h``, if anything does
dW, dU   (F or F + 1, *), (H or H + 1, *)
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numba.extending import overload

from rnn_ref import memory
from rnn_ref.jit import flush_denormals, kernel, restore_denormals
from rnn_ref.kernels.cpu import batch
from rnn_ref.kernels.cpu.products import LARGE, clear, copy_rows, product
from rnn_ref.kernels.cpu.sequence import flat
from rnn_ref.kernels.cpu.tile import PANEL_BYTES, address, move_row

DEPTH = 256  # rows of x and dz that are multiplied at a time: their panels stay in the first cache
TILES = 4  # packed side by side: their rows are whole cache lines
PANELS = 4  # of a task at most: x is read once for all of them
SHORT_ROW = 512  # bytes; the columns of longer rows, a tile of each, lie too far apart to be read without packing

ONES = {np.dtype(name): np.ones((1, DEPTH), name) for name in ("float32", "float64")}  # a bias is their weight

_copy, _multiply = move_row(factors=False), move_row(factors=True)


def move(x, n, f, drops, g, b, packed, tile, row):
    """``packed[tile, row] = x[n, f:] drops[g, b, f:]``, LARGE numbers."""
    packed[tile, row] = x[n, f : f + LARGE] * (drops[g, b, f : f + LARGE] if drops.size > 0 else 1)


@overload(move)
def _move_compiled(x, n, f, drops, g, b, packed, tile, row):
    def move(x, n, f, drops, g, b, packed, tile, row):
        source = address(x) + n * x.strides[0] + f * x.strides[1]
        target = address(packed) + tile * packed.strides[0] + row * packed.strides[1]
        if drops.size > 0:
            factors = address(drops) + g * drops.strides[0] + b * drops.strides[1] + f * drops.strides[2]
            _multiply(source, factors, target, packed[tile, row, 0])
        else:
            _copy(source, source, target, packed[tile, row, 0])

    return move


@kernel
def _pack_rows(x, drops, g, block, packed):
    """Rows of one block of ``x drop``, ``x`` (N, K), by tiles ``(tiles, DEPTH, LARGE)``: a product reads each in a row.

    ``drop`` is ``drops[g]`` (B, K), if there are any; it comes again after B rows.
    """
    N, K = x.shape
    B = drops.shape[1]
    first, last = block * DEPTH, min(N, (block + 1) * DEPTH)
    for left in range(0, K, TILES * LARGE):
        b = first % B if drops.size > 0 else 0
        for n in range(first, last):
            for f in range(left, min(K, left + TILES * LARGE), LARGE):
                tile, row = f // LARGE, n - first
                if f + LARGE > K:
                    for k in range(K - f):
                        packed[tile, row, k] = x[n, f + k] * drops[g, b, f + k] if drops.size > 0 else x[n, f + k]
                else:
                    move(x, n, f, drops, g, b, packed, tile, row)
            b = 0 if b + 1 == B else b + 1


@kernel
def _add_product(x, packed, block, panel, ones, out):
    """``out += xᵀ panel`` for the rows of a block, and the sums of ``panel`` where ``out`` has one row more.

    ``x`` (N, K), or ``packed`` (blocks, tiles, DEPTH, LARGE) if there is any; ``panel`` (depth, width); ``out`` (K or
    K + 1, width).
    """
    K, depth = x.shape[1], panel.shape[0]
    for f in range(0, K, LARGE):
        right = min(K, f + LARGE)
        if packed.size > 0:
            product(packed[block, f // LARGE, :depth, : right - f].T, panel, out[f:right], out[f:right])
        else:
            product(x[block * DEPTH : block * DEPTH + depth, f:right].T, panel, out[f:right], out[f:right])
    if out.shape[0] > K:
        product(ones[:, :depth], panel, out[K:], out[K:])


@kernel(parallel=True)
def _d_weights(x, h, x_drop, h_drop, x_packed, h_packed, ones, dz, d_h, sums, dW, dU, column, group):
    G, N, H = dz.shape
    F = dW.shape[0]
    x_tasks, h_tasks = x_packed.shape[0] * x_packed.shape[1], h_packed.shape[0] * h_packed.shape[1]
    if x_tasks + h_tasks > 0:  # threads are not called for nothing
        for task in prange(x_tasks + h_tasks):  # gate by gate: a thread packs most of what it multiplies
            if task < x_tasks:
                g, block = task // x_packed.shape[1], task % x_packed.shape[1]
                _pack_rows(x, x_drop, g, block, x_packed[g, block])
            else:
                g, block = (task - x_tasks) // h_packed.shape[1], (task - x_tasks) % h_packed.shape[1]
                _pack_rows(h, h_drop, g, block, h_packed[g, block])

    all_panels, _, width = sums.shape
    panels = all_panels // G  # of a gate
    for task in prange((all_panels + group - 1) // group):
        before = flush_denormals()
        panel = np.zeros((DEPTH, width), dz.dtype)
        mine = range(task * group, min(all_panels, (task + 1) * group))
        for p in mine:
            clear(sums[p])
        for block in range((N + DEPTH - 1) // DEPTH):
            first, last = block * DEPTH, min(N, (block + 1) * DEPTH)
            for p in mine:
                g, left = p // panels, (p % panels) * width
                right = min(H, left + width)
                copy_rows(dz[g, first:last, left:right], panel)
                of_x, of_h = x_packed[min(g, len(x_packed) - 1)], h_packed[min(g, len(h_packed) - 1)]
                _add_product(x, of_x, block, panel[: last - first], ones, sums[p, :F])
                if g >= G - d_h.shape[0]:
                    copy_rows(d_h[0, first:last, left:right], panel)
                _add_product(h, of_h, block, panel[: last - first], ones, sums[p, F:])
        for p in mine:
            g, left = p // panels, (p % panels) * width
            right, start = min(H, left + width), column + g * H
            copy_rows(sums[p, :F, : right - left], dW[:, start + left : start + right])
            copy_rows(sums[p, F:, : right - left], dU[:, start + left : start + right])
        restore_denormals(before)


def with_bias(W, b) -> np.ndarray:
    """Room for the gradients of a kernel and, in the last row, of its bias: ``(F, *)``, or ``(F + 1, *)``."""
    return memory.empty((len(W) + (b is not None), W.shape[1]), W.dtype, aligned=True)


def split_bias(dW, b):
    """What :func:`with_bias` made: ``dW``, and ``db`` or None."""
    return (dW, None) if b is None else (dW[:-1], dW[-1])


def _packed(name: str, x, drop) -> np.ndarray:
    """Room to pack ``x`` (N, K) times every mask there is; none where it is read as it is."""
    N, K = x.shape
    if drop.size == 0 and K * x.itemsize <= SHORT_ROW:
        N = 0
    return batch.workspace(name, x, max(1, len(drop)), -(-N // DEPTH), -(-K // LARGE), DEPTH, LARGE)


def _of_gates(drop, like, gates: slice) -> np.ndarray:
    """The masks that some gates see, ``(0, 1 or G, B, K)``."""
    return batch.no_drop(drop if drop is None or len(drop) == 1 else drop[gates], like)


def d_weights(x, h, dz, dW, dU, *, threads: int, x_drop=None, h_drop=None, d_h=None, first_gate: int = 0) -> None:
    """Fill the columns of ``dW`` and ``dU`` that belong to the gates of ``dz``, from ``first_gate`` on.

    ``x_drop`` and ``h_drop`` are ``(1, B, F)`` and ``(1, B, H)``, or have one mask for each gate there is; None without
    dropout. ``h`` and ``dU`` may be None.
    """
    x, dz = flat(x), flat(dz)
    h, dU = (np.empty((len(x), 0), x.dtype), dW[:0]) if h is None else (flat(h), dU)
    G, _, H = dz.shape
    none = dz[:0]
    d_h = none if d_h is None else flat(d_h)[None]
    gates = slice(first_gate, first_gate + G)
    x_drop, h_drop = _of_gates(x_drop, x, gates), _of_gates(h_drop, x, gates)
    width = PANEL_BYTES // dz.itemsize
    panels = G * -(-H // width)
    sums = batch.workspace("sums", dz, panels, len(dW) + len(dU), width)
    group = -(-panels // (threads * -(-panels // (PANELS * threads))))
    _d_weights(
        x,
        h,
        x_drop,
        h_drop,
        _packed("x", x, x_drop),
        _packed("h", h, h_drop),
        ONES[x.dtype],
        dz,
        d_h,
        sums,
        dW,
        dU,
        first_gate * H,
        group,
    )
