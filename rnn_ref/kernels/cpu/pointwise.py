"""An activation over a whole array, for layers that are not recurrent."""

from __future__ import annotations

import numpy as np

from rnn_ref.equations import activations as equations
from rnn_ref.jit import kernel


@kernel
def _activate(z, a, code):
    for k in range(z.size):
        a[k] = equations.activate(code, z[k])


@kernel
def _d_activate(z, a, da, dz, code):
    for k in range(z.size):
        dz[k] = da[k] * equations.d_activate(code, z[k], a[k])


def activate(z: np.ndarray, code: int) -> np.ndarray:
    """``a = f(z)``, any shape."""
    z = np.ascontiguousarray(z)
    a = np.empty_like(z)
    _activate(z.reshape(-1), a.reshape(-1), code)
    return a


def d_activate(z: np.ndarray, a: np.ndarray, da: np.ndarray, code: int) -> np.ndarray:
    """``dz = da f'(z)``, any shape."""
    z, a, da = (np.ascontiguousarray(array) for array in (z, a, da))
    dz = np.empty_like(z)
    _d_activate(z.reshape(-1), a.reshape(-1), da.reshape(-1), dz.reshape(-1), code)
    return dz
