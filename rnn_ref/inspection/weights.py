"""Weights gate by gate: norms, and the spectrum of each gate's recurrent kernel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnn_ref import linalg
from rnn_ref.device import to_numpy
from rnn_ref.guard import guarded
from rnn_ref.inspection.runs import built_cells
from rnn_ref.layers.cell import Cell


@dataclass(frozen=True)
class GateReport:
    """A copy of one gate's weights, so that further training does not change a report.

    Attributes
    ----------
    kernel : ndarray, (F, H), or None
        None if by the cell's equations the gate does not read the inputs.
    recurrent_kernel : ndarray, (H, H), or None
        None if it does not read the state through a product.
    bias : ndarray, (H,), for a GRU with ``reset_after`` (2, H), or None
    """

    kernel: np.ndarray | None
    recurrent_kernel: np.ndarray | None
    bias: np.ndarray | None

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The weights that exist, by name."""
        every = {"kernel": self.kernel, "recurrent_kernel": self.recurrent_kernel, "bias": self.bias}
        return {name: array for name, array in every.items() if array is not None}

    @property
    def norms(self) -> dict[str, float]:
        """Frobenius norm of each weight."""
        return {name: float(linalg.norm(array.astype("float64"))) for name, array in self.arrays.items()}

    @cached_property
    def eigenvalues(self) -> np.ndarray:
        """Eigenvalues of the recurrent kernel, complex, largest magnitude first: ``(H,)``; empty without a kernel."""
        if self.recurrent_kernel is None:
            return np.zeros(0, complex)
        values = linalg.eigvals(self.recurrent_kernel.astype("float64")).astype(complex)
        return values[np.argsort(-np.abs(values), kind="stable")]

    @cached_property
    def singular_values(self) -> np.ndarray:
        """Singular values of the recurrent kernel, largest first: ``(H,)``; empty without a kernel."""
        if self.recurrent_kernel is None:
            return np.zeros(0)
        return linalg.svd(self.recurrent_kernel.astype("float64"), compute_uv=False)

    @property
    def spectral_radius(self) -> float:
        """Largest magnitude of an eigenvalue, which governs repeated application; NaN without a kernel."""
        return float(np.abs(self.eigenvalues[0])) if len(self.eigenvalues) else float("nan")

    @property
    def spectral_norm(self) -> float:
        """Largest singular value, the most that one application can do; NaN without a kernel."""
        return float(self.singular_values[0]) if len(self.singular_values) else float("nan")

    def __repr__(self):
        norms = ", ".join(f"|{name}| {norm:.3g}" for name, norm in self.norms.items())
        return f"<GateReport: {norms}; spectral radius {self.spectral_radius:.3g}, norm {self.spectral_norm:.3g}>"


class LayerWeights(Mapping):
    """Gate reports of one recurrent layer, by gate name."""

    def __init__(self, name: str, gates: dict[str, GateReport]):
        self.name, self.gates = name, gates

    def __getitem__(self, gate: str) -> GateReport:
        if gate not in self.gates:
            raise KeyError(f"{self.name}: no gate is named {gate!r}; there are {', '.join(self.gates)}.")
        return self.gates[gate]

    def __iter__(self) -> Iterator[str]:
        return iter(self.gates)

    def __len__(self) -> int:
        return len(self.gates)

    def lines(self) -> list[str]:
        """A row of text for each gate."""
        rows = []
        for gate, report in self.items():
            norms = report.norms
            spectral = (report.spectral_norm, report.spectral_radius)
            values = [norms.get(name, np.nan) for name in ("kernel", "recurrent_kernel", "bias")] + list(spectral)
            written = ["-" if np.isnan(value) else f"{value:.4g}" for value in values]
            rows.append(f"{gate:<10}" + "".join(f"{w:>{n}}" for w, n in zip(written, (10, 12, 10, 15, 17))))
        return rows

    def __repr__(self):
        head = (
            f"{'gate':<10}{'|kernel|':>10}{'|recurrent|':>12}{'|bias|':>10}{'spectral norm':>15}{'spectral radius':>17}"
        )
        return "\n".join([f"<LayerWeights {self.name}", f"  {head}", *(f"  {line}" for line in self.lines())]) + ">"


class WeightReport(Mapping):
    """Reports of all recurrent layers, by layer name.

    Attributes
    ----------
    layers : dict of str to LayerWeights
    notes : list of str
        What could not be reported.
    """

    def __init__(self, layers: dict[str, LayerWeights], notes: Iterable[str] = ()):
        self.layers, self.notes = layers, list(notes)

    def __getitem__(self, name: str) -> LayerWeights:
        if name not in self.layers:
            raise KeyError(f"no recurrent layer is named {name!r}; there are {', '.join(self.layers) or 'none'}.")
        return self.layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self):
        notes = (f"  note: {note}" for note in self.notes)
        return "\n".join(["<WeightReport", *(repr(layer) for layer in self.values()), *notes]) + ">"


@guarded
def weight_report(model) -> WeightReport:
    """Norms and spectra of the current weights of every gate of every recurrent layer.

    Parameters
    ----------
    model : Model, Sequential or layer
        A layer with a custom cell is left out, with a note, since it is unknown which weights belong to which gate.

    Returns
    -------
    WeightReport
        ``report["lstm"]["forget"].spectral_radius``, ``report["lstm"]["forget"].eigenvalues``, ...

    Raises
    ------
    ValueError
        If the model was never built, or has no recurrent layer.

    Examples
    --------
    >>> import rnn_ref
    >>> layer = rnn_ref.layers.SimpleRNN(3, input_shape=(7, 2), name="rnn")  # starts with an orthogonal matrix
    >>> round(rnn_ref.weight_report(layer)["rnn"]["candidate"].spectral_radius, 3)
    1.0
    """
    layers, notes = {}, []
    for name, cell in built_cells(model, "weight_report"):
        if not isinstance(cell, Cell):
            notes.append(f"{name}: its cell {type(cell.custom).__name__} is custom: it has no gates with names.")
            continue
        gates = {}
        for gate, weights in cell.gate_weights().items():
            gates[gate] = GateReport(*(None if array is None else np.array(to_numpy(array)) for array in weights))
        layers[name] = LayerWeights(name, gates)
    if not layers and not notes:
        raise ValueError(f"weight_report: {model.name} has no recurrent layer.")
    return WeightReport(layers, notes)
