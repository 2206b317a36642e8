"""Every choice that depends on a processor, each with its reason.

None of them changes a bit of a result: they say where work is cut, not what is computed. What gains on one processor
and costs on another is not here: software prefetching gained 8 percent on one with AVX-512 and made one with AVX2
three times slower.

The environment variable ``RNN_REF_VECTOR_BYTES`` (64, 32 or 16) makes vectors narrower than the processor has them, to
see on one machine what another computes, and how fast.
"""

from __future__ import annotations

import os
import platform

from llvmlite import binding
from numba import config

X86 = platform.machine().lower() in ("x86_64", "amd64")
SETTING = "RNN_REF_VECTOR_BYTES"


def _features() -> frozenset[str]:
    """Of the processor that Numba compiles for: this one, or the one that Numba was told about."""
    if config.CPU_FEATURES is not None:
        return frozenset(f[1:] for f in config.CPU_FEATURES.split(",") if f.startswith("+"))
    if config.CPU_NAME is not None:
        return frozenset()  # Numba then uses none but what every such processor has
    names = frozenset(name for name, present in binding.get_host_cpu_features().items() if present)
    return names if config.ENABLE_AVX else names - {"avx", "avx512f", "fma"}


def _vector_bytes(features: frozenset[str], wanted: str | None) -> int:
    """Width of a register: AVX-512, AVX, or the 16 bytes that every 64-bit machine has; or what is wanted."""
    widest = 64 if "avx512f" in features else 32 if "avx" in features else 16
    if not wanted:
        return widest
    widths = [width for width in (16, 32, 64) if width <= widest]
    if wanted not in map(str, widths):
        known = ", ".join(map(str, widths))
        raise ValueError(
            f"{SETTING}: this processor has vectors of {known} bytes, got {wanted!r}; unset it or take one."
        )
    return int(wanted)


def _narrow(width: int) -> None:
    """Have LLVM compile loops with vectors of this width, too; Numba keeps one cache for each set of features."""
    if config.CPU_FEATURES is None and config.CPU_NAME is None and config.ENABLE_AVX and X86:
        host = binding.get_host_cpu_features().flatten()
        config.CPU_FEATURES = f"{host},+prefer-{8 * width}-bit"


FEATURES = _features()
VECTOR_BYTES = _vector_bytes(FEATURES, os.environ.get(SETTING))
if os.environ.get(SETTING) and VECTOR_BYTES < 64:
    _narrow(VECTOR_BYTES)
# Whether a multiplication and an addition are one instruction. Without it LLVM would call a function for each.
FMA = "fma" in FEATURES if X86 else True
CACHE_STAMP = f"{VECTOR_BYTES} {FMA}"  # what kernels depend on besides their source

# -- the tile of a product, and how products are cut -------------------------------------------------------------------
VECTORS = 2  # side by side in a tile
PANEL_BYTES = VECTORS * VECTOR_BYTES
ROWS = (12, 8, 4, 1) if VECTOR_BYTES == 64 else (6, 4, 2, 1)  # that registers hold: 32 of 64 bytes, or 16
BLOCK_ROWS = 96  # of a task in the products over all time steps: a multiple of every tile's
BLOCK_K = 256  # a panel of this many rows stays in the first cache (16 to 32 KiB) while all rows of a pass by

# -- gradients of weights ----------------------------------------------------------------------------------------------
DEPTH = 256  # rows of x and dz that are multiplied at a time: their panels stay in the first cache
TILES = 4  # packed side by side: their rows are whole cache lines
PANELS = 4  # of a task at most: x is read once for all of them
SHORT_ROW = 512  # bytes; the columns of longer rows, a tile of each, lie too far apart to be read without packing

# -- a batch through time ----------------------------------------------------------------------------------------------
CHUNK = 32  # samples that run through time together at most: their states stay in the second cache
STEPS = 8  # time steps whose inputs are projected together: few enough to stay in the second cache

# -- threads -----------------------------------------------------------------------------------------------------------
LITTLE_WORK = 1_000_000  # multiply-adds, 10 to 20 microseconds: what starting a thread costs; a thread more for each
SPINS = 20_000  # turns of a loop, about a millisecond, that an idle thread waits actively

# -- memory ------------------------------------------------------------------------------------------------------------
ALIGNED = 64  # bytes of a cache line: vectors that straddle two are read at half the speed
LARGE = 256 * 1024  # bytes from which on keeping memory pays; below, the C library keeps it by itself
