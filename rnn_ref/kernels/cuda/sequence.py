"""Products over all time steps at once, by cuBLAS: inputs to pre-activations, and gradients to weights.

x       (T, B, K)               inputs; for the recurrent kernel the states h_{t-1}
z, dz   (G, T, B, H)            pre-activations and their gradients
drop    (1 or G, B, K), None    dropout, the same at every step
"""

from __future__ import annotations

from rnn_ref.device import array_module

STEPS = 64  # whose pre-activations exist at a time when nothing is to be remembered


def flat(array):
    """``(T, B, K)`` -> ``(T*B, K)``."""
    T, B, K = array.shape
    return array.reshape(T * B, K)


def dropped(x, drop, g: int):
    """What gate ``g`` sees of ``x``."""
    return x if drop is None else x * drop[g % len(drop)]


def project_inputs(x, W, b, G: int, drop=None):
    """``z_g = (x drop_g) W_g + b_g``; ``W`` (K, G*H), ``b`` (G*H,) or None."""
    xp = array_module(x)
    T, B, _ = x.shape
    H = W.shape[1] // G
    z = xp.empty((G, T, B, H), x.dtype)
    for g in range(G):
        columns = slice(g * H, (g + 1) * H)
        xp.matmul(flat(dropped(x, drop, g)), W[:, columns], out=flat(z[g]))
        if b is not None:
            z[g] += b[columns]
    return z


def d_project_inputs(dz, W, drop=None):
    """``dx = Σ_g (dz_g W_gᵀ) drop_g``."""
    G, T, B, H = dz.shape
    dx = 0
    for g in range(G):
        dx = dx + dropped((flat(dz[g]) @ W[:, g * H : (g + 1) * H].T).reshape(T, B, len(W)), drop, g)
    return dx


def d_weights(x, dz, dW, drop=None, first_gate: int = 0) -> None:
    """``dW_g = (x drop_g)ᵀ dz_g`` into the columns of ``dW`` (K, G*H) from ``first_gate`` on."""
    H = dz.shape[-1]
    for g in range(len(dz)):
        column = (first_gate + g) * H
        dW[:, column : column + H] = flat(dropped(x, drop, g)).T @ flat(dz[g])


def d_bias(dz):
    """``db_g = Σ_{t, b} dz_g``: ``(G*H,)``."""
    return dz.sum(axis=(1, 2)).reshape(-1)


def parts(T: int, keep: str):
    """``(first, last)`` steps that are run together: all of them for a tape, else STEPS at a time."""
    if keep == "tape" or T == 0:
        return [(0, T)]
    return [(first, min(first + STEPS, T)) for first in range(0, T, STEPS)]


def window(state, first: int, last: int, T: int):
    """The part of a state's array for these steps. One shorter than T + 1 is used again from its beginning."""
    if len(state) == T + 1:
        return state[first : last + 1]
    if first > 0:
        state[0] = state[-1]
    return state[: last - first + 1]


def states(T: int, keep: str, like, *shape: int):
    """Room for a state, ``(T + 1, B, H)``, or less if only its last step will be needed."""
    return array_module(like).empty((T + 1 if keep == "tape" else min(T, STEPS) + 1, *shape), like.dtype)


def no_mask(mask, like):
    """A mask ``(T, B)``; None becomes one without elements, as compiled code wants one type for both."""
    xp = array_module(like)
    return xp.zeros((0, 0), bool) if mask is None else xp.ascontiguousarray(mask, bool)


def no_drop(drop, like):
    """Dropout ``(1 or G, B, K)``; None becomes one without elements."""
    xp = array_module(like)
    return xp.zeros((0, 0, 0), like.dtype) if drop is None else xp.ascontiguousarray(drop, like.dtype)
