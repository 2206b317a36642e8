"""The recurrent product ``h_{t-1} U_g`` of one chunk, with or without recurrent dropout.

h      (n, H)         state before the step
U      (G, P, H, *)   recurrent kernel, packed; for the way back, its transpose
drop   (G, B, H)      recurrent dropout of the whole batch, the same for all steps; without elements: none
z      (n, H)         pre-activation of gate g
"""

from rnn_ref.jit import part
from rnn_ref.kernels.cpu.products import clear, packed_product


@part
def add(a, out):
    """``out += a``."""
    for n in range(a.shape[0]):
        for k in range(a.shape[1]):
            out[n, k] += a[n, k]


@part
def multiply(a, b, out):
    """``out = a b``, number by number."""
    for n in range(a.shape[0]):
        for k in range(a.shape[1]):
            out[n, k] = a[n, k] * b[n, k]


@part
def add_multiplied(a, b, out):
    """``out += a b``, number by number."""
    for n in range(a.shape[0]):
        for k in range(a.shape[1]):
            out[n, k] += a[n, k] * b[n, k]


@part
def recurrent(h, U, g, drop, first, last, scratch, start, z):
    """``z = start + (h drop_g) U_g`` of the samples ``first:last``.

    ``start`` (n or 1, H) may be ``z``; ``scratch`` (n, H) is room for dropped states.
    """
    if drop.size > 0:
        multiply(h, drop[g, first:last], scratch)
        packed_product(scratch, U[g], start, z)
    else:
        packed_product(h, U[g], start, z)


@part
def d_recurrent(dz, U, g, drop, first, last, scratch, dh):
    """``dh += (dz U_gᵀ) drop_g`` of the samples ``first:last``."""
    if drop.size > 0:
        clear(scratch)
        packed_product(dz, U[g], scratch, scratch)
        add_multiplied(scratch, drop[g, first:last], dh)
    else:
        packed_product(dz, U[g], dh, dh)
