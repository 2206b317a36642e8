"""Training on several processes that MPI started: each has the model, and its share of every batch."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numba
import numpy as np

from rnn_ref import checks, shares
from rnn_ref.distribution.alike import check_metrics, check_model
from rnn_ref.distribution.exchange import Exchange
from rnn_ref.distribution.own_draws import OwnDraws
from rnn_ref.distribution.ranks import Ranks, Together
from rnn_ref.distribution.shared_batches import SharedBatches
from rnn_ref.distribution.shared_callbacks import SharedCallbacks


class DataParallel:
    """Train with all ranks of a communicator, as one process would with the whole batch.

    Start the same program on every rank, ``mpiexec -n 4 python train.py``. Inside, after
    ``set_distribution(DataParallel())``, ``fit`` and ``evaluate`` work together: every rank computes the gradients of
    its share of each batch, and *one* sum over all ranks of one flat buffer makes of them those of the whole batch,
    with the loss and metrics in the same buffer. The result equals that of one process to rounding, and is the same
    bits whenever there are as many ranks.

    - Weights, the optimizer and generators of random numbers are the first rank's at the start.
    - Callbacks, with the files they write, run on the first rank alone; what they decide (weights, the learning rate,
      the end of training) reaches the others. The bar is shown there, the history is everywhere.
    - Dropout draws on each rank by itself, from a seed that the rank's number is a part of.
    - Where a loss has a mask or divides by its weights, a small sum before the large one counts what is left.
    - A stateful layer has states for the rank's rows; made with a fixed batch size, it takes that of its share.
    - Ctrl-C ends all after the same step. An error of one ends all with an error that names it. So does its death on
      the same machine; a launcher that ends the others within a millisecond leaves it to a small process of ours on
      each machine to name it (on Linux; Open MPI's launcher names it, too, MPICH's the process only).
    - ``predict``, ``gradients``, ``gradient_flow`` and everything that looks at a model work on each rank by itself.

    Refused: BatchNormalization, steps and losses of one's own that see a batch whole, GPUs, batches of fewer samples
    than ranks.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm, optional
        ``MPI.COMM_WORLD`` when absent.
    threads : int, optional
        Of each rank; the cores of the machine shared by its ranks when absent.

    Attributes
    ----------
    rank, size : int
        The number of this rank, from 0, and how many there are.

    References
    ----------
    https://keras.io/api/distribution/layout_map/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> x, y = np.ones((8, 5, 2)), np.ones((8, 1))
    >>> model = rnn_ref.Sequential([rnn_ref.Input((5, 2)), rnn_ref.layers.LSTM(3), rnn_ref.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> with DataParallel().scope():  # doctest: +SKIP
    ...     history = model.fit(x, y, batch_size=8, verbose=0)
    """

    def __init__(self, comm=None, threads: int | None = None):
        try:
            from mpi4py import MPI
        except ImportError as error:
            raise ImportError("DataParallel needs mpi4py and an MPI: pip install 'rnn-ref[distributed]'") from error
        threads = checks.integer(threads, "threads", "DataParallel", least=1, optional=True)
        comm = MPI.COMM_WORLD if comm is None else comm
        if not isinstance(comm, MPI.Comm):
            raise TypeError(f"DataParallel: comm should be a communicator of mpi4py, got {comm!r:.80}.")
        self.ranks = Ranks(comm)
        self.rank, self.size = self.ranks.rank, self.ranks.size
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        wanted = max(1, cores // self.ranks.here) if threads is None else threads
        numba.set_num_threads(min(wanted, numba.config.NUMBA_NUM_THREADS))
        self._exchange = Exchange(self.ranks)
        self._source: SharedBatches | None = None
        self.draws: OwnDraws | None = None
        self._interrupted = False

    @contextmanager
    def scope(self) -> Iterator[DataParallel]:
        """Train together inside a ``with`` block."""
        before = shares.together()
        set_distribution(self)
        try:
            yield self
        finally:
            set_distribution(before)

    # -- what models ask for ------------------------------------------------------------------------

    def shared(self, source) -> SharedBatches:
        """A source of batches of which this rank reads its share."""
        return _Noting(source, self.ranks, self)

    def callbacks(self, called, model, epochs_of_data) -> SharedCallbacks:
        """Callbacks of which the first rank's decide."""
        return SharedCallbacks(called, model, epochs_of_data, self)

    def train_on(self, model, x: list, y: list, sample_weight: list) -> None:
        """A step on this rank's share of a batch."""
        with self.ranks.telling():
            share = self._take(model)
            with shares.taking(share), self.draws.taken() if self.draws else nullcontext():
                loss, trainable, grads, outputs, masks = model._loss_and_gradients(x, y, sample_weight)
                with_gradient = [weight for weight in trainable if grads.get(weight) is not None]
                given = [grads[weight] for weight in with_gradient]
                loss, found = self._together(model, loss, (y, outputs, sample_weight, masks), given)
            if trainable:
                summed = dict(zip(with_gradient, found))
                model.optimizer.apply([summed.get(weight) for weight in trainable], trainable)
            model.objective.track(share.total, loss)
            self._stop_if_interrupted()

    def test_on(self, model, x: list, y: list, sample_weight: list) -> None:
        """Loss and metrics of a batch, without an update."""
        with self.ranks.telling():
            share = self._take(model)
            with shares.taking(share):
                outputs, tape = model.run_lists(x, record=False)
                masks = model.output_masks(tape)
                loss = model._loss(x, y, sample_weight, outputs, masks, tape)
                loss, _ = self._together(model, loss, (y, outputs, sample_weight, masks), [])
            model.objective.track(share.total, loss)
            self._stop_if_interrupted()

    # -- a step -------------------------------------------------------------------------------------

    def _take(self, model) -> shares.Share:
        source, self._source = self._source, None
        if source is None:
            raise NotImplementedError(
                f"{model.name}: DataParallel shares batches in fit and evaluate; train_on_batch and test_on_batch "
                "would leave every rank with a model of its own. Use fit, or set_distribution(None)."
            )
        return shares.Share(source.rows, source.total, self.rank == 0, self._add_up)

    def _add_up(self, number: float) -> float:
        summed = np.array([number])
        self.ranks.sum(summed)
        return float(summed[0])

    def _together(self, model, loss, batch, grads: list) -> tuple[float, list[np.ndarray]]:
        """The loss of the whole batch and its gradients, by one sum; metrics have seen the whole batch then, too."""
        y, outputs, *_ = batch
        objective = model.objective
        if objective.metrics is not None:
            objective.metrics.resolve(y, outputs)
        metrics = [metric for metric in model.metrics if metric not in [objective.loss_tracker, *objective.trackers]]
        check_metrics(metrics)
        before = {id(v): v.numpy() for metric in metrics for v in metric.variables}
        objective.update(*batch)
        variables = list({id(v): v for metric in metrics for v in metric.variables}.values())
        seen = [v - before.get(id(v), 0) for v in variables]
        known = [k for k, value in enumerate(objective.last) if value is not None]
        numbers = np.array([self._interrupted, loss, *(objective.last[k] for k in known)], np.float64)
        dtype = np.result_type(np.float32, *(grad.dtype for grad in grads)) if grads else np.float64
        numbers, *found = self._exchange.sum([numbers, *seen, *grads], dtype)
        for variable, added in zip(variables, found):
            variable.assign(before.get(id(variable), 0) + added.astype(np.float64))
        for k, value in zip(known, numbers[2:].tolist()):
            objective.last[k] = value
        self._interrupted = bool(numbers[0])
        return float(numbers[1]), found[len(variables) :]

    def _stop_if_interrupted(self) -> None:
        if self._interrupted:
            self._interrupted = False
            raise Together

    # -- around training ----------------------------------------------------------------------------

    def begin(self, model) -> None:
        """Before the first step: what is drawn from here on is each rank's own."""
        check_model(model)
        self.draws = OwnDraws(model, self.rank)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Ctrl-C is told to all with the next step; pressed again, it ends this process at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def note(*_):
            self._interrupted = True
            signal.signal(signal.SIGINT, before)

        signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


class _Noting(SharedBatches):
    """Shared batches that leave word which of them comes next."""

    def __init__(self, source, ranks: Ranks, distribution: DataParallel):
        super().__init__(source, ranks)
        self._distribution = distribution

    def _part(self, rows):
        self._distribution._source = self
        return super()._part(rows)


def set_distribution(distribution: DataParallel | None) -> None:
    """Train with the ranks of a distribution from now on, or with None alone again.

    References
    ----------
    https://keras.io/api/distribution/layout_map/#set_distribution-function

    Examples
    --------
    >>> set_distribution(None)
    >>> print(distribution())
    None
    """
    if distribution is not None and not isinstance(distribution, DataParallel):
        raise TypeError(f"set_distribution takes a DataParallel, or None; got {distribution!r:.80}.")
    shares.set_together(distribution)


def distribution() -> DataParallel | None:
    """What :func:`set_distribution` set last."""
    return shares.together()
