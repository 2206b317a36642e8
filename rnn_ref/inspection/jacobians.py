"""State Jacobians: how much each state of a recurrent layer depends on the previous one, and on much earlier ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnn_ref import checks, linalg
from rnn_ref.device import device
from rnn_ref.guard import guard_methods, guarded
from rnn_ref.inspection.cell_jacobians import step_jacobians
from rnn_ref.inspection.known_cells import kind_of
from rnn_ref.inspection.runs import one_cell, run_undisturbed
from rnn_ref.layers.lstm import LSTMCell
from rnn_ref.layers.matmul import matmul
from rnn_ref.layers.simple_rnn import SimpleRNNCell

MOST_DISTANCES = 100  # the number of distances by default

# Largest |f'| of each activation: the gamma of the bound. Those of SiLU and GELU have no closed form.
LARGEST_SLOPE = {
    "tanh": 1.0,
    "sigmoid": 0.25,
    "linear": 1.0,
    "relu": 1.0,
    "hard_sigmoid": 1 / 6,
    "hard_sigmoid_legacy": 0.2,
    "softsign": 1.0,
    "elu": 1.0,
    "selu": 1.0507009873554805 * 1.6732632423543772,
    "softplus": 1.0,
    "silu": 1.0998393202,
    "gelu": 1.1289041452,
}


@dataclass(frozen=True)
class Decay:
    """Norms by distance: how much of a change to a state remains ``distance`` steps later.

    Attributes
    ----------
    distance : ndarray of int, (D,)
    norm : ndarray, (D,)
        Spectral norm of d s_stop / d s_(stop - distance): the largest factor by which a change can have grown.
    bound : ndarray, (D,), or None
        ``(||U|| gamma)^distance``, which the norm cannot exceed (Pascanu et al. 2013); SimpleRNN only.
    """

    distance: np.ndarray
    norm: np.ndarray
    bound: np.ndarray | None

    def __repr__(self):
        bound = "" if self.bound is None else f", bound {self.bound[-1]:.2e}"
        return f"<Decay over {self.distance[-1]} steps: norm {self.norm[-1]:.2e}{bound}>"


@dataclass(frozen=True)
class CellPath:
    """Two paths from an old cell state of an LSTM to a new one: along the forget gates, and via ``h`` and the gates.

    Attributes
    ----------
    distance : ndarray of int, (D,)
    kept : ndarray, (D,)
        Frobenius norm of the cell path alone: the diagonal matrix with the products of the forget gates.
    rest : ndarray, (D,)
        Frobenius norm of d c_stop / d c_(stop - distance) minus the cell path.
    share : ndarray, (D,)
        ``kept / (kept + rest)``: 1 if everything remembered went along the cell path.
    """

    distance: np.ndarray
    kept: np.ndarray
    rest: np.ndarray
    share: np.ndarray

    def __repr__(self):
        return f"<CellPath over {self.distance[-1]} steps: share {self.share[0]:.2f} .. {self.share[-1]:.2f}>"


@guard_methods
class StateJacobians:
    """``J_t = d s_t / d s_(t-1)`` for every time step of one sequence.

    The state ``s`` is the hidden state, and for an LSTM the hidden and cell states joined. ``J_t[a, b]`` says how much
    unit ``a`` after step ``t`` moves with unit ``b`` before it. Steps are counted in the order of computation: a layer
    that reads backwards takes the last time step first. A masked step carries the state over: its Jacobian is the
    identity.

    ``jacobians[t]`` is one Jacobian ``(S, S)``, and ``steps`` has all. They are assembled on demand, as a thousand
    steps of a large layer fill gigabytes. All are float64, whatever the precision of the layer.

    Attributes
    ----------
    name : str
        Name of the layer.
    states : dict of str to slice
        Where each state is in ``s``: ``{"hidden": slice(0, H), "cell": slice(H, 2*H)}`` for an LSTM.
    size : int
        S, size of the joint state.
    mask : ndarray of bool, (T,), or None
    forget : ndarray, (T, H), or None
        Forget gates of an LSTM; 1 at masked steps.
    contraction : float or None
        ``||U|| gamma`` of a SimpleRNN: spectral norm of the recurrent kernel times the activation's largest slope.

    References
    ----------
    Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013.
    """

    def __init__(self, name, steps, states, *, mask=None, forget=None, contraction=None):
        self.name, self._steps, self.states = name, steps, states
        self.size = next(reversed(states.values())).stop
        self.mask, self.forget, self.contraction = mask, forget, contraction

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, t: int) -> np.ndarray:
        T = len(self)
        if not -T <= t < T:
            raise IndexError(f"{self.name}: there is no step {t}; there are {T}.")
        t %= T
        return np.eye(self.size) if self.mask is not None and not self.mask[t] else self._steps[t]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[t] for t in range(len(self)))

    def __repr__(self):
        return f"<StateJacobians {self.name}: {', '.join(self.states)}; T={len(self)}, S={self.size}>"

    @property
    def steps(self) -> np.ndarray:
        """All Jacobians, ``(T, S, S)``."""
        return np.stack(list(self))

    # -- over an interval ------------------------------------------------------------------------------

    def product(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Derivative of the state after the steps ``start, ..., stop - 1`` by the state before them: ``(S, S)``.

        Parameters
        ----------
        start, stop : int
            As in a slice; by default all steps.

        Returns
        -------
        ndarray, (S, S)
            ``J_(stop-1) ... J_(start+1) J_start``; the identity for an empty interval.
        """
        start, stop = self._interval(start, stop)
        total = np.eye(self.size)
        for t in range(start, stop):
            total = matmul(self[t], total)
        return total

    def singular_values(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Singular values of :meth:`product`, largest first: ``(S,)``.

        Those more than about 1e16 times smaller than the largest are only rounding.
        """
        return linalg.svd(self.product(start, stop), compute_uv=False)

    def eigenvalues(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Eigenvalues of :meth:`product`, complex, ``(S,)``."""
        return linalg.eigvals(self.product(start, stop)).astype(complex)

    def spectral_radius(self, start: int = 0, stop: int | None = None) -> float:
        """Largest magnitude among the eigenvalues of :meth:`product`."""
        return float(np.abs(self.eigenvalues(start, stop)).max())

    # -- by distance -----------------------------------------------------------------------------------

    def by_distance(self, stop: int | None = None, distances=None) -> tuple[np.ndarray, np.ndarray]:
        """Singular values of d s_stop / d s_(stop - distance) for growing distances.

        Parameters
        ----------
        stop : int, optional
            The state is the one after ``stop`` steps; by default the last.
        distances : sequence of int, optional
            By default all from 1 on, or a hundred evenly spaced ones if there are more.

        Returns
        -------
        distances : ndarray of int, (D,)
        values : ndarray, (D, S)
            Largest first; 0 or infinite if out of the range of floating point.
        """
        distances = self._distances(stop, checks.unmasked(distances, "distances", self.name))
        parts = [(linalg.svd(J, compute_uv=False), log) for J, log, _ in self._back_from(stop, distances)]
        return distances, _scaled(*map(np.array, zip(*parts)))

    def decay(self, stop: int | None = None, distances=None) -> Decay:
        """Norm by distance, and the bound on it; the arguments are those of :meth:`by_distance`."""
        distances, values = self.by_distance(stop, distances)
        return Decay(distances, values[:, 0], self.bound(distances, stop))

    def bound(self, distances, stop: int | None = None) -> np.ndarray | None:
        """``(||U|| gamma)^distance`` for a SimpleRNN, None for other layers; masked steps do not count."""
        if self.contraction is None:
            return None
        stop = len(self) if stop is None else stop
        counted = np.ones(len(self), bool) if self.mask is None else self.mask
        return np.array([self.contraction ** counted[stop - d : stop].sum() for d in distances])

    def cell_path(self, stop: int | None = None, distances=None) -> CellPath:
        """For an LSTM, how much of d c_stop / d c_(stop - distance) is the product of the forget gates.

        Parameters
        ----------
        stop, distances
            As in :meth:`by_distance`.

        Returns
        -------
        CellPath

        Raises
        ------
        ValueError
            For a layer without forget gates.
        """
        if self.forget is None:
            raise ValueError(f"{self.name}: cell_path needs a cell state and forget gates, which only an LSTM has.")
        distances, cell = self._distances(stop, distances), self.states["cell"]
        parts = []
        for J, log, kept in self._back_from(stop, distances):
            rest = J[cell, cell] - np.diag(kept)
            parts.append(((linalg.norm(kept), linalg.norm(rest)), log))
        norms, logs = map(np.array, zip(*parts))
        with np.errstate(invalid="ignore"):  # 0 / 0: nothing is left on either path
            share = norms[:, 0] / norms.sum(axis=1)
        return CellPath(distances, *_scaled(norms, logs).T, share)

    def _back_from(self, stop, distances) -> Iterator[tuple]:
        """For each distance ``J, log, kept``: the product is ``exp(log) J``, of the forget gates ``exp(log) kept``.

        Products over hundreds of steps may leave the range of floating point; ``J`` stays within it.
        """
        stop = len(self) if stop is None else stop
        total, kept, log_scale = np.eye(self.size), np.ones(0 if self.forget is None else self.forget.shape[1]), 0.0
        for distance in range(1, distances[-1] + 1):
            t = stop - distance
            total = matmul(total, self[t])
            if self.forget is not None:
                kept = kept * self.forget[t]
            size = np.abs(total).max()
            if size > 0:
                total, kept, log_scale = total / size, kept / size, log_scale + np.log(size)
            if distance in distances:
                yield total, log_scale, kept

    def _distances(self, stop, distances) -> np.ndarray:
        T = len(self)
        if stop is not None and not 1 <= stop <= T:
            raise ValueError(f"{self.name}: stop={stop}, but a state after a step is one after 1 to {T} steps.")
        longest = T if stop is None else stop
        if distances is None:
            distances = np.linspace(1, longest, min(longest, MOST_DISTANCES)).round()
        distances = np.unique(np.asarray(distances, int))
        if not distances.size or distances[0] < 1 or distances[-1] > longest:
            raise ValueError(f"{self.name}: distances must lie between 1 and {longest}, got {distances.tolist()}.")
        return distances

    def _interval(self, start, stop) -> tuple[int, int]:
        T = len(self)
        stop = T if stop is None else stop
        if not 0 <= start <= stop <= T:
            raise ValueError(f"{self.name}: 0 <= start <= stop <= {T} must hold, got start={start}, stop={stop}.")
        return start, stop

    # -- in the long run -------------------------------------------------------------------------------

    def lyapunov_exponents(self, k: int = 1, *, skip: int = 0) -> np.ndarray:
        """The ``k`` largest Lyapunov exponents: rates per step at which small differences of states grow or shrink.

        ``k`` orthogonal directions are carried through the Jacobians and made orthogonal again after each (QR); the
        mean logarithm of the factor by which each is stretched is its exponent. Positive means chaos and exploding
        gradients; negative means vanishing ones. Masked steps do not count.

        Parameters
        ----------
        k : int
        skip : int
            Steps at the start to leave out of the average, while the directions settle.

        Returns
        -------
        ndarray, (k,)
            ``-inf`` if a direction vanishes completely.

        References
        ----------
        Benettin et al., "Lyapunov characteristic exponents for smooth dynamical systems", 1980; Engelken et al.,
        "Lyapunov spectra of chaotic recurrent neural networks", 2023.
        """
        if not 1 <= k <= self.size:
            raise ValueError(f"{self.name}: k={k}, but there are 1 to {self.size} exponents.")
        steps = [t for t in range(len(self)) if self.mask is None or self.mask[t]]
        if not 0 <= skip < len(steps):
            raise ValueError(f"{self.name}: skip={skip} leaves nothing of {len(steps)} steps.")
        start = np.random.default_rng(0).normal(size=(self.size, self.size))  # the first are the same for any k
        directions = linalg.qr(start[:, :k])[0]
        total = np.zeros(k)
        for count, t in enumerate(steps):
            directions, stretch = linalg.qr(matmul(self[t], directions))
            if count >= skip:
                with np.errstate(divide="ignore"):
                    total += np.log(np.abs(np.diag(stretch)))
        return np.sort(total / (len(steps) - skip))[::-1]


def _scaled(values: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """``exp(log) value`` for each row; 0 or infinity if that is out of the range of floating point."""
    with np.errstate(over="ignore", divide="ignore"):
        return np.exp(np.log(values) + logs[:, None])


@guarded
def state_jacobians(model, x, *, layer: str | None = None, sample: int = 0) -> StateJacobians:
    """Exact derivative of every state of a recurrent layer by the state before it.

    Parameters
    ----------
    model : Model, Sequential or recurrent layer
    x : ndarray, (B, T, F)
        Or what else the model takes.
    layer : str, optional
        Which recurrent layer, by its name in a trace; not needed if there is only one.
    sample : int
        Which sequence of the batch.

    Returns
    -------
    StateJacobians

    Raises
    ------
    ValueError
        If there is no such layer or sample, or ``layer`` is missing.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> identity = rnn_ref.initializers.Identity(gain=0.5)
    >>> rnn = rnn_ref.layers.SimpleRNN(2, activation="linear", recurrent_initializer=identity)
    >>> jacobians = rnn_ref.state_jacobians(rnn, np.ones((1, 10, 3)))
    >>> jacobians.product(0, 3)
    array([[0.125, 0.   ],
           [0.   , 0.125]])
    >>> np.exp(jacobians.lyapunov_exponents()).round(9)
    array([0.5])
    """
    name, cell, tape = one_cell(run_undisturbed(model, x), layer, getattr(model, "name", "the model"))
    B = tape.outputs.shape[1]
    if not 0 <= sample < B:
        raise ValueError(f"{name}: sample={sample}, but the data hold samples 0 to {B - 1}.")
    mask = None if tape.mask is None else tape.mask[:, sample].copy()
    with device("cpu"):
        steps = step_jacobians(cell, tape, sample)
    states, first = {}, 0
    for state, size in zip(cell.state_names, cell.state_sizes):
        states[state] = slice(first, first + int(np.prod(size)))
        first = states[state].stop
    return StateJacobians(
        name, steps, states, mask=mask, forget=_forget(cell, tape, sample), contraction=_contraction(cell)
    )


def _forget(cell, tape, sample: int) -> np.ndarray | None:
    if kind_of(cell) is not LSTMCell:
        return None
    gate = tape.gates[cell.GATES.index("forget")][:, sample].astype("float64")
    return gate if tape.mask is None else np.where(tape.mask[:, sample, None], gate, 1.0)


def _contraction(cell) -> float | None:
    if kind_of(cell) is not SimpleRNNCell or cell.activation.name not in LARGEST_SLOPE:
        return None
    norm = linalg.norm(cell.recurrent_kernel.numpy().astype("float64"), 2)
    return float(norm * LARGEST_SLOPE[cell.activation.name])
