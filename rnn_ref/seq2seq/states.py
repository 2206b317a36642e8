"""The states of a step function: nested lists, tuples and dicts of arrays with one row for each sequence."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

States = Any


def gather(states: States, rows: np.ndarray) -> States:
    """Take rows of every array, in the order given; a row may be taken several times.

    Beam search calls this when a beam continues from another one, whose memory it must take over.

    Parameters
    ----------
    states : nested list, tuple or dict of arrays of shape (N, ...)
        Arrays of any library that can be indexed by an array of integers. `None` stays `None`.
    rows : numpy.ndarray of int, shape (M,)
        Rows, each in [0, N).

    Returns
    -------
    nested list, tuple or dict of arrays of shape (M, ...)
        Nested as `states` is.

    Examples
    --------
    >>> states = [np.array([1, 2, 3]), {"c": np.array([[1.0], [2.0], [3.0]])}]
    >>> gather(states, np.array([2, 0]))
    [array([3, 1]), {'c': array([[3.], [1.]])}]
    """
    return _map(lambda array: array[rows], states)


def batch_size(states: States, start_token: int | np.ndarray) -> int:
    """Find the number of sequences, N, from the first axis of the states and the shape of the start token.

    Raises
    ------
    ValueError
        If the arrays disagree or are empty, or there are neither states nor one start token for each sequence.

    Examples
    --------
    >>> batch_size([np.zeros((4, 3)), np.zeros((4, 2))], start_token=0)
    4
    """
    shapes = [np.shape(array) for array in _leaves(states)]
    if () in shapes:
        raise ValueError("each state should be an array whose first axis is the batch, got a scalar")
    if np.ndim(start_token):
        shapes.append(np.shape(start_token))
    sizes = {shape[0] for shape in shapes}
    if not sizes:
        raise ValueError(
            f"without states, start_token should be one token for each sequence, shape (N,); got {start_token!r}"
        )
    if len(sizes) > 1:
        raise ValueError(f"states and start_token should agree in their first axis, got shapes {shapes}")
    size = sizes.pop()
    if size == 0:
        raise ValueError(f"the batch should have at least one sequence, got shapes {shapes}")
    return size


def _leaves(states: States) -> Iterator[Any]:
    if isinstance(states, (list, tuple)):
        for state in states:
            yield from _leaves(state)
    elif isinstance(states, dict):
        yield from _leaves(list(states.values()))
    elif states is not None:
        yield states


def _map(function: Callable[[Any], Any], states: States) -> States:
    if isinstance(states, dict):
        return {name: _map(function, state) for name, state in states.items()}
    if isinstance(states, (list, tuple)):
        mapped = [_map(function, state) for state in states]
        # A namedtuple takes its fields one by one.
        return type(states)(*mapped) if hasattr(states, "_fields") else type(states)(mapped)
    return None if states is None else function(states)
