"""The same training at every point of a grid, with many seeds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from typing import Any

from tqdm import tqdm

from rnn_ref import checks
from rnn_ref.distribution.executors import over
from rnn_ref.distribution.run import Run
from rnn_ref.distribution.store import Store, name_of
from rnn_ref.distribution.sweep_result import Sweep


def sweep(
    train: Callable,
    grid: Mapping[str, Iterable],
    seeds: Iterable[int] = range(10),
    executor=None,
    store=None,
    progress: bool = True,
) -> Sweep:
    """Run a training at every point of a grid, with every seed, and keep what it returns.

    Every run begins as after ``utils.set_random_seed(seed)``, alone in its process and on one thread, so the same seed
    gives the same numbers on every executor. (In threads of one process runs go one after the other. What draws from
    Python's ``random`` is not safe from other threads of an engine, such as Dask's, that draw from it too.) A run that
    fails is recorded with its error; the others go on.

    Parameters
    ----------
    train : callable
        Called as ``train(**point)``, with ``seed=`` if it has such an argument; returns a number, or a dict of numbers.
    grid : dict of str to list
        Values by argument: numbers, strings, None, classes or functions. Every combination is a point.
    seeds : iterable of int
    executor : concurrent.futures.Executor, optional
        Such as ``dask.distributed.Client(...).get_executor()`` or ``mpi4py.futures.MPIPoolExecutor()``; a process a
        core when absent.
    store : str or path, optional
        A file that takes every result as it comes. A sweep that was killed goes on where it was when it is called
        again; runs that failed are tried again, and seeds may be added.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Sweep

    Raises
    ------
    ValueError, TypeError
        If the grid or the seeds mean nothing, the store is of another sweep, or the executor cannot send ``train``.

    Examples
    --------
    >>> def train(units, seed):
    ...     return {"loss": 1 / units + seed / 1000}
    >>> found = sweep(train, {"units": [2, 4]}, seeds=range(3), progress=False)
    >>> [round(row["loss mean"], 3) for row in found.summary()]
    [0.501, 0.251]
    """
    if not callable(train):
        raise TypeError(f"sweep: train should be a function that trains and returns numbers, got {train!r:.80}")
    labels = _labels(grid)
    runs = _runs(grid, labels, _seeds(seeds))
    kept = None if store is None else Store(store, train, labels)
    outcomes = {} if kept is None else {n: kept.get(run) for n, run in enumerate(runs) if kept.get(run) is not None}
    left = [(n, run) for n, run in enumerate(runs) if n not in outcomes]
    places = {id(run): n for n, run in left}
    with tqdm(total=len(runs), initial=len(outcomes), desc=name_of(train), unit="run", disable=not progress) as bar:
        ending = over(executor, train)([run for _, run in left])
        with closing(ending):  # what was not begun is called off if something is raised here
            for run, outcome in ending:
                outcomes[places[id(run)]] = outcome
                if kept is not None:
                    kept.add(run, outcome)
                bar.update()
    return Sweep([(run, outcomes[n]) for n, run in enumerate(runs)])


def _seeds(seeds) -> list[int]:
    found = [checks.integer(seed, "every seed", "sweep", 0) for seed in seeds]
    if not found or len(set(found)) < len(found):
        raise ValueError(f"sweep: seeds should be different whole numbers, at least one; got {found!r:.80}")
    return found


def _labels(grid) -> dict[str, list]:
    """Values as they are written in tables and files: themselves, or their names."""
    if not isinstance(grid, Mapping) or not all(isinstance(name, str) for name in grid):
        raise TypeError(f"sweep: grid should be a dict of lists by argument, got {grid!r:.80}")
    labels = {}
    for name, values in grid.items():
        if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
            raise TypeError(f"sweep: grid[{name!r}] should be a list of values, got {values!r:.80}")
        labels[name] = [_label(value, name) for value in values]
        if not labels[name] or len(set(map(repr, labels[name]))) < len(labels[name]):
            raise ValueError(f"sweep: grid[{name!r}] should have different values, at least one; got {labels[name]}")
    if "seed" in labels:
        raise ValueError("sweep: pass seeds= instead of a grid over 'seed'.")
    return labels


def _label(value: Any, name: str):
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if hasattr(value, "__name__"):
        return value.__name__
    raise TypeError(
        f"sweep: grid[{name!r}] has {value!r:.60}; values should be numbers, strings, None, classes or functions. Let "
        "train make what it needs from those."
    )


def _runs(grid, labels: dict[str, list], seeds: list[int]) -> list[Run]:
    points = itertools.product(*(list(zip(grid[name], labels[name])) for name in grid))
    return [
        Run(
            {name: value for name, (value, _) in zip(grid, point)},
            {name: label for name, (_, label) in zip(grid, point)},
            seed,
        )
        for point in points
        for seed in seeds
    ]
