"""The recurrent product, in the teaching kernels: one thread has sample ``n`` and unit ``k`` at step ``t``.

h      (T + 1, B, H)    states
U      (H, G*H)         recurrent kernel
dz     (D, T, B, H)     gradients of the pre-activations of gates ``first_gate, ..., first_gate + D - 1``
drop   (G, B, H)        recurrent dropout, the same at every step; without elements: none
"""

import numpy as np
from numba import config, cuda

from rnn_ref.device import array_module

# The simulator does not know the option. Without it a call puts registers into memory.
device_function = cuda.jit(device=True) if config.ENABLE_CUDASIM else cuda.jit(device=True, forceinline=True)

BLOCK = (32, 8)  # threads along units and samples: neighbouring threads read neighbouring memory


def stream(array):
    """The stream on which CuPy works at present, so that what it does next to the same arrays waits for the kernel."""
    pointer = 0 if isinstance(array, np.ndarray) else array_module(array).cuda.get_current_stream().ptr
    return cuda.external_stream(pointer) if pointer else 0


def one_each(h):
    """Launch configuration for states ``(..., B, H)``: one thread for each unit and sample."""
    B, H = h.shape[-2:]
    blocks = max(1, -(-H // BLOCK[0])), max(1, -(-B // BLOCK[1]))  # not even an empty batch may launch none
    return blocks, BLOCK, stream(h)


@device_function
def dropped(h, drop, g, n, k):
    """What gate ``g`` sees of a state."""
    return h * drop[g % drop.shape[0], n, k] if drop.size > 0 else h


@device_function
def recurrent(h, U, g, drop, t, n, k):
    """``Σ_j h_{t-1, j} drop_{g, j} U_{g, j k}``: one number of ``(B, H) @ (H, H)``."""
    H, total = h.shape[2], type(h[t, n, k])(0)
    for j in range(H):
        total += dropped(h[t, n, j], drop, g, n, j) * U[j, g * H + k]
    return total


@cuda.jit
def d_recurrent(t, U, dz, first_gate, drop, dh):
    """``dh_{t-1} += Σ_g (dz_g U_gᵀ) drop_g``: dh (T + 1, B, H). Needs the ``dz`` of all units, hence its own launch."""
    k, n = cuda.grid(2)
    B, H = dh.shape[1:]
    if n < B and k < H:
        for g in range(dz.shape[0]):
            total = type(dh[t, n, k])(0)
            for j in range(H):
                total += dz[g, t, n, j] * U[k, (first_gate + g) * H + j]
            dh[t, n, k] += dropped(total, drop, first_gate + g, n, k)
