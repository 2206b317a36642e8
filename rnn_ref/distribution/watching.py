"""Says which rank was killed, from a process that MPI's launcher does not end with the others.

Some launchers (MPICH's) send SIGKILL to every rank within a millisecond of a death, and name a process, not a rank: no
rank is left to tell whose it was. So the first rank of a machine starts this file as a program, in a session of its
own, which waits for the end of any.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys

DISMISS = b"."
_watched: dict[tuple, subprocess.Popen] = {}


def start(homes: list[tuple[str, int]], rank: int) -> None:
    """Have the ranks of this machine watched, if ``rank`` is the first of them; on Linux, which tells of any end."""
    host = homes[rank][0]
    here = [(k, process) for k, (other, process) in enumerate(homes) if other == host]
    if len(homes) == 1 or here[0][0] != rank or not hasattr(os, "pidfd_open") or tuple(here) in _watched:
        return
    told = [f"{k}:{process}" for k, process in here]
    command = [sys.executable, "-I", "-S", __file__, host, *told]
    with contextlib.suppress(OSError):  # no more processes are allowed: then the launcher's own words must do
        _watched[tuple(here)] = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, cwd="/"
        )


def dismiss() -> None:
    """From now on ranks may end."""
    while _watched:
        _, watcher = _watched.popitem()
        with contextlib.suppress(OSError):
            watcher.communicate(DISMISS)


def watch(host: str, *told: str) -> None:
    """Wait until a rank ends, and say so, or until a word comes that all is well."""
    poll, ranks = select.poll(), {}
    for rank, process in (each.split(":") for each in told):
        with contextlib.suppress(OSError):
            found = os.pidfd_open(int(process))
            ranks[found] = f"rank {rank} (process {process} on {host})"
            poll.register(found, select.POLLIN)
    if not ranks:
        return
    poll.register(0, select.POLLIN)
    ready = [found for found, _ in poll.poll()]
    if 0 in ready:
        if os.read(0, 1) == DISMISS:
            return
        poll.unregister(0)  # whose pipe it was has no files any more, and ends in a moment
        ready = [found for found, _ in poll.poll()]
    first = " or ".join(ranks[found] for found in ready)  # of several only if this process was kept from running
    os.write(2, f"rnn_ref: {first} died, the first on its machine: killed, or no memory.\n".encode())


if __name__ == "__main__":
    watch(*sys.argv[1:])
