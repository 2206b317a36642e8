"""The ranks of a communicator, which MPI started: a sum, a word from the first, and none waits for the dead."""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rnn_ref.distribution import watching

SPIN = 0.05  # seconds before a rank that waits gives its core away
LOOK = 0.1  # seconds between two looks at the others
PATIENCE = 10.0  # seconds that a rank waits after a failure for the others to hear of it
ENDED = "ended"
_NEWS = 1


class RankFailed(RuntimeError):
    """Another rank ended, or failed, and said or left to see which."""


class Ranks:
    """The ranks that train together.

    All wait by asking again and again, and look meanwhile whether a rank on their machine has died, or whether one
    has told that it failed.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm
    """

    def __init__(self, comm):
        from mpi4py import MPI

        self._mpi, self._comm, self._news = MPI, comm.Dup(), comm.Dup()
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        self._failure: str | None = None
        self._patience = 0.0  # until when this rank waits at its end, after a failure
        self._heard = {self.rank}
        self._sent: list = []
        self._homes = [(socket.gethostname(), os.getpid())] * self.size
        self._homes = self.to_all(self._homes[self.rank])
        watching.start(self._homes, self.rank)
        self._hook = sys.excepthook
        sys.excepthook = self._at_error
        atexit.register(self._at_exit)

    @property
    def here(self) -> int:
        """How many of them are on this machine."""
        return sum(host == self._homes[self.rank][0] for host, _ in self._homes)

    # -- together -----------------------------------------------------------------------------------

    def sum(self, values: np.ndarray) -> None:
        """Add up an array over all ranks, in place."""
        self._wait(lambda: self._comm.Iallreduce(self._mpi.IN_PLACE, values))

    def from_first(self, value: Any = None) -> Any:
        """What the first rank has."""
        content = np.frombuffer(pickle.dumps(value), np.uint8).copy() if self.rank == 0 else None
        size = np.array([0 if content is None else content.size], np.int64)
        self._wait(lambda: self._comm.Ibcast(size))
        content = np.empty(size[0], np.uint8) if content is None else content
        self._wait(lambda: self._comm.Ibcast(content))
        return value if self.rank == 0 else pickle.loads(content.tobytes())

    def to_all(self, value: Any) -> list:
        """What each has, in the order of ranks."""
        content = np.frombuffer(pickle.dumps(value), np.uint8).copy()
        sizes = np.empty(self.size, np.int64)
        self._wait(lambda: self._comm.Iallgather(np.array([content.size], np.int64), sizes))
        everything = np.empty(int(sizes.sum()), np.uint8)
        self._wait(lambda: self._comm.Iallgatherv(content, [everything, sizes.tolist()]))
        ends = np.cumsum(sizes)
        return [pickle.loads(everything[end - size : end].tobytes()) for size, end in zip(sizes, ends)]

    def _wait(self, start) -> None:
        if self._failure is not None:
            raise RankFailed(f"{self._failure} Start the job again.")
        try:
            request = start()
            began = looked = time.monotonic()
            while not any(request.Test() for _ in range(20)):  # each also moves data along
                now = time.monotonic()
                if now - looked > LOOK:
                    looked = now
                    self._look(request)
                if now - began > SPIN:
                    time.sleep(1e-4)
        except self._mpi.Exception as error:  # a connection broke before anybody was seen to be dead
            end = time.monotonic() + 5
            while time.monotonic() < end:
                self._look(None)
                time.sleep(LOOK)
            self._fail(f"rank {self.rank}: MPI failed: {error}.")
            raise RankFailed(self._failure) from error

    # -- who has ended ------------------------------------------------------------------------------

    def _look(self, request) -> None:
        """Raise if a rank has died or told of a failure; what one that ended well has sent may still arrive."""
        found = self._told() or next(
            (
                f"rank {rank} (process {self._homes[rank][1]} on {self._homes[rank][0]}) died: killed, or no memory."
                for rank in range(self.size)
                if self._is_dead(rank)
            ),
            None,
        )
        if found is None:
            return
        end = time.monotonic() + 1
        while request is not None and time.monotonic() < end:
            if request.Test():
                return
            time.sleep(1e-3)
        stopped = f"rank {self.rank} stops: {found}"
        os.write(2, f"rnn_ref: {stopped}\n".encode())  # at once: a launcher that sees a death forwards little after it
        self._fail(found)
        raise RankFailed(stopped)

    def _told(self) -> str | None:
        status = self._mpi.Status()
        found = None
        while self._news.Iprobe(self._mpi.ANY_SOURCE, _NEWS, status):
            self._heard.add(status.Get_source())
            found = self._news.recv(source=status.Get_source(), tag=_NEWS)
        return found

    def _is_dead(self, rank: int) -> bool:
        host, process = self._homes[rank]
        if rank == self.rank or host != self._homes[self.rank][0]:
            return False  # on another machine: what started the job sees to it
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
            return state in "ZX"  # nobody has asked for its end yet
        except OSError:
            return Path("/proc").exists() or not _exists(process)

    # -- failing ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Where something is raised here that is not raised everywhere, the others are told, who would wait."""
        try:
            yield
        except (RankFailed, Together):
            raise
        except BaseException as error:
            self._fail(f"rank {self.rank} failed with {type(error).__name__}: {error}")
            raise

    def _fail(self, what: str) -> None:
        if self._failure is not None:
            return
        self._failure, self._patience = what, time.monotonic() + PATIENCE
        self._tell(what)

    def _tell(self, what: str) -> None:
        for rank in set(range(self.size)) - {self.rank}:
            if not self._is_dead(rank):
                with contextlib.suppress(self._mpi.Exception):
                    self._sent.append(self._news.isend(what, dest=rank, tag=_NEWS))

    def _at_error(self, kind, error, traceback) -> None:
        self._hook(kind, error, traceback)
        self._fail(f"rank {self.rank} failed with {kind.__name__}: {error}")

    def _at_exit(self) -> None:
        """All hear that this rank ends, and it hears it of all; MPI's own end would wait for the dead."""
        if self._mpi.Is_finalized():
            return
        sys.stdout.flush()
        sys.stderr.flush()
        watching.dismiss()
        if self._failure is None:
            self._tell(f"rank {self.rank} {ENDED} while others went on; every rank must run the same program.")
        while self._waits_for_others():
            time.sleep(LOOK / 10)
        if self._failure is not None:
            time.sleep(LOOK)
            os._exit(1)

    def _waits_for_others(self) -> bool:
        told = None
        with contextlib.suppress(self._mpi.Exception):
            told = self._told()
        dead = [rank for rank in range(self.size) if self._is_dead(rank) and rank not in self._heard]
        if self._failure is None and (dead or (told is not None and ENDED not in told)):
            self._fail(told or f"rank {dead[0]} died.")
        if self._failure is not None and time.monotonic() > self._patience:
            return False
        return any(rank not in self._heard and rank not in dead for rank in range(self.size))


class Together(KeyboardInterrupt):
    """Ctrl-C, which all ranks end with after the same step."""


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
