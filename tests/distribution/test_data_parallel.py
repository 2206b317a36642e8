"""Several ranks train as one process does with the whole batch: real ranks, by mpiexec."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rnn_ref

pytest.importorskip("mpi4py", reason="mpi4py is not installed (extra distributed)")

from . import failing, ranks, trainings

ROOT = Path(__file__).parents[2]
MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
if MPIEXEC is None:
    pytest.skip("there is no mpiexec (extra distributed)", allow_module_level=True)


def started(count, *arguments, module="tests.distribution.ranks", **options):
    command = [MPIEXEC, "-n", str(count), sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, **options)


@pytest.fixture(scope="module", params=[2, pytest.param(4, marks=pytest.mark.long)])
def trained(request, tmp_path_factory):
    """Where ranks left what they found, for every case."""
    folder = tmp_path_factory.mktemp("ranks")
    run = started(request.param, folder, *ranks.CASES, "dropout", "looking")
    assert run.returncode == 0, run.stderr
    return folder, request.param


def read(folder, case, rank):
    with np.load(folder / f"{case}-{rank}.npz") as found:
        logs = {name.removeprefix("log "): found[name] for name in found if name.startswith("log ")}
        return logs, [found[name] for name in found if not name.startswith("log ")]


@pytest.mark.parametrize("case", ranks.CASES)
def test_ranks_find_what_one_process_does(trained, case, assert_close):
    folder, count = trained
    logs, weights = ranks.begun(case)
    for rank in range(count):
        found, values = read(folder, case, rank)
        assert list(found) == list(logs)
        for name, value in logs.items():
            assert_close(found[name], value, 2e-5, name)
        for value, expected in zip(values, weights, strict=True):
            assert_close(value, expected, 5e-5 if case != "double" else 1e-12)


def test_all_ranks_have_the_same_bits(trained):
    folder, count = trained
    for case in ranks.CASES:
        logs, weights = read(folder, case, 0)
        for rank in range(1, count):
            found, values = read(folder, case, rank)
            assert all((found[name] == logs[name]).all() for name in logs)
            assert all((a == b).all() for a, b in zip(values, weights))


def test_the_same_bits_each_time_and_dropout_of_each_rank_its_own(trained, tmp_path):
    folder, count = trained
    if count == 2:
        assert started(2, tmp_path, "dropout", "mask").returncode == 0
        for case in ("dropout", "mask"):
            assert all((a == b).all() for a, b in zip(read(folder, case, 0)[1], read(tmp_path, case, 0)[1]))
    drawn = [read(folder, "dropout", rank)[0]["drawn"].tolist() for rank in range(count)]
    assert len(set(map(tuple, drawn))) == count


def test_each_rank_looks_at_gradients_of_its_own(trained, assert_close):
    folder, count = trained
    for rank in range(count):
        found, weights = read(folder, "looking", rank)
        model = ranks.simple()
        model.set_weights(weights)
        expected = ranks.flow(model, rank, count)
        assert found.keys() == expected.keys()
        for name, norm in expected.items():
            assert_close(found[name], norm, 1e-6)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("another model", "ranks cannot train together: the .* are not the same: on rank 0 .*, on rank 1"),
        ("another optimizer", "the optimizer are not the same"),
        ("another version", "the versions of Python, rnn_ref, NumPy and Numba are not the same"),
        ("other data", "the batches are not the same"),
        ("other batches", "rank 1 was given another first batch than rank 0"),
        ("a small last batch", "a batch of 1 samples cannot be shared by 2 ranks"),
        ("BatchNormalization", "normalizes over the samples of a batch"),
        ("a loss of all samples", "is one number for all samples"),
        ("a metric of one's own", "adds_up = True"),
        ("a step of one's own", "does not know what train_step"),
        ("a single batch", "shares batches in fit and evaluate"),
        ("an error on one", "RankFailed: rank 0 stops: rank 1 failed with ZeroDivisionError: on rank 1"),
        ("a dead rank", r"RankFailed: rank [01] stops: rank 1 \(process \d+ on .*\) died"),
        ("an interrupt", "interrupted after 4 steps"),
        ("NaN", "stopped after 3 steps, 1 epoch, loss nan"),
        ("NaN as an error", "(RuntimeError|rank 0 failed with RuntimeError): The loss of batch 2 is nan"),
        ("changed weights", "the weights of rank 1 are not those of rank 0"),
    ],
)
def test_what_cannot_be_is_an_error_that_says_what_to_do(failed, case, message):
    assert re.search(message, failed[0][case]), failed[0][case]
    if case not in ("an error on one", "other data", "a dead rank"):  # of which each is told in its own way
        assert re.search(message, failed[1][case]), failed[1][case]


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """What both ranks met in every case of :mod:`tests.distribution.failing`."""
    folder = tmp_path_factory.mktemp("failing")
    run = started(2, folder, module="tests.distribution.failing")
    assert (folder / "1.json").exists(), run.stderr
    found = [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert set(found[0]) == set(found[1]) | {"a dead rank"} == set(failing.CASES)
    return found


def test_one_that_ends_is_named_by_those_that_wait():
    run = started(2, "an end", module="tests.distribution.failing")
    assert run.returncode != 0
    assert "rank 0 stops: rank 1 ended while others went on" in run.stderr


@pytest.mark.long
def test_a_sweep_on_ranks_finds_the_same_numbers():
    command = [MPIEXEC, "-n", "3", sys.executable, "-m", "mpi4py.futures", "-m", "tests.distribution.mpi_sweep"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    grid = {"rate": [1.0, 2.0], "kind": ["SimpleRNN", "LSTM"]}
    assert json.loads(run.stdout) == rnn_ref.sweep(trainings.drawn, grid, (0, 7), progress=False).rows
