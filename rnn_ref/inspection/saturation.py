"""Saturation: gates that are nearly always open or closed, and units that are always zero."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rnn_ref import checks
from rnn_ref.guard import guard_methods, guarded
from rnn_ref.inspection.runs import cells_inside, run_undisturbed
from rnn_ref.inspection.tracing import Trace, in_data_order, recurrent
from rnn_ref.named import Named


@guard_methods
@dataclass(frozen=True)
class LayerSaturation:
    """How often each unit of a layer was at an end of its range, over all samples and unmasked time steps.

    Attributes
    ----------
    name : str
    below, above : dict of str to ndarray, (H,)
        By gate: fraction of time the gate was below ``low`` (left-saturated) and above ``high`` (right-saturated).
        The candidate is not a gate, and not included.
    large : ndarray, (H,)
        Fraction of time ``|h|`` was above ``high``, where tanh is flat and lets no gradient through.
    zero : ndarray, (H,)
        Fraction of time ``h`` was exactly 0, as after a relu that is off.
    low, high : float
    """

    name: str
    below: dict[str, np.ndarray]
    above: dict[str, np.ndarray]
    large: np.ndarray
    zero: np.ndarray
    low: float
    high: float

    @property
    def dead(self) -> np.ndarray:
        """Units whose output was always 0."""
        return np.flatnonzero(self.zero == 1)

    def closed(self, gate: str, share: float = 0.95) -> np.ndarray:
        """Units whose gate was below ``low`` for at least this fraction of time."""
        return self._most(self.below, gate, share)

    def open(self, gate: str, share: float = 0.95) -> np.ndarray:
        """Units whose gate was above ``high`` for at least this fraction of time."""
        return self._most(self.above, gate, share)

    def _most(self, shares: dict, gate: str, share: float) -> np.ndarray:
        return np.flatnonzero(shares[gate] >= checks.fraction(share, "share", self.name))

    def __repr__(self):
        H = len(self.zero)
        parts = [
            f"{gate} {below.mean():.0%} below {self.low:g}, {self.above[gate].mean():.0%} above {self.high:g}"
            for gate, below in self.below.items()
        ] or [f"|h| {self.large.mean():.0%} above {self.high:g}"]
        return f"<LayerSaturation {self.name}: {'; '.join(parts)}; {len(self.dead)} of {H} units dead>"


class SaturationReport(Mapping):
    """Saturation by layer name."""

    def __init__(self, layers: dict[str, LayerSaturation]):
        self.layers = layers

    def __getitem__(self, name: str) -> LayerSaturation:
        if name not in self.layers:
            raise KeyError(f"no recurrent layer is named {name!r}; there are {', '.join(self.layers)}.")
        return self.layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self):
        return "\n".join(["<SaturationReport", *(f"  {layer}" for layer in self.values())]) + ">"


@guarded
def saturation(model, x=None, *, low: float = 0.1, high: float = 0.9) -> SaturationReport:
    """Fraction of time each unit's gates were below ``low`` or above ``high``, and dead units.

    Parameters
    ----------
    model : Model, Sequential, recurrent layer, or Trace
    x : ndarray, (B, T, F)
        Or what else the model takes; not needed for a trace. Masked steps do not count.
    low, high : float

    Returns
    -------
    SaturationReport
        ``report["lstm"].above["forget"]`` is ``(H,)``.

    Raises
    ------
    ValueError
        For a model without ``x``, or without a recurrent layer.

    References
    ----------
    Karpathy, Johnson, Li, "Visualizing and understanding recurrent networks", 2015, figure 3.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> bias = rnn_ref.initializers.Constant(5.0)  # opens every gate
    >>> lstm = rnn_ref.layers.LSTM(3, bias_initializer=bias, unit_forget_bias=False, name="lstm")
    >>> rnn_ref.saturation(lstm, np.zeros((2, 10, 1)))["lstm"].above["forget"]
    array([1., 1., 1.])
    """
    if not low <= high:
        raise ValueError(f"saturation: low={low} must not be above high={high}.")
    if isinstance(model, Trace):
        found = [
            (name, layer.gates, layer.states["hidden"], getattr(layer, "mask", None))
            for name, layer in model.layers.items()
            if "hidden" in layer.states
        ]
    elif x is None:
        raise ValueError("saturation: give the data x to run the model on, or a trace.")
    else:
        found = list(_gates_of_runs(run_undisturbed(model, x)))
    if not found:
        raise ValueError(f"saturation: {getattr(model, 'name', 'the trace')} has no recurrent layer.")
    return SaturationReport({name: _of_layer(name, *arrays, low, high) for name, *arrays in found})


def _gates_of_runs(runs) -> Iterator[tuple]:
    for name, layer, tape in recurrent(runs):
        inside = cells_inside(layer.cell, tape)
        named = [(f"{name}/{cell.name.rpartition('/')[2]}", cell, inner) for cell, inner in inside]
        for own, cell, record in named or [(name, layer.cell, tape)]:
            gates = {} if record.gates is None else dict(zip(cell.GATES, record.gates))
            mask = None if tape.mask is None else in_data_order(layer, tape.mask)
            ordered = {gate: in_data_order(layer, array) for gate, array in gates.items()}
            yield own, ordered, in_data_order(layer, record.h[1:]), mask


def _of_layer(name, gates, hidden, mask, low, high) -> LayerSaturation:
    def share(true):
        true = true if mask is None else true[mask.astype(bool)]
        return true.reshape(-1, true.shape[-1]).mean(axis=0)

    gates = {gate: array for gate, array in gates.items() if gate != "candidate"}
    return LayerSaturation(
        name=name,
        below=Named({gate: share(array < low) for gate, array in gates.items()}, f"{name}: no gate"),
        above=Named({gate: share(array > high) for gate, array in gates.items()}, f"{name}: no gate"),
        large=share(np.abs(hidden) > high),
        zero=share(hidden == 0),
        low=low,
        high=high,
    )
