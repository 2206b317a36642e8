"""How functions are compiled: two decorators, and a cache that notices every edit.

``@equation``  a scalar function, inlined wherever it is called: CPU kernel, CUDA kernel, simulator.
``@kernel``    a loop over arrays, compiled once for the CPU and kept on disk.

With ``NUMBA_DISABLE_JIT=1`` both give the plain Python function back, so a debugger can step
through a whole network.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from numba import config, njit
from numba.core import caching

# Reordering of sums and fused multiply-adds are allowed; NaN and infinity keep their meaning.
FASTMATH = {"contract", "reassoc", "nsz", "arcp"}

equation = njit(inline="always", error_model="numpy")
equation.__doc__ = "Compile a scalar equation: no arrays, no loops, inlined into every caller."

PACKAGE = Path(__file__).parent
COMPILED_ROOMS = ("jit.py", "equations", "kernels")


@cache
def source_stamp() -> str:
    """Hash of every file whose code can end up in a compiled kernel."""
    digest = hashlib.sha256()
    for room in COMPILED_ROOMS:
        path = PACKAGE / room
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


# Numba stamps its cache with the file of the compiled function alone: after an edit to an equation in
# another file the old machine code would silently stay. These locators stamp it with all of them.
def _stamped(locator: type) -> type:
    return type(locator.__name__, (locator,), {"get_source_stamp": lambda self: source_stamp()})


class _KernelCacheImpl(caching.CompileResultCacheImpl):
    _locator_classes = [  # noqa: RUF012 - Numba's own attribute
        _stamped(caching.UserProvidedCacheLocator),
        _stamped(caching.InTreeCacheLocator),
        _stamped(caching.UserWideCacheLocator),
    ]


class _KernelCache(caching.FunctionCache):
    _impl_class = _KernelCacheImpl


def kernel(function=None, *, parallel: bool = False):
    """Compile a loop over arrays for the CPU, one thread or (``parallel=True``) all of them."""
    if function is None:
        return lambda f: kernel(f, parallel=parallel)
    compiled = njit(error_model="numpy", fastmath=FASTMATH, nogil=True, parallel=parallel)(function)
    if not config.DISABLE_JIT:
        compiled._cache = _KernelCache(function)
    return compiled
