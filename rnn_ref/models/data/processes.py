"""Worker processes that make the batches of a :class:`PyDataset`."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import pickle
import random as python_random
import signal
import tempfile
import threading
import traceback
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

from rnn_ref import random
from rnn_ref.models.data.ahead import results_of


class Processes:
    """Processes that have a copy of a data set, made anew for every pass, until they are closed.

    They are started afresh (``spawn``): a fork would have the locks, and not the threads, of compiled kernels.

    Parameters
    ----------
    dataset : PyDataset
    """

    def __init__(self, dataset):
        self._dataset, self._owner = dataset, type(dataset).__name__
        self._pool: ProcessPoolExecutor | None = None
        used = random.generator().bit_generator.seed_seq
        used.spawn(1)  # counts; other numbers in the next fit, the same after the same set_random_seed
        self._number = used.n_children_spawned

    def batches(self, numbers: Iterable[int], number_of_pass: int) -> Generator:
        """The batches of these numbers, in order."""
        pool = self._pool or self._start()
        path = Path(self._folder.name) / str(number_of_pass)
        path.write_bytes(_packed(self._dataset, self._owner))
        drawn = repr([random.to_config(random.generator()), self._number, number_of_pass])
        seed = int.from_bytes(hashlib.sha256(drawn.encode()).digest()[:4])  # nothing is drawn that a thread would not
        asked: deque[int] = deque()

        def submit(number: int) -> Future:
            asked.append(number)
            with _uninterrupted():
                return pool.submit(_make, str(path), number, seed, self._owner)

        ahead = self._dataset.max_queue_size or self._dataset.workers
        try:
            with closing(results_of(submit, numbers, ahead)) as batches:
                for batch in batches:
                    asked.popleft()
                    yield batch
        except BrokenProcessPool as error:
            raise RuntimeError(_died(self._owner, asked)) from error
        except Exception as error:  # raised anew: the lines that raised it are told in its cause
            error.add_note(f"batch {asked[0]} of {self._owner}, made in a worker process, which sends it by pickle")
            raise error.with_traceback(None) from error.__cause__
        finally:
            path.unlink(missing_ok=True)

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        self._folder = tempfile.TemporaryDirectory(prefix="rnn_ref-")
        ours, self._alive = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(self._dataset.workers, context, initializer=_begin, initargs=(ours,))
        return self._pool

    def close(self) -> None:
        """End all of them, those in the midst of a batch too."""
        if self._pool is None:
            return
        self._alive.close()
        self._pool.shutdown(cancel_futures=True)
        self._folder.cleanup()
        self._pool = None


def _died(owner: str, asked: Iterable[int]) -> str:
    return (
        f"{owner}: a worker process died before batch {', '.join(map(str, asked))} was made. If it wrote nothing it "
        "was killed, or out of memory: lower workers or max_queue_size. If it wrote of bootstrapping: start the "
        'program under `if __name__ == "__main__":`. If it crashed: use_multiprocessing=False shows where.'
    )


def _packed(dataset, owner: str) -> bytes:
    try:
        import cloudpickle as pickler  # takes classes from anywhere; comes with Dask
    except ModuleNotFoundError:
        import pickle as pickler
    try:
        return pickler.dumps(dataset)
    except Exception as error:
        raise TypeError(
            f"{owner}: use_multiprocessing=True sends the data set to other processes, and this one cannot be pickled "
            f"({type(error).__name__}: {error}). What processes cannot share, such as an open file or a lock, open in "
            "__getitem__; or leave use_multiprocessing out: workers are threads then."
        ) from error


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A process that is started inside does not hear Ctrl-C, not even before it runs anything of ours."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- in a worker ------------------------------------------------------------------------------------


class _Here:
    """What a worker knows."""

    path = ""  # of the copy that it has
    dataset: Any = None
    border = threading.Lock()  # between the batch that is made and everything else
    busy = ended = False


def _begin(alive: Connection) -> None:
    """End with the caller, or on its word; not in the midst of sending, for which somebody would wait."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller says when
    parent = multiprocessing.parent_process()
    assert parent is not None
    caller = parent.sentinel

    def wait_for_the_end():
        ready = wait([alive, caller])
        with _Here.border:
            _Here.ended = True
            if _Here.busy or caller in ready:
                os._exit(1)

    threading.Thread(target=wait_for_the_end, daemon=True).start()


def _make(path: str, number: int, seed: int, owner: str) -> Any:
    """Batch ``number`` of the data set in a file, from random numbers that are its own."""
    with _Here.border:
        if _Here.ended:
            return None
        _Here.busy = True
    try:
        if _Here.path != path:
            _Here.dataset, _Here.path = _unpacked(path, owner), path
        for begin in (python_random.seed, np.random.seed, random.set_seed):
            begin((seed + number) % 2**32)
        before = _drawn(_Here.dataset)
        batch = _Here.dataset[number]
        after = _drawn(_Here.dataset)
        for name in before:
            if after.get(name) != before[name]:
                raise RuntimeError(_draws(owner, name))
        return batch
    except Exception as error:
        if not _can_be_sent(error):
            raise RuntimeError("".join(traceback.format_exception(error))) from None
        raise
    finally:
        with _Here.border:
            _Here.busy = False


def _unpacked(path: str, owner: str) -> Any:
    try:
        return pickle.loads(Path(path).read_bytes())
    except Exception as error:
        raise TypeError(
            f"{owner}: the data set cannot be made anew in another process ({type(error).__name__}: {error}). "
            "Define its class in a module that can be imported there, or install cloudpickle, which sends any class."
        ) from error


def _drawn(dataset) -> dict[str, str]:
    """Where the generators of random numbers are that the data set has."""
    found = {}
    for name, value in getattr(dataset, "__dict__", {}).items():
        if isinstance(value, np.random.Generator):
            found[name] = repr(value.bit_generator.state)
        elif isinstance(value, np.random.RandomState):
            found[name] = repr(value.get_state())
        elif isinstance(value, python_random.Random):
            found[name] = repr(value.getstate())
    return found


def _draws(owner: str, name: str) -> str:
    return (
        f"{owner}: __getitem__ draws from self.{name}, of which every process has a copy: what comes out would depend "
        "on which of them makes a batch, and be the same in every epoch. Draw from numpy.random, which is seeded for "
        "each batch here, or from numpy.random.default_rng([self.epoch, index]); count self.epoch in on_epoch_end."
    )


def _can_be_sent(error: Exception) -> bool:
    try:
        return pickle.loads(pickle.dumps(error)) is not None
    except Exception:
        return False
