"""PyTorch's layout of recurrent weights and Keras's, converted both ways.

    PyTorch                                    here
    weight_ih (G*H, F), weight_hh (G*H, H)     kernel (F, G*H), recurrent_kernel (H, G*H): transposed
    LSTM: gates i, f, g, o                     i, f, c, o: the same order
    GRU: gates r, z, n                         z, r, h: the first two change places
    RNN, LSTM: bias_ih + bias_hh               bias (G*H,): their sum; on the way back bias_ih = bias, bias_hh = 0
    GRU: bias_ih, bias_hh                      bias (2, 3*H), rows: both kept, since reset_after needs both

If a second bias is added to the first, only their sum matters, and how it was split is lost. Everything else converts
back and forth bit for bit. ``rnn_ref.derive_parameters(layer)`` shows what this does to the number of parameters.
"""

from __future__ import annotations

import numpy as np

BLOCKS = {"RNN": (0,), "LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2)}  # the position of each gate in PyTorch, and vice versa


def _reordered(array: np.ndarray, kind: str) -> np.ndarray:
    """The gates, blocks of the first axis, in the other library's order."""
    blocks = np.split(array, len(BLOCKS[kind]))
    return np.concatenate([blocks[place] for place in BLOCKS[kind]])


def from_torch(kind: str, weights: dict[str, np.ndarray]) -> list[np.ndarray]:
    """``weight_ih``, ``weight_hh`` and optionally ``bias_ih``, ``bias_hh`` -> kernel, recurrent_kernel, bias.

    Examples
    --------
    >>> w = {"weight_ih": np.array([[1.0], [2.0], [3.0]]), "weight_hh": np.array([[4.0], [5.0], [6.0]])}
    >>> from_torch("GRU", w)
    [array([[2., 1., 3.]]), array([[5., 4., 6.]])]
    """
    kernels = [np.ascontiguousarray(_reordered(weights[name], kind).T) for name in ("weight_ih", "weight_hh")]
    if "bias_ih" not in weights:
        return kernels
    both = [_reordered(weights[name], kind) for name in ("bias_ih", "bias_hh")]
    return [*kernels, np.stack(both) if kind == "GRU" else both[0] + both[1]]


def to_torch(kind: str, kernel: np.ndarray, recurrent_kernel: np.ndarray, bias: np.ndarray | None) -> dict:
    """And back: arrays by PyTorch's names.

    Examples
    --------
    >>> to_torch("RNN", np.ones((2, 1)), np.ones((1, 1)), np.array([0.5]))["bias_hh"]
    array([0.])
    """
    found = {
        "weight_ih": np.ascontiguousarray(_reordered(kernel.T, kind)),
        "weight_hh": np.ascontiguousarray(_reordered(recurrent_kernel.T, kind)),
    }
    if bias is not None:
        both = bias if kind == "GRU" else (bias, np.zeros_like(bias))
        found |= {name: _reordered(array, kind) for name, array in zip(("bias_ih", "bias_hh"), both)}
    return found
