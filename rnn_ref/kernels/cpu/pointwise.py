"""An activation over a whole array, for layers that are not recurrent."""

from __future__ import annotations

import numpy as np

from rnn_ref.equations import activations as equations
from rnn_ref.equations import with_options
from rnn_ref.jit import kernel


@kernel
def _activate(z, a, code):
    for k in range(z.size):
        a[k] = equations.activate(code, z[k])


@kernel
def _d_activate(z, a, da, dz, code):
    for k in range(z.size):
        dz[k] = da[k] * equations.d_activate(code, z[k], a[k])


@kernel
def _activate_with(z, a, code, p, q, r):
    for k in range(z.size):
        a[k] = with_options.activate_with(code, z[k], p, q, r)


@kernel
def _d_activate_with(z, a, da, dz, code, p, q, r):
    for k in range(z.size):
        dz[k] = da[k] * with_options.d_activate_with(code, z[k], a[k], p, q, r)


def activate(z: np.ndarray, code: int) -> np.ndarray:
    """``a = f(z)``, any shape."""
    z = np.ascontiguousarray(z)
    a = np.empty_like(z)
    _activate(z.reshape(-1), a.reshape(-1), code)
    return a


def d_activate(z: np.ndarray, a: np.ndarray, da: np.ndarray, code: int) -> np.ndarray:
    """``dz = da f'(z)``, any shape."""
    z, a, da = (np.ascontiguousarray(array) for array in (z, a, da))
    if not z.shape == a.shape == da.shape:
        raise ValueError(f"d_activate: z, a and da must have one shape, got {z.shape}, {a.shape} and {da.shape}.")
    dz = np.empty_like(z)
    _d_activate(z.reshape(-1), a.reshape(-1), da.reshape(-1), dz.reshape(-1), code)
    return dz


def activate_with(z: np.ndarray, code: int, options: tuple) -> np.ndarray:
    """``a = f(z)`` with three options; the code is one of :mod:`rnn_ref.equations.with_options`."""
    z = np.ascontiguousarray(z)
    a = np.empty_like(z)
    _activate_with(z.reshape(-1), a.reshape(-1), code, *map(z.dtype.type, options))
    return a


def d_activate_with(z: np.ndarray, a: np.ndarray, da: np.ndarray, code: int, options: tuple) -> np.ndarray:
    """``dz = da f'(z)`` with three options."""
    z, a, da = (np.ascontiguousarray(array) for array in (z, a, da))
    dz = np.empty_like(z)
    _d_activate_with(*(array.reshape(-1) for array in (z, a, da, dz)), code, *map(z.dtype.type, options))
    return dz
