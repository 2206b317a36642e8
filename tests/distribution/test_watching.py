"""What tells which rank was killed: from a process of its own, once, and never where all end well."""

import os
import subprocess
import sys

import pytest

from rnn_ref.distribution import watching

pytestmark = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="needs Linux, which tells of the end of a process"
)


@pytest.fixture
def ranks():
    """Two processes that wait, in place of ranks."""
    started = [
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    yield started
    for process in started:
        process.kill()
        process.wait()


def watcher(ranks):
    told = [f"{k + 3}:{process.pid}" for k, process in enumerate(ranks)]
    command = [sys.executable, "-I", "-S", watching.__file__, "there", *told]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("victim", [0, 1])
@pytest.mark.parametrize("starter", ["lives", "is gone"])  # whose death closes the pipe a moment before
def test_the_one_that_was_killed_is_named(ranks, victim, starter):
    watches = watcher(ranks)
    if starter == "is gone":
        watches.stdin.close()
        watches.stdin = None
    ranks[victim].kill()
    _, said = watches.communicate(timeout=20)
    assert f"rank {victim + 3} (process {ranks[victim].pid} on there) died" in said.decode()
    assert said.count(b"process") == 1


def test_nothing_is_said_once_all_is_well(ranks):
    watches = watcher(ranks)
    assert watches.communicate(watching.DISMISS, timeout=20) == (None, b"")


def test_the_first_rank_of_each_machine_has_its_ranks_watched(ranks, monkeypatch):
    started = []
    real = subprocess.Popen

    def noted(command, **options):
        started.append(command[4:])
        return real(command, **options)

    monkeypatch.setattr(subprocess, "Popen", noted)
    homes = [("a", ranks[0].pid), ("b", os.getpid()), ("a", ranks[1].pid)]
    for rank in range(3):
        watching.start(homes, rank)
    watching.start(homes, 0)  # by another DataParallel of the same ranks
    watching.start([("a", os.getpid())], 0)  # alone: nobody waits for it
    assert started == [["a", f"0:{ranks[0].pid}", f"2:{ranks[1].pid}"], ["b", f"1:{os.getpid()}"]]
    watching.dismiss()
    assert not watching._watched
