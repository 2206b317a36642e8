"""The locks of the package: neither Ctrl-C nor a signal's handler nor a fork leaves one held for good.

Python runs the handlers of signals after calls, so there must be none between taking a lock and the block that gives it
back. ``with`` makes one, from Python 3.14 on; a subscript is none::

    lock[True]  # takes it
    try:
        ...
    finally:
        lock.release()

Its owner may take a lock again, as a handler does that runs while its own thread is inside: whoever takes one says what
holds then.

A fork waits until it has all of them, so that no child is born while another thread is at work inside.
"""

from __future__ import annotations

import _thread
import os

from numba.core.compiler_lock import global_compiler_lock


class Lock(_thread.RLock):
    """Reentrant; ``lock[True]`` takes it."""

    __getitem__ = _thread.RLock.acquire

    def __enter__(self):
        raise TypeError("with leaves this lock held if Ctrl-C comes at the wrong moment: lock[True], try, finally.")

    def locked(self) -> bool:
        """Whether somebody holds it, this thread or another."""
        if self._is_owned():
            return True
        free = self.acquire(blocking=False)
        if free:
            self.release()
        return not free


kernels = Lock()  # one parallel kernel runs at a time
linking = Lock()  # a kernel takes new types only meanwhile
compiling = global_compiler_lock._lock  # Numba's own
memory = Lock()  # the list of memory to be used again

_IN_ORDER = (kernels, linking, compiling, memory)  # who takes several takes them in this order


def _before_fork() -> None:
    for lock in _IN_ORDER:
        lock.acquire()


def _after_fork() -> None:
    for lock in reversed(_IN_ORDER):
        if lock._is_owned():  # not if a signal cut the waiting short
            lock.release()


def _in_child() -> None:
    for lock in reversed(_IN_ORDER):
        lock.release() if lock._is_owned() else lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
