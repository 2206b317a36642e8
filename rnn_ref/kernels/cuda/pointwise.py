"""An activation over a whole array on a GPU, for layers that are not recurrent."""

from __future__ import annotations

from numba import cuda

from rnn_ref.device import array_module
from rnn_ref.equations import activations as equations
from rnn_ref.equations import with_options
from rnn_ref.kernels.cuda.recurrence import stream

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


@cuda.jit
def _activate_with(z, a, code, p, q, r):
    k = cuda.grid(1)
    if k < z.size:
        a[k] = with_options.activate_with(code, z[k], p, q, r)


@cuda.jit
def _d_activate_with(z, a, da, dz, code, p, q, r):
    k = cuda.grid(1)
    if k < z.size:
        dz[k] = da[k] * with_options.d_activate_with(code, z[k], a[k], p, q, r)


def _one_each(z):
    """Launch configuration: one thread for each number."""
    return -(-z.size // THREADS), THREADS, stream(z)


def activate(z, code: int):
    """``a = f(z)``, any shape."""
    xp = array_module(z)
    z = xp.ascontiguousarray(z)
    a = xp.empty_like(z)
    if z.size:
        _activate[_one_each(z)](z.reshape(-1), a.reshape(-1), code)
    return a


def d_activate(z, a, da, code: int):
    """``dz = da f'(z)``, any shape."""
    xp = array_module(z)
    z, a, da = (xp.ascontiguousarray(array) for array in (z, a, da))
    dz = xp.empty_like(z)
    if z.size:
        _d_activate[_one_each(z)](z.reshape(-1), a.reshape(-1), da.reshape(-1), dz.reshape(-1), code)
    return dz


def activate_with(z, code: int, options: tuple):
    """``a = f(z)`` with three options; the code is one of :mod:`rnn_ref.equations.with_options`."""
    xp = array_module(z)
    z = xp.ascontiguousarray(z)
    a = xp.empty_like(z)
    if z.size:
        _activate_with[_one_each(z)](z.reshape(-1), a.reshape(-1), code, *map(z.dtype.type, options))
    return a


def d_activate_with(z, a, da, code: int, options: tuple):
    """``dz = da f'(z)`` with three options."""
    xp = array_module(z)
    z, a, da = (xp.ascontiguousarray(array) for array in (z, a, da))
    dz = xp.empty_like(z)
    if z.size:
        flat = (array.reshape(-1) for array in (z, a, da, dz))
        _d_activate_with[_one_each(z)](*flat, code, *map(z.dtype.type, options))
    return dz
