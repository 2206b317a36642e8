"""An activation over a whole array on a GPU, for layers that are not recurrent."""

from __future__ import annotations

from numba import cuda

from rnn_ref.device import array_module
from rnn_ref.equations import activations as equations

THREADS = 256  # of a block


@cuda.jit
def _activate(z, a, code):
    k = cuda.grid(1)
    if k < z.size:
        a[k] = equations.activate(code, z[k])


@cuda.jit
def _d_activate(z, a, da, dz, code):
    k = cuda.grid(1)
    if k < z.size:
        dz[k] = da[k] * equations.d_activate(code, z[k], a[k])


def _grid(size: int):
    return -(-size // THREADS), THREADS


def activate(z, code: int):
    """``a = f(z)``, any shape."""
    xp = array_module(z)
    z = xp.ascontiguousarray(z)
    a = xp.empty_like(z)
    if z.size:
        _activate[_grid(z.size)](z.reshape(-1), a.reshape(-1), code)
    return a


def d_activate(z, a, da, code: int):
    """``dz = da f'(z)``, any shape."""
    xp = array_module(z)
    z, a, da = (xp.ascontiguousarray(array) for array in (z, a, da))
    dz = xp.empty_like(z)
    if z.size:
        _d_activate[_grid(z.size)](z.reshape(-1), a.reshape(-1), da.reshape(-1), dz.reshape(-1), code)
    return dz
