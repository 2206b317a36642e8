"""The recurrent product, in the teaching kernels: one thread has sample ``n`` and unit ``k`` at step ``t``.

h      (T + 1, B, H)    states
U      (H, G*H)         recurrent kernel
dz     (D, T, B, H)     gradients of the pre-activations of gates ``first_gate, ..., first_gate + D - 1``
drop   (G, B, H)        recurrent dropout, the same at every step; without elements: none
"""

from numba import config, cuda

# The simulator does not know the option. Without it a call puts registers into memory.
device_function = cuda.jit(device=True) if config.ENABLE_CUDASIM else cuda.jit(device=True, forceinline=True)

BLOCK = (8, 32)  # threads along samples and units


def grid(B: int, H: int):
    """Launch configuration: one thread for each sample and unit."""
    return (-(-B // BLOCK[0]), -(-H // BLOCK[1])), BLOCK


@device_function
def dropped(h, drop, g, n, k):
    """What gate ``g`` sees of a state."""
    return h * drop[g % drop.shape[0], n, k] if drop.size > 0 else h


@device_function
def recurrent(h, U, g, drop, t, n, k):
    """``Σ_j h_{t-1, j} drop_{g, j} U_{g, j k}``."""
    H, total = h.shape[2], type(h[t, n, k])(0)
    for j in range(H):
        total += dropped(h[t, n, j], drop, g, n, j) * U[j, g * H + k]
    return total


@cuda.jit
def d_recurrent(t, U, dz, first_gate, drop, dh):
    """``dh_{t-1} += Σ_g (dz_g U_gᵀ) drop_g``."""
    n, k = cuda.grid(2)
    B, H = dh.shape[1:]
    if n < B and k < H:
        for g in range(dz.shape[0]):
            total = type(dh[t, n, k])(0)
            for j in range(H):
                total += dz[g, t, n, j] * U[k, (first_gate + g) * H + j]
            dh[t, n, k] += dropped(total, drop, first_gate + g, n, k)
