"""A rank that is killed ends the job, and training goes on from its last record with equal results."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("mpi4py", reason="mpi4py is not installed (extra distributed)")

from .test_data_parallel import MPIEXEC, ROOT

RANKS, HOST = 2, socket.gethostname()


def start(folder):
    command = [MPIEXEC, "-n", str(RANKS), sys.executable, "-m"]
    command += ["tests.distribution.backed_up", str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def results(folder):
    found = []
    for rank in range(RANKS):
        with np.load(folder / f"{rank}.npz") as arrays:
            found.append({name: arrays[name] for name in arrays})
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    process = start(folder)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return results(folder)


def killed(folder, seed, recorded=False) -> None:
    """Kill one rank at a random moment of training: the job ends with an error that names it.

    MPICH's launcher ends the other before it can speak; :mod:`tests.distribution.failing` has a death it does not see.
    """
    draw = random.Random(seed)
    process, victim = start(folder), draw.randrange(RANKS)
    while not all((folder / f"{rank}.pid").exists() for rank in range(RANKS)):
        time.sleep(0.01)
        assert process.poll() is None, process.stderr.read()
    while recorded and not (folder / "backup" / "training.npz").exists():
        time.sleep(0.01)
    time.sleep(draw.uniform(0.05, 0.5))
    pid = int((folder / f"{victim}.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    (named,) = re.findall(r"rnn_ref: (rank .*) died, the first", errors)
    assert f"rank {victim} (process {pid} on {HOST})" in named.split(" or ")  # more than one only on a busy machine
    told = re.findall(r"rnn_ref: rank (\d) stops: rank (\d) .*died", errors)
    assert all(about == str(victim) != by for by, about in told), errors
    for file in folder.glob("*.pid"):
        file.unlink()


def check(folder, undisturbed) -> None:
    process = start(folder)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    for found, expected in zip(results(folder), undisturbed):
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array, name)


@pytest.mark.long
def test_after_the_death_of_a_rank_training_goes_on_with_equal_results(tmp_path, undisturbed):
    killed(tmp_path, 1, recorded=True)
    check(tmp_path, undisturbed)


@pytest.mark.long(minutes=4)
def test_killed_at_twenty_moments(tmp_path, undisturbed):
    for first in range(0, 20, 2):
        folder = tmp_path / str(first)
        folder.mkdir()
        killed(folder, first)
        killed(folder, first + 1, recorded=True)
        check(folder, undisturbed)


def test_another_number_of_ranks_cannot_go_on(tmp_path):
    killed(tmp_path, 3, recorded=True)
    command = [MPIEXEC, "-n", "3", sys.executable, "-m", "tests.distribution.backed_up", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode != 0
    assert "was on 2 ranks, now there are 3" in run.stderr
