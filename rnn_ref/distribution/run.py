"""One training of a sweep, in whatever process or thread it is sent to."""

from __future__ import annotations

import inspect
import math
import numbers
import os
import pickle
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numba

from rnn_ref import regions
from rnn_ref.utils.seeding import set_random_seed

_alone = threading.Lock()  # Python's, NumPy's and our generators are one for the whole process
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone._at_fork_reinit)  # a run may itself sweep over processes
_thread = threading.local()

WAITING = (
    "sweep: a run that sweeps itself needs processes for that; in threads of its own process, runs would wait for it, "
    "and it for them. Leave out the executor, or give one that starts processes."
)


class Run(NamedTuple):
    """A point of the grid, by argument, its labels, and a seed."""

    point: dict[str, Any]
    labels: dict[str, Any]
    seed: int


class Outcome(NamedTuple):
    """The numbers of a run, or what went wrong."""

    result: dict[str, float] | None
    error: str | None


def is_inside() -> bool:
    """Whether this thread is within a run."""
    return getattr(_thread, "is_inside", False)


def run(train: Callable, point: dict[str, Any], seed: int, caller: int, nested: bool = False) -> Outcome:
    """Seed every generator, train, on one thread where the process is not the ``caller``'s; never raises.

    ``nested`` says that the caller is within a run.
    """
    if nested and os.getpid() == caller:
        return Outcome(None, WAITING)
    with _alone:
        threads = numba.get_num_threads()
        alone = os.getpid() != caller and not regions._forked
        try:
            _thread.is_inside = True
            if alone:
                numba.set_num_threads(1)
            set_random_seed(seed)
            seeded = {"seed": seed} if _takes_seed(train) else {}
            return Outcome(_numbers(train(**point, **seeded)), None)
        except Exception:
            return Outcome(None, traceback.format_exc())
        finally:
            _thread.is_inside = False
            if alone:
                numba.set_num_threads(threads)


def run_packed(content: bytes, seed: int, caller: int, nested: bool) -> Outcome:
    """The same of a pickled training and point; what cannot be unpickled here is raised, for the caller to say."""
    train, point = pickle.loads(content)
    return run(train, point, seed, caller, nested)


def _takes_seed(train: Callable) -> bool:
    parameters = inspect.signature(train).parameters
    return "seed" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _numbers(result) -> dict[str, float]:
    """What a training returned, as floats by name."""
    named = result if isinstance(result, Mapping) else {"result": result}
    found = {}
    for name, value in named.items():
        value = value.item() if hasattr(value, "item") and getattr(value, "size", 0) == 1 else value
        if not isinstance(name, str) or not isinstance(value, numbers.Real) or isinstance(value, bool):
            raise TypeError(
                f"sweep: train should return a number, or a dict of numbers by name; got {name!r}: {value!r:.80}"
            )
        found[name] = float(value)
    if not found:
        raise ValueError("sweep: train returned no numbers.")
    return found


def described(value: float) -> str:
    """A number in a table."""
    return "–" if value is None or math.isnan(value) else f"{value:.4g}"
