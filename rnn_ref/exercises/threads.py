"""A graphics card of paper: every thread of a kernel in turn, in plain Python, and who read and wrote what."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rnn_ref.exercises.answers import Wrong


class Memory:
    """An array as a kernel sees it: it writes down which thread reads and writes which entry."""

    def __init__(self, name: str, values, writable: bool = False):
        self.name, self.values, self.writable = name, np.array(values, dtype="float64"), writable
        self.reads: list[tuple[int, tuple]] = []
        self.writes: list[tuple[int, tuple]] = []
        self.thread = 0

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def _place(self, place) -> tuple:
        place = place if isinstance(place, tuple) else (place,)
        if len(place) != self.values.ndim or any(
            isinstance(k, bool) or not isinstance(k, int | np.integer) for k in place
        ):
            raise Wrong(f"thread {self.thread} uses {self.name}[{place}]: give {self.values.ndim} whole numbers.")
        if not all(0 <= k < size for k, size in zip(place, self.shape)):
            raise Wrong(
                f"thread {self.thread} is out of bounds: {self.name}{list(map(int, place))}, but its shape is "
                f"{self.shape}. On a graphics card it would read, or overwrite, something else. "
                "There may be more threads than work."
            )
        return tuple(int(k) for k in place)

    def __getitem__(self, place) -> float:
        place = self._place(place)
        self.reads.append((self.thread, place))
        return float(self.values[place])

    def __setitem__(self, place, value) -> None:
        place = self._place(place)
        if not self.writable:
            raise Wrong(f"thread {self.thread} writes into {self.name}, which is to be read only.")
        others = {thread for thread, written in self.writes if written == place} - {self.thread}
        if others:
            raise Wrong(
                f"threads {min(others)} and {self.thread} both write {self.name}{list(place)}: which is last is chance."
            )
        self.writes.append((self.thread, place))
        self.values[place] = value


@dataclass
class Launch:
    """What :func:`launch` returns: the memories by name, after the run."""

    threads: int
    memory: dict[str, Memory] = field(default_factory=dict)

    def touched(self, name: str, kind: str = "reads") -> np.ndarray:
        """How often each thread touched each entry, (threads, entries)."""
        memory = self.memory[name]
        found = np.zeros((self.threads, memory.values.size), dtype=int)
        for thread, place in getattr(memory, kind):
            found[thread, np.ravel_multi_index(place, memory.shape)] += 1
        return found


def launch(kernel, threads: int, out: dict, **given) -> Launch:
    """Run ``kernel(t, **arrays)`` for threads ``t = 0, 1, ..., threads - 1``, one after the other.

    Parameters
    ----------
    kernel : function
    threads : int
    out : dict of str to array_like
        Arrays that the kernel may write.
    **given : array_like or int
        Arrays that it may only read, and numbers.

    Returns
    -------
    Launch

    Examples
    --------
    >>> def double(t, x, y):
    ...     y[t] = 2 * x[t]
    >>> run = launch(double, 3, out={"y": [0, 0, 0]}, x=[1, 2, 3])
    >>> run.memory["y"].values
    array([2., 4., 6.])
    """
    memory = {name: Memory(name, values) for name, values in given.items() if np.ndim(values)}
    memory |= {name: Memory(name, values, writable=True) for name, values in out.items()}
    numbers = {name: value for name, value in given.items() if not np.ndim(value)}
    for thread in range(threads):
        for each in memory.values():
            each.thread = thread
        kernel(thread, **memory, **numbers)
    return Launch(threads, memory)
