"""Gradient flow: how much the loss depends on each time step's state, and each weight's gradient on each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import overload

import numpy as np

from rnn_ref import linalg
from rnn_ref.device import asarray
from rnn_ref.guard import guard_methods, guarded
from rnn_ref.inspection.contributions import contributions
from rnn_ref.inspection.on_host import on_host
from rnn_ref.inspection.runs import cells_inside, undisturbed
from rnn_ref.inspection.tracing import in_data_order, recurrent
from rnn_ref.layers.call_checks import look_for_nan
from rnn_ref.layers.custom_cell import CustomTape
from rnn_ref.layers.layer import Layer
from rnn_ref.models.objective import Objective
from rnn_ref.models.structure import flatten
from rnn_ref.named import Named


@guard_methods
@dataclass(frozen=True)
class LayerFlow:
    """Gradients inside one recurrent layer; time in the order of the data.

    Attributes
    ----------
    name : str
    dh : ndarray, (B, T, H)
        dL/dh_t: all effects on the loss through the hidden state after step t.
    dc : ndarray, (B, T, H) or None
        dL/dc_t (LSTM).
    dz : dict of str to ndarray, (B, T, H)
        dL/dz of every gate's pre-activation; empty for a custom cell.
    weights : dict of str to tuple
        Shapes of the weights, whose gradients can be split by time step.
    """

    name: str
    dh: np.ndarray
    dc: np.ndarray | None
    dz: dict[str, np.ndarray]
    weights: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _part: Callable[[str, int], np.ndarray] | None = field(default=None, repr=False)
    _go_backwards: bool = False

    @property
    def norm(self) -> np.ndarray:
        """Norm of dL/dh_t over units, averaged over the batch: ``(T,)``."""
        dh = self.dh.astype("float64")
        return linalg.norm(dh.reshape(*dh.shape[:2], -1), axis=-1).mean(axis=0)

    def contribution(self, weight: str) -> np.ndarray:
        """Each time step's part of a weight's gradient; their sum is the gradient.

        Parameters
        ----------
        weight : str
            "kernel", "recurrent_kernel" or "bias"; for a custom cell, the names of its own weights.

        Returns
        -------
        ndarray, (T, *shape of the weight)
        """
        return np.stack(list(self._contributions(weight)))

    def contribution_norms(self) -> dict[str, np.ndarray]:
        """Frobenius norm of each step's part of the gradient, by weight: ``(T,)``; one step in memory at a time."""
        return {
            name: np.array([linalg.norm(step.astype("float64")) for step in self._contributions(name)])
            for name in self.weights
        }

    def contribution_shares(self) -> dict[str, np.ndarray]:
        """Share of each time step in a weight's gradient G, by weight: ``(T,)``.

        The part of a step along the gradient, ``<G_t, G> / <G, G>``: negative where a step pulls against the sum.
        The shares of all steps add up to 1.
        """
        shares = {}
        for name in self.weights:
            total = sum(step.astype("float64") for step in self._contributions(name))
            square = (total * total).sum()
            products = np.array([(step * total).sum() for step in self._contributions(name)])
            shares[name] = products / square if square > 0 else products
        return shares

    def _contributions(self, weight: str) -> Iterator[np.ndarray]:
        if weight not in self.weights:
            raise KeyError(
                f"{self.name}: no weight is named {weight!r}; there are {', '.join(self.weights) or 'none'}."
            )
        T = self.dh.shape[1]
        for t in reversed(range(T)) if self._go_backwards else range(T):
            yield self._part(weight, t)

    def __repr__(self):
        B, T, *H = self.dh.shape
        norm = self.norm
        ends = f"|dL/dh| {norm[0]:.2e} (first) .. {norm[-1]:.2e} (last step)"
        return f"<LayerFlow {self.name}: {ends}; B={B}, T={T}, H={'x'.join(map(str, H))}>"


class GradientFlow(Mapping):
    """Flows by layer name, and the loss they belong to.

    Attributes
    ----------
    layers : dict of str to LayerFlow
    loss : float
    notes : list of str
        Which recurrent layers are missing, and why.
    """

    def __init__(self, layers: dict[str, LayerFlow], loss: float, notes: Iterable[str] = ()):
        self.layers, self.loss, self.notes = layers, loss, list(notes)

    def __getitem__(self, name: str) -> LayerFlow:
        if name not in self.layers:
            raise KeyError(f"no recurrent layer is named {name!r}; there are {', '.join(self.layers)}.")
        return self.layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self):
        notes = (f"  note: {note}" for note in self.notes)
        lines = [f"<GradientFlow, loss {self.loss:.4g}", *(f"  {flow}" for flow in self.layers.values()), *notes]
        return "\n".join(lines) + ">"


class FlowComparison(Mapping):
    """The flows of several models on the same data, by label."""

    def __init__(self, flows: dict[str, GradientFlow]):
        self.flows = flows

    def __getitem__(self, label: str) -> GradientFlow:
        if label not in self.flows:
            raise KeyError(f"no model was labelled {label!r}; there are {', '.join(self.flows)}.")
        return self.flows[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self.flows)

    def __len__(self) -> int:
        return len(self.flows)

    def __repr__(self):
        lines = ["<FlowComparison"]
        for label, flow in self.items():
            lines += [f"  {label}, loss {flow.loss:.4g}", *(f"    {layer}" for layer in flow.values())]
        return "\n".join(lines) + ">"


@overload
def gradient_flow(model: Mapping, x, y, loss=None, *, training: bool = False) -> FlowComparison: ...
@overload
def gradient_flow(model, x, y, loss=None, *, training: bool = False) -> GradientFlow: ...
@guarded
def gradient_flow(model, x, y, loss=None, *, training: bool = False) -> GradientFlow | FlowComparison:
    """Gradient of the loss with respect to the hidden state of every recurrent layer at every time step.

    Parameters
    ----------
    model : Model or Sequential, or dict of str to models
        Several models are compared on the same data, labelled by the keys of the dict.
    x : ndarray, (B, T, F)
        Or a list or dict, for a model with several inputs.
    y : ndarray
        Targets; a list or dict for several outputs.
    loss : str or Loss, or list or dict of them, optional
        By default that of ``compile``, or mean squared error for a model that is not compiled.
    training : bool
        Run with dropout, as in ``fit``.

    Returns
    -------
    GradientFlow, or FlowComparison for several models
        ``flow["lstm"].dh`` is ``(B, T, H)``, ``flow["lstm"].norm`` is ``(T,)``,
        ``flow["lstm"].contribution("kernel")`` is ``(T, F, 4*H)``. A comparison has one flow for each label. Layers in
        wrappers and nested models are named by their path: ``"bidirectional/forward_lstm"``.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> model = rnn_ref.Sequential([rnn_ref.layers.SimpleRNN(4, name="rnn"), rnn_ref.layers.Dense(1)])
    >>> flow = rnn_ref.gradient_flow(model, np.ones((2, 30, 3)), np.ones((2, 1)))
    >>> flow["rnn"].dh.shape, flow["rnn"].contribution("recurrent_kernel").shape
    ((2, 30, 4), (30, 4, 4))
    """
    if isinstance(model, Mapping):
        if not model:
            raise ValueError("gradient_flow: the dict of models is empty.")
        return FlowComparison({label: _of_one(m, x, y, loss, training) for label, m in model.items()})
    return _of_one(model, x, y, loss, training)


def _of_one(model, x, y, loss, training: bool) -> GradientFlow:
    if not hasattr(model, "run_lists"):
        what = f"the layer {model.name}" if isinstance(model, Layer) else type(model).__name__
        raise TypeError(f"gradient_flow takes a model or a dict of models, got {what}; put it into a Sequential.")
    look_for_nan(x, f"{model.name}: x")
    x = [asarray(array).copy() for array in model.flatten_inputs(x, f"{model.name}: x")]
    if not model.built:
        model.build_on(x)
    y = flatten(y, model.output_names, f"{model.name}: y")
    with undisturbed(model):
        outputs, tape = model.run_lists(x, training=training)
    _ask_for_parts(tape)
    weights = None
    if loss is None:
        model.refuse_own_loss("gradient_flow")
    if loss is None and model.objective is not None:
        loss, weights = model.objective.losses, model.objective.loss_weights
    objective = Objective("mean_squared_error" if loss is None else loss, weights, None, None, model.output_names)
    value, dy = objective.value_and_gradients(y, outputs, [None] * len(y), model.output_masks(tape))
    flow = model.run_back(tape, dy).flow
    found = list(recurrent(Both(on_host(tape), on_host(flow)).runs()))
    notes = [f"{name}: the loss does not depend on it." for name, _, own in found if own.flow is None]
    layers = dict(_flows(found))
    if not layers:
        raise ValueError(f"{model.name} has no recurrent layer that the loss depends on.")
    return GradientFlow(layers, float(value), notes)


def _ask_for_parts(tape) -> None:
    """Let custom cells keep each step's part in backward, as it cannot be found afterwards."""
    for _, layer, record in recurrent(tape.runs()):
        for own in [inner for _, inner in cells_inside(layer.cell, record)] or [record]:
            if isinstance(own, CustomTape):
                own.keep_parts = True


@dataclass(frozen=True)
class Both:
    """A tape with its gradients, which splits by cell as a tape does."""

    tape: object
    flow: object  # a record, a list or dict of them, or None where the loss does not depend on the tape

    def runs(self) -> Iterator[tuple]:
        flows = self.flow or []
        for k, (layer, tape) in enumerate(self.tape.runs()):
            yield layer, Both(tape, flows[k][1] if flows else None)

    def _of(self, k: int):
        return None if self.flow is None else list(self.flow.values())[k]

    @property
    def forward(self) -> Both:
        return Both(self.tape.forward, self._of(0))

    @property
    def backward(self) -> Both:
        return Both(self.tape.backward, self._of(1))

    @property
    def inner(self) -> Both:
        return Both(self.tape.inner, self._of(0))


def _flows(found: Iterable) -> Iterator[tuple[str, LayerFlow]]:
    for name, layer, both in found:
        if both.flow is None:
            continue
        if not hasattr(layer.cell, "cells"):
            yield name, layer_flow(layer, layer.cell, both.tape, both.flow, name)
            continue
        for cell, tape in zip(layer.cell.cells, both.tape.tapes):
            inner = f"{name}/{cell.name.rpartition('/')[2]}"
            yield inner, layer_flow(layer, cell, tape, both.flow[cell.name], inner)


def layer_flow(layer, cell, tape, gradients, name: str) -> LayerFlow:
    """One cell's gradients with names, batch first."""
    dc = gradients.dc
    weights, part = contributions(cell, tape, gradients)
    return LayerFlow(
        name=name,
        dh=in_data_order(layer, gradients.dh[1:]),
        dc=None if dc is None else in_data_order(layer, dc[1:]),
        dz=Named(
            {n: in_data_order(layer, dz) for n, dz in zip(cell.GATES or cell.STATES, gradients.dz)}, f"{name}: no gate"
        ),
        weights=weights,
        _part=part,
        _go_backwards=layer.go_backwards,
    )
