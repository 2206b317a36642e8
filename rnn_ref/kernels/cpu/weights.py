"""Gradients of weights: ``dW_g = (x drop_g)ᵀ dz_g``, one product over all time steps and samples.

Kernel and recurrent kernel are multiplied together, as they share ``dz``. A bias is the weight of an input that is
always 1: where there is one, its gradient is the last row.

x, h     (T, B, F), (T, B, H)     inputs, steps and samples anywhere, and the states that each step began with
dz       (G, T, B, H)             gradients of the pre-activations
d_h      (0 or 1, T, B, H)        what stands for the last gate's ``dz`` in the product with ``h``, if anything does
dW, dU   (F or F + 1, *), (H or H + 1, *)
"""

from __future__ import annotations

import numpy as np
from numba.extending import overload

from rnn_ref import memory
from rnn_ref.hardware import DEPTH, PANEL_BYTES, PANELS, SHORT_ROW, TILES
from rnn_ref.jit import GIVEN2, GIVEN3, INTEGER, R2, R3, R5, READ3, UNWRAPPED, kernel, link, part, share, task
from rnn_ref.kernels.cpu import batch
from rnn_ref.kernels.cpu.products import LARGE, clear, copy_rows, product
from rnn_ref.kernels.cpu.tile import address, move_row

NOT_PACKED = {np.dtype(name): np.empty((1, 0, 0, DEPTH, LARGE), name) for name in ("float32", "float64")}

_copy, _multiply = move_row(factors=False), move_row(factors=True)


def move(x, t, b, f, drops, g, packed, tile, row):
    """``packed[tile, row] = x[t, b, f:] drops[g, b, f:]``, LARGE numbers."""
    packed[tile, row] = x[t, b, f : f + LARGE] * (drops[g, b, f : f + LARGE] if drops.size > 0 else 1)


@overload(move, jit_options=UNWRAPPED)
def _move_compiled(x, t, b, f, drops, g, packed, tile, row):
    def move(x, t, b, f, drops, g, packed, tile, row):
        source = address(x) + t * x.strides[0] + b * x.strides[1] + f * x.strides[2]
        target = address(packed) + tile * packed.strides[0] + row * packed.strides[1]
        if drops.size > 0:
            factors = address(drops) + g * drops.strides[0] + b * drops.strides[1] + f * drops.strides[2]
            _multiply(source, factors, target, packed[tile, row, 0])
        else:
            _copy(source, source, target, packed[tile, row, 0])

    return move


@part
def _pack_rows(x, drops, g, block, packed):
    """Rows of one block of ``x drop`` by tiles ``(tiles, DEPTH, LARGE)``: a product reads each tile in a row.

    ``x`` (T, B, K); ``drop`` is ``drops[g]`` (B, K), if there are any.
    """
    T, B, K = x.shape
    first, last = block * DEPTH, min(T * B, (block + 1) * DEPTH)
    for left in range(0, K, TILES * LARGE):
        t, b = first // B, first % B
        for n in range(first, last):
            for f in range(left, min(K, left + TILES * LARGE), LARGE):
                tile, row = f // LARGE, n - first
                if f + LARGE > K:
                    for k in range(K - f):
                        x_k = x[t, b, f + k]
                        packed[tile, row, k] = x_k * drops[g, b, f + k] if drops.size > 0 else x_k
                else:
                    move(x, t, b, f, drops, g, packed, tile, row)
            b += 1
            if b == B:
                t, b = t + 1, 0


@part
def _add_sums(panel, out):
    """``out += Σ_n panel[n]``."""
    for n in range(panel.shape[0]):
        for k in range(panel.shape[1]):
            out[k] += panel[n, k]


@part
def _add_product(rows, packed, block, panel, out):
    """``out += xᵀ panel`` for a block of ``x``, and the sums of ``panel`` where ``out`` has one row more.

    ``x`` is ``packed`` (blocks, tiles, DEPTH, LARGE) if there is any, else ``rows`` (N, K); ``panel`` (depth, width);
    ``out`` (K or K + 1, width).
    """
    K, depth = rows.shape[1], panel.shape[0]
    for f in range(0, K, LARGE):
        right = min(K, f + LARGE)
        if packed.size > 0:
            product(packed[block, f // LARGE, :depth, : right - f].T, panel, out[f:right], out[f:right])
        else:
            product(rows[block * DEPTH : block * DEPTH + depth, f:right].T, panel, out[f:right], out[f:right])
    if out.shape[0] > K:
        _add_sums(panel, out[K])


@task
def _pack_block(k, x, h, x_drop, h_drop, x_packed, h_packed):
    """Gate by gate: a thread packs most of what it multiplies."""
    x_tasks = x_packed.shape[0] * x_packed.shape[1]
    if k < x_tasks:
        g, block = k // x_packed.shape[1], k % x_packed.shape[1]
        _pack_rows(x, x_drop, g, block, x_packed[g, block])
    else:
        g, block = (k - x_tasks) // h_packed.shape[1], (k - x_tasks) % h_packed.shape[1]
        _pack_rows(h, h_drop, g, block, h_packed[g, block])


@task
def _add_up(k, x_rows, h_rows, x_packed, h_packed, dz, d_h, sums, dW, dU, column, group):
    """The panels ``k * group`` and following of all gates, ``group`` of them."""
    G, N, H = dz.shape
    F, (all_panels, _, width) = dW.shape[0], sums.shape
    panels = all_panels // G  # of a gate
    panel = np.zeros((DEPTH, width), dz.dtype)
    mine = range(k * group, min(all_panels, (k + 1) * group))
    for p in mine:
        clear(sums[p])
    for block in range((N + DEPTH - 1) // DEPTH):
        first, last = block * DEPTH, min(N, (block + 1) * DEPTH)
        for p in mine:
            g, left = p // panels, (p % panels) * width
            right = min(H, left + width)
            copy_rows(dz[g, first:last, left:right], panel)
            of_x, of_h = x_packed[min(g, len(x_packed) - 1)], h_packed[min(g, len(h_packed) - 1)]
            _add_product(x_rows, of_x, block, panel[: last - first], sums[p, :F])
            if g >= G - d_h.shape[0]:
                copy_rows(d_h[0, first:last, left:right], panel)
            _add_product(h_rows, of_h, block, panel[: last - first], sums[p, F:])
    for p in mine:
        g, left = p // panels, (p % panels) * width
        right, start = min(H, left + width), column + g * H
        copy_rows(sums[p, :F, : right - left], dW[:, start + left : start + right])
        copy_rows(sums[p, F:, : right - left], dU[:, start + left : start + right])


@kernel(parallel=True)
def _d_weights(
    x: GIVEN3, h: GIVEN3, x_rows: GIVEN2, h_rows: GIVEN2, x_drop: READ3, h_drop: READ3, x_packed: R5, h_packed: R5,
    dz: GIVEN3, d_h: GIVEN3, sums: R3, dW: R2, dU: R2, column: INTEGER, group: INTEGER,
):  # fmt: skip
    tasks = x_packed.shape[0] * x_packed.shape[1] + h_packed.shape[0] * h_packed.shape[1]
    if tasks > 0:  # threads are not called for nothing
        share(tasks, _pack_block, (x, h, x_drop, h_drop, x_packed, h_packed))
    share(
        (sums.shape[0] + group - 1) // group,
        _add_up,
        (x_rows, h_rows, x_packed, h_packed, dz, d_h, sums, dW, dU, column, group),
    )


def with_bias(W, b, *, aligned: bool = True) -> np.ndarray:
    """Room for the gradients of a kernel and, in the last row, of its bias: ``(F, *)``, or ``(F + 1, *)``.

    ``aligned``: see :func:`rnn_ref.memory.empty`; one thread alone need not have it.
    """
    return memory.empty((len(W) + (b is not None), W.shape[1]), W.dtype, aligned=aligned)


def split_bias(dW, b):
    """What :func:`with_bias` made: ``dW``, and ``db`` or None."""
    return (dW, None) if b is None else (dW[:-1], dW[-1])


def _rows(name: str, x, drop) -> tuple[np.ndarray, np.ndarray]:
    """How a product reads ``x`` (T, B, K): its rows ``(T*B, K)`` as they are, or room to pack them times every mask.

    One of the two is empty. Large arrays are packed from where they lie; bringing them into order is a copy as well.
    """
    T, B, K = x.shape
    if drop.size == 0 and K * x.itemsize <= SHORT_ROW and (x.flags.c_contiguous or x.nbytes < memory.LARGE):
        return x.reshape(T * B, K), NOT_PACKED[x.dtype]
    room = batch.workspace(name, x, max(1, len(drop)), -(-T * B // DEPTH), -(-K // LARGE), DEPTH, LARGE)
    return np.empty((0, K), x.dtype), room


def _of_gates(drop, like, gates: slice) -> np.ndarray:
    """The masks that some gates see, ``(0, 1 or G, B, K)``."""
    if drop is None:
        return batch.NO_DROP[like.dtype]
    return batch.no_drop(drop if len(drop) == 1 else drop[gates], like)


def d_weights(x, h, dz, dW, dU, *, threads: int, x_drop=None, h_drop=None, d_h=None, first_gate: int = 0) -> None:
    """Fill the columns of ``dW`` and ``dU`` that belong to the gates of ``dz``, from ``first_gate`` on.

    ``x_drop`` and ``h_drop`` are ``(1, B, F)`` and ``(1, B, H)``, or have one mask for each gate there is; None without
    dropout. ``h`` and ``dU`` may be None.
    """
    if x.strides[-1] != x.itemsize:
        x = memory.contiguous(x)  # neighbours are packed together
    G, T, B, H = dz.shape
    dz = dz.reshape(G, T * B, H)
    d_h = dz[:0] if d_h is None else d_h.reshape(1, T * B, H)
    if h is None:
        h, dU = np.empty((T, B, 0), x.dtype), dW[:0]
    gates = slice(first_gate, first_gate + G)
    x_drop, h_drop = _of_gates(x_drop, x, gates), _of_gates(h_drop, x, gates)
    width = PANEL_BYTES // dz.itemsize
    panels = G * -(-H // width)
    sums = batch.workspace("sums", dz, panels, len(dW) + len(dU), width)
    group = -(-panels // (threads * -(-panels // (PANELS * threads))))
    x_rows, x_packed = _rows("x", x, x_drop)
    h_rows, h_packed = _rows("h", h, h_drop)
    link(_d_weights, x.dtype)
    _d_weights(x, h, x_rows, h_rows, x_drop, h_drop, x_packed, h_packed, dz, d_h, sums, dW, dU, first_gate * H, group)
