"""Runs on an executor, as they end: on processes of our own, or on any that has ``concurrent.futures``' interface."""

from __future__ import annotations

import multiprocessing.connection
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, as_completed, wait
from functools import partial
from itertools import count

from rnn_ref.device import get_device
from rnn_ref.distribution.run import Outcome, Run, is_inside, run, run_packed

DIED = "its process died: killed, or out of memory"
_inherited: dict[int, Callable] = {}
_keys = count()


def on_processes(train: Callable, runs: list[Run]) -> Iterator[tuple[Run, Outcome]]:
    """On a process a core. Where one dies, the runs that were at work are run again, one at a time."""
    # A fork has the training as it is, from a notebook or inside another function; others get it by pickle.
    forks = sys.platform == "linux" and get_device() == "cpu"  # GPUs do not survive forks
    context = multiprocessing.get_context("fork" if forks else "spawn")
    caller, key = os.getpid(), next(_keys)
    _inherited[key] = train
    try:
        call = partial(_inheriting, key) if forks else run_packed
        given = {id(one): one.point if forks else _packed(train, one.point) for one in runs}
        yield from _until_done(context, call, given, runs, caller)
    finally:
        del _inherited[key]


def _end_with_parent() -> None:
    """In a process of the pool, which would wait for work for ever if the caller was killed."""

    def wait_for_its_end():
        multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
        os._exit(1)

    threading.Thread(target=wait_for_its_end, daemon=True).start()


def _inheriting(key: int, *args) -> Outcome:
    return run(_inherited[key], *args)


def _until_done(context, call: Callable, given: dict, runs: list[Run], caller: int) -> Iterator[tuple[Run, Outcome]]:
    waiting: deque = deque(runs)
    suspected: deque = deque()
    while waiting or suspected:
        source = waiting or suspected
        workers = min(len(source), os.cpu_count() or 1) if source is waiting else 1
        flying: dict[Future, Run] = {}
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
            try:
                while source or flying:
                    while source and len(flying) < (2 * workers if source is waiting else 1):
                        one = source[0]
                        flying[pool.submit(call, given[id(one)], one.seed, caller)] = one
                        source.popleft()  # only now: a pool that has just broken takes nothing
                    for future in wait(flying, return_when=FIRST_COMPLETED).done:
                        outcome = _outcome(future)
                        yield flying.pop(future), outcome
            except BrokenExecutor:
                if source is waiting:
                    suspected.extend(flying.values())
                elif flying:
                    yield flying.popitem()[1], Outcome(None, DIED)
            except BaseException:  # Ctrl-C, or nobody reads on: without waiting for the runs at work
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            # Else its end is waited for: a process that ends before its pool has may wait for that for ever.


def on(executor, train: Callable, runs: list[Run]) -> Iterator[tuple[Run, Outcome]]:
    """On somebody's executor."""
    from_here = os.getpid(), is_inside()
    futures = {executor.submit(run_packed, _packed(train, one.point), one.seed, *from_here): one for one in runs}
    try:
        for future in as_completed(futures):
            try:
                outcome = _outcome(future)
            except BrokenExecutor:
                outcome = Outcome(None, DIED)
            yield futures[future], outcome
    finally:
        for future in futures:
            future.cancel()


def _outcome(future: Future) -> Outcome:
    """``run`` never raises: an exception is of the way there and back."""
    error = future.exception()
    if error is None:
        return Outcome(*future.result())
    if isinstance(error, BrokenExecutor):
        raise error
    raise _not_sent(error) from error


def _packed(train: Callable, point: dict) -> bytes:
    """Pickled here, so that what nobody can read elsewhere comes back as an error; Dask would wait for ever."""
    try:
        import cloudpickle as pickler  # takes functions from anywhere; comes with Dask
    except ModuleNotFoundError:
        import pickle as pickler
    try:
        return pickler.dumps((train, point))
    except Exception as error:
        raise _not_sent(error) from error


def _not_sent(error: BaseException) -> TypeError:
    return TypeError(
        f"sweep: the training could not be sent to another process ({type(error).__name__}: {error}). Define train at "
        "the top of a module that can be imported there, or install cloudpickle, which sends functions from anywhere; "
        "what a process cannot share, such as a lock or an open file, train should make itself."
    )


def over(executor, train: Callable) -> Callable[[list[Run]], Iterator[tuple[Run, Outcome]]]:
    """The one of the two that an ``executor`` asks for."""
    return partial(on_processes, train) if executor is None else partial(on, executor, train)
