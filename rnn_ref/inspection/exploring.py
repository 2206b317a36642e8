"""How far back the gradient reaches in an untrained layer, by the few things that determine it."""

from __future__ import annotations

import numpy as np

from rnn_ref.inspection.gradients import LayerFlow, gradient_flow
from rnn_ref.layers import GRU, LSTM, Input, SimpleRNN, initializers
from rnn_ref.models import Sequential

CELLS = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}
BATCH, FEATURES = 8, 4


def untrained_flow(
    cell: str = "LSTM",
    *,
    length: int = 100,
    scale: float = 1.0,
    forget_bias: float = 1.0,
    units: int = 32,
    seed: int = 0,
) -> LayerFlow:
    """Gradient flow in an untrained layer that reads noise, for a loss on its last output.

    Parameters
    ----------
    cell : str
        "SimpleRNN", "LSTM" or "GRU".
    length : int
        T, time steps.
    scale : float
        Factor on the recurrent weights, which start orthogonal: of a SimpleRNN, their spectral radius.
    forget_bias : float
        LSTM only: bias of the forget gates, 1 in Keras.
    units : int
        H.
    seed : int
        For weights and noise, the same for every cell, so that only what is changed makes a difference.

    Returns
    -------
    LayerFlow
        ``flow.norm`` is ``(T,)``.

    Raises
    ------
    ValueError
        If there is no such cell, or fewer than two steps.

    References
    ----------
    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013,
    https://arxiv.org/abs/1211.5063; Jozefowicz, Zaremba and Sutskever, "An empirical exploration of recurrent network
    architectures", 2015, on the forget bias.

    Examples
    --------
    >>> from rnn_ref.inspection.exploring import untrained_flow
    >>> kept, lost = (untrained_flow("LSTM", forget_bias=bias).norm for bias in (5.0, 1.0))
    >>> bool(kept[0] / kept[-1] > 1e3 * lost[0] / lost[-1])
    True
    """
    if cell not in CELLS:
        raise ValueError(f"untrained_flow: cell={cell!r}, but there are {', '.join(CELLS)}.")
    if length < 2:
        raise ValueError(f"untrained_flow: length={length}, but nothing can be said of fewer than two steps.")
    layer = CELLS[cell](
        units,
        kernel_initializer=initializers.GlorotUniform(seed=seed),
        recurrent_initializer=initializers.Orthogonal(gain=scale, seed=seed),
        name=cell,
    )
    model = Sequential([Input((None, FEATURES)), layer])
    if cell == "LSTM":
        layer.gate_weights()["forget"].bias[:] = forget_bias
    rng = np.random.default_rng(seed)
    target = rng.normal(size=(BATCH, units))
    noise = rng.normal(size=(length, BATCH, FEATURES)).swapaxes(0, 1)
    return gradient_flow(model, noise, target, "mean_squared_error")[cell]
