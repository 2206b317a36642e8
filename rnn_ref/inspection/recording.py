"""Recorder: looks inside a model every few training steps, and keeps what it finds in one small file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from rnn_ref.guard import guard_methods
from rnn_ref.inspection.gradients import gradient_flow
from rnn_ref.inspection.jacobians import state_jacobians
from rnn_ref.inspection.runs import built_cells
from rnn_ref.inspection.saturation import saturation
from rnn_ref.inspection.weights import weight_report
from rnn_ref.training.callbacks import Callback

SEPARATOR = " | "  # between the parts of a name in the file, as layer names contain slashes


class Recording(Mapping):
    """What a :class:`Recorder` found: nested dicts by kind, layer and quantity.

    ``recording["gradient_flow"]["lstm"]["norm"]`` is ``(N, T)``,
    ``recording["saturation"]["lstm"]["forget"]["above"]`` is ``(N, H)``,
    ``recording["weights"]["lstm"]["forget"]["spectral_radius"]`` is ``(N,)``.

    Attributes
    ----------
    steps : ndarray of int, (N,)
        Training steps (updates) done at each record.
    loss : ndarray, (N,), or None
        On the recorder's data, if gradient flow is recorded.
    """

    def __init__(self, steps, loss, series: dict[tuple[str, ...], np.ndarray]):
        self.steps, self.loss, self.series = steps, loss, series
        self._tree: dict = {}
        for path, array in series.items():
            place = self._tree
            for part in path[:-1]:
                place = place.setdefault(part, {})
            place[path[-1]] = array

    def __getitem__(self, kind: str) -> dict:
        if kind not in self._tree:
            raise KeyError(f"{kind!r} was not recorded; there are {', '.join(self._tree)}.")
        return self._tree[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tree)

    def __len__(self) -> int:
        return len(self._tree)

    def save(self, path) -> None:
        """Write a compressed ``.npz``."""
        arrays = {SEPARATOR.join(name): array for name, array in self.series.items()}
        if self.loss is not None:
            arrays["loss"] = self.loss
        with Path(path).open("wb") as file:
            np.savez_compressed(file, steps=self.steps, **arrays)

    @classmethod
    def load(cls, path) -> Recording:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        if "steps" not in arrays:
            raise ValueError(f"{path} was not written by a Recorder: it has no steps.")
        steps, loss = arrays.pop("steps"), arrays.pop("loss", None)
        return cls(steps, loss, {tuple(name.split(SEPARATOR)): array for name, array in arrays.items()})

    def __repr__(self):
        layers = dict.fromkeys(layer for kind in self.values() for layer in kind)
        return (
            f"<Recording of {', '.join(self)} of {', '.join(layers)}: {len(self.steps)} records, steps {self._span()}>"
        )

    def _span(self) -> str:
        return f"{self.steps[0]} .. {self.steps[-1]}" if len(self.steps) else "none"


@guard_methods
class Recorder(Callback):
    """Callback that records gradient flow, gate saturation, weight spectra or Jacobians during training.

    Records are taken before the first update, after every ``every`` updates, and at the end of training, always on the
    same data. Training is not affected: no random numbers are drawn, and stateful layers keep their states.

    Parameters
    ----------
    x, y
        Samples and targets to inspect the model with. ``y`` may be omitted without gradient flow.
    every : int
        Training steps (updates) between two records.
    what : sequence of str
        "gradient_flow": norm of dL/dh_t and of every time step's contribution to the weights' gradients;
        "saturation": fraction of time each gate is below 0.1 and above 0.9; "weights": norms and spectra of each gate's
        weights; "jacobians": the largest Lyapunov exponents, for the first sample.
    path : str or Path, optional
        Where to write the records at the end of training, for :meth:`load`.
    loss : optional
        As in :func:`~rnn_ref.gradient_flow`.

    Attributes
    ----------
    recording : Recording
        The records so far.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> model = rnn_ref.Sequential([rnn_ref.layers.GRU(4, name="gru"), rnn_ref.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> x, y = np.ones((32, 10, 2)), np.ones((32, 1))
    >>> recorder = rnn_ref.Recorder(x[:8], y[:8], every=2)
    >>> _ = model.fit(x, y, batch_size=8, verbose=0, callbacks=[recorder])
    >>> recorder.recording.steps
    array([0, 2, 4])
    >>> recorder.recording["gradient_flow"]["gru"]["norm"].shape
    (3, 10)
    """

    def __init__(
        self, x, y=None, *, every: int = 10, what=("gradient_flow", "saturation", "weights"), path=None, loss=None
    ):
        super().__init__()
        what = (what,) if isinstance(what, str) else tuple(what)
        unknown = [kind for kind in what if kind not in RECORDED]
        if unknown or not what:
            raise ValueError(f"Recorder: what={unknown or what} is unknown; choose from {', '.join(RECORDED)}.")
        if y is None and "gradient_flow" in what:
            raise ValueError("Recorder: gradient_flow needs targets y; give them, or leave it out of what.")
        if not (isinstance(every, (int, np.integer)) and every >= 1):
            raise ValueError(f"Recorder: every must be a positive number of steps, got {every!r}.")
        self.x, self.y, self.every, self.what, self.path, self.loss = x, y, int(every), what, path, loss
        self._count = 0
        self._steps: list[int] = []
        self._losses: list[float] = []
        self._records: dict[tuple[str, ...], list] = {}

    def on_train_batch_begin(self, batch, logs=None):
        if self._count % self.every == 0:  # by now the model is built, and not yet updated
            self._record()

    def on_train_batch_end(self, batch, logs=None):
        self._count += 1

    def on_train_end(self, logs=None):
        if self._count:
            self._record()
        if self.path is not None:
            self.recording.save(self.path)

    def _record(self) -> None:
        if self._steps and self._steps[-1] == self._count:
            return  # a second fit starts where the first ended
        self._steps.append(self._count)
        for kind in self.what:
            for path, value in RECORDED[kind](self):
                self._records.setdefault((kind, *path), []).append(np.asarray(value))

    @property
    def recording(self) -> Recording:
        series = {path: np.stack(values) for path, values in self._records.items()}
        return Recording(np.array(self._steps, int), np.array(self._losses) if self._losses else None, series)

    @staticmethod
    def load(path) -> Recording:
        """The records in a file."""
        return Recording.load(path)


def _gradient_flow(recorder: Recorder) -> Iterator[tuple]:
    flow = gradient_flow(recorder.model, recorder.x, recorder.y, recorder.loss)
    recorder._losses.append(flow.loss)
    for name, layer in flow.items():
        yield (name, "norm"), layer.norm
        for weight, norms in layer.contribution_norms().items():
            yield (name, "contributions", weight), norms


def _saturation(recorder: Recorder) -> Iterator[tuple]:
    for name, layer in saturation(recorder.model, recorder.x).items():
        for gate in layer.below:
            yield (name, gate, "below"), layer.below[gate]
            yield (name, gate, "above"), layer.above[gate]
        yield (name, "hidden", "large"), layer.large
        yield (name, "hidden", "zero"), layer.zero


def _weights(recorder: Recorder) -> Iterator[tuple]:
    for name, layer in weight_report(recorder.model).items():
        for gate, report in layer.items():
            yield (name, gate, "spectral_radius"), report.spectral_radius
            yield (name, gate, "spectral_norm"), report.spectral_norm
            yield (name, gate, "eigenvalues"), report.eigenvalues
            for weight, norm in report.norms.items():
                yield (name, gate, f"{weight}_norm"), norm


def _jacobians(recorder: Recorder) -> Iterator[tuple]:
    for name, _ in built_cells(recorder.model, "Recorder"):
        jacobians = state_jacobians(recorder.model, recorder.x, layer=name)
        yield (name, "lyapunov_exponents"), jacobians.lyapunov_exponents(min(4, jacobians.size))


RECORDED: dict[str, Callable[[Recorder], Iterator[tuple]]] = {
    "gradient_flow": _gradient_flow,
    "saturation": _saturation,
    "weights": _weights,
    "jacobians": _jacobians,
}
