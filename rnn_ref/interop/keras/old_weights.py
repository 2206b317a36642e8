"""Weights of recurrent layers in old shapes: those of CuDNNLSTM and CuDNNGRU.

cuDNN keeps every gate's matrices transposed, and two biases, one for the product with the input and one for that with
the state. An LSTM adds the two; a GRU with ``reset_after`` keeps them separate, as rows of its bias.
"""

from __future__ import annotations

import numpy as np

from rnn_ref import layers


def as_today(layer, weights: list, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The arrays of a layer in the shapes of its weights, if they are those of a cuDNN layer.

    Parameters
    ----------
    weights : list of Variable
        The layer's weights, in the order of the arrays.
    """
    if len(weights) != len(arrays):
        return arrays
    arrays, place = list(arrays), {id(weight): k for k, weight in enumerate(weights)}
    for cell in layer.with_all_inside():
        gates = {layers.LSTMCell: 4, layers.GRUCell: 3}.get(type(cell))
        own = [place.get(id(getattr(cell, name, None))) for name in ("kernel", "recurrent_kernel", "bias")]
        if gates is None or None in own or arrays[own[2]].shape != (2 * gates * cell.units,):
            continue
        kernel, recurrent, bias = (arrays[k] for k in own)
        arrays[own[0]] = _each_gate(kernel, gates, lambda W: W.T.reshape(W.shape, order="F"))
        arrays[own[1]] = _each_gate(recurrent, gates, np.transpose)
        arrays[own[2]] = bias.reshape(2, -1).sum(axis=0) if gates == 4 else bias.reshape(2, -1)
    return arrays


def _each_gate(W: np.ndarray, gates: int, change) -> np.ndarray:
    return np.hstack([change(part) for part in np.hsplit(W, gates)]) if W.shape[-1] % gates == 0 else W
