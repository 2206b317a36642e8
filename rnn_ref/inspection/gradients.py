"""Gradient flow: how much the loss depends on the state at every time step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rnn_ref.inspection.tracing import in_data_order, recurrent
from rnn_ref.models.objective import Objective
from rnn_ref.models.structure import flatten


@dataclass(frozen=True)
class LayerFlow:
    """Gradients inside one recurrent layer; time in the order of the data.

    Attributes
    ----------
    name : str
    dh : ndarray, (B, T, H)
        dL/dh_t, everything that reaches the loss through the hidden state after step t.
    dc : ndarray, (B, T, H) or None
        dL/dc_t (LSTM).
    dz : dict of str to ndarray, (B, T, H)
        dL/dz of every gate's pre-activation.
    """

    name: str
    dh: np.ndarray
    dc: np.ndarray | None
    dz: dict[str, np.ndarray]

    @property
    def norm(self) -> np.ndarray:
        """Norm of dL/dh_t over units, averaged over the batch: ``(T,)``."""
        return np.linalg.norm(self.dh.astype("float64"), axis=-1).mean(axis=0)

    def __repr__(self):
        B, T, H = self.dh.shape
        norm = self.norm
        ends = f"|dL/dh| {norm[0]:.2e} (first) .. {norm[-1]:.2e} (last step)"
        return f"<LayerFlow {self.name}: {ends}; B={B}, T={T}, H={H}>"


class GradientFlow(Mapping):
    """Flows by layer name, and the loss they belong to."""

    def __init__(self, layers: dict[str, LayerFlow], loss: float):
        self.layers, self.loss = layers, loss

    def __getitem__(self, name: str) -> LayerFlow:
        if name not in self.layers:
            raise KeyError(f"no recurrent layer is named {name!r}; there are {', '.join(self.layers)}.")
        return self.layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self):
        return "\n".join([f"<GradientFlow, loss {self.loss:.4g}", *(f"  {f}" for f in self.layers.values())]) + ">"


def gradient_flow(model, x, y, loss=None) -> GradientFlow:
    """Gradient of the loss with respect to the hidden state of every recurrent layer at every time step.

    Parameters
    ----------
    model : Model or Sequential
    x : ndarray, (B, T, F)
        Or a list or dict, for a model with several inputs.
    y : ndarray
        Targets; a list or dict for several outputs.
    loss : str or Loss, or list or dict of them, optional
        That of ``compile`` when absent, and mean squared error for a model that was not compiled.

    Returns
    -------
    GradientFlow
        ``flow["lstm"].dh`` is ``(B, T, H)``, ``flow["lstm"].norm`` is ``(T,)``.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> model = rnn_ref.Sequential([rnn_ref.layers.SimpleRNN(4, name="rnn"), rnn_ref.layers.Dense(1)])
    >>> flow = rnn_ref.gradient_flow(model, np.ones((2, 30, 3)), np.ones((2, 1)))
    >>> flow["rnn"].dh.shape
    (2, 30, 4)
    """
    x = [np.asarray(array) for array in model.flatten_inputs(x, f"{model.name}: x")]
    if not model.built:
        model.build_on(x)
    y = flatten(y, model.output_names, f"{model.name}: y")
    outputs, tape = model.run_lists(x)
    weights = None
    if loss is None and model.objective is not None:
        loss, weights = model.objective.losses, model.objective.loss_weights
    objective = Objective(loss or "mean_squared_error", weights, None, None, model.output_names)
    value, dy = objective.value_and_gradients(y, outputs, [None] * len(y), model.output_masks(tape))
    flows = recurrent(model.run_back(tape, dy).flow)
    layers = {name: layer_flow(layer, flow, name) for name, layer, flow in flows}
    if not layers:
        raise ValueError(f"{model.name} has no recurrent layer that the loss depends on.")
    return GradientFlow(layers, float(value))


def layer_flow(layer, gradients, name: str) -> LayerFlow:
    """A layer's gradients with names, batch first."""
    cell = layer.cell
    dc = gradients.dc
    return LayerFlow(
        name=name,
        dh=in_data_order(layer, gradients.dh[1:]),
        dc=None if dc is None else in_data_order(layer, dc[1:]),
        dz={n: in_data_order(layer, dz) for n, dz in zip(cell.GATES or cell.STATES, gradients.dz)},
    )
