"""A sweep finds the same numbers on every executor, loses no run, and goes on where it was killed."""

import importlib
import json
import multiprocessing
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers, plot, sweep, utils

from . import trainings

GRID = {"rate": [1.0, 2.0], "kind": ["SimpleRNN", "LSTM"]}
ROOT = Path(__file__).parents[2]


def quiet(train, grid, *args, **kwargs):
    return sweep(train, grid, *args, progress=False, **kwargs)


@pytest.fixture(scope="module")
def by_hand():
    rows = []
    for rate in GRID["rate"]:
        for kind in GRID["kind"]:
            for seed in (0, 7):
                utils.set_random_seed(seed)
                rows.append({"rate": rate, "kind": kind, "seed": seed, **trainings.drawn(rate, kind), "error": None})
    return rows


def test_processes(by_hand):
    assert quiet(trainings.drawn, GRID, seeds=(0, 7)).rows == by_hand


@pytest.fixture
def found_elsewhere(monkeypatch):
    """Processes that are started anew look where this one does."""
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.mark.usefixtures("found_elsewhere")
def test_threads_and_processes_started_anew(by_hand):
    with ThreadPoolExecutor(3) as executor:
        assert quiet(trainings.drawn, GRID, (0, 7), executor).rows == by_hand
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert quiet(trainings.drawn, GRID, (0, 7), executor).rows == by_hand


@pytest.mark.usefixtures("found_elsewhere")
def test_dask(by_hand, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="dask[distributed] is not installed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        found = quiet(trainings.drawn, GRID, (0, 7), client.get_executor())
        with pytest.raises(TypeError, match="No module named 'only_here'"):
            quiet(anywhere(tmp_path, monkeypatch), {"rate": [1]}, [0], client.get_executor())
    for row, expected in zip(found.rows, by_hand, strict=True):  # Dask's own threads draw from Python's generator
        assert row | {"python": 0} == expected | {"python": 0}


def test_seeds_are_handed_over_to_who_takes_them():
    found = quiet(trainings.given, {"rate": [0.5]}, seeds=[3, 1])
    assert [row["result"] for row in found.rows] == [3.5, 1.5]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_functions_from_anywhere():
    offset = 5
    found = quiet(lambda cell, **rest: cell(3).units + offset + rest["seed"], {"cell": [layers.LSTM, layers.GRU]}, [1])
    assert [(row["cell"], row["result"]) for row in found.rows] == [("LSTM", 9.0), ("GRU", 9.0)]


def test_an_executor_that_cannot_send_the_function():
    lock = threading.Lock()
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor,
        pytest.raises(TypeError, match=r"could not be sent .*cannot pickle.*Define train at the top"),
    ):
        quiet(lambda rate: lock, {"rate": [1]}, [0], executor)


def anywhere(tmp_path, monkeypatch):
    """A training of a module that nobody else can import."""
    (tmp_path / "only_here.py").write_text("def train(rate): return rate")
    with monkeypatch.context() as patched:
        patched.syspath_prepend(str(tmp_path))
        return importlib.import_module("only_here").train


def test_processes_that_cannot_import_the_function(tmp_path, monkeypatch):
    train = anywhere(tmp_path, monkeypatch)
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor,
        pytest.raises(TypeError, match="No module named 'only_here'"),
    ):
        quiet(train, {"rate": [1]}, [0], executor)


def test_runs_that_fail_are_recorded(tmp_path):
    found = quiet(trainings.faulty, {"rate": [1, 2]}, range(3), store=tmp_path / "s")
    assert [row["error"] is None for row in found.rows] == [True, False, True] * 2
    assert "no luck at 2" in found.errors[1]["error"]
    assert "2 of 6 runs failed, the first with: RuntimeError: no luck at 1" in str(found)
    assert [row["runs"] for row in found.summary()] == [2, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="kills a process by a signal")
def test_a_process_that_dies_loses_no_other_run():
    found = quiet(trainings.mortal, {"rate": [1, 2, 3]}, range(4))
    assert [row.get("result") for row in found.rows] == [10, 11, 12, 13, 20, None, 22, 23, 30, 31, 32, 33]
    assert "process died" in found.errors[0]["error"]


def test_a_pool_that_breaks_while_it_is_given_work_loses_no_run(monkeypatch):
    calls, submit = [], ProcessPoolExecutor.submit

    def breaking(pool, *args):
        calls.append(args)
        if len(calls) in (2, 3, 6):
            raise BrokenProcessPool
        return submit(pool, *args)

    monkeypatch.setattr(ProcessPoolExecutor, "submit", breaking)
    found = quiet(trainings.given, {"rate": [1, 2, 3]}, range(3))
    assert [row["result"] for row in found.rows] == [1, 2, 3, 2, 3, 4, 3, 4, 5]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_a_run_that_sweeps_itself():
    def train(rate, seed):
        return sum(row["result"] for row in quiet(lambda x: x * rate, {"x": [1, 2]}, [seed]).rows)

    with ThreadPoolExecutor(2) as executor:
        by_threads = [executor.submit(quiet, train, {"rate": [1, 2]}, [0]) for _ in range(2)]
        assert [row["result"] for each in by_threads for row in each.result(timeout=120).rows] == [3, 6] * 2


def test_a_run_that_sweeps_itself_in_threads_would_wait_for_itself():
    with ThreadPoolExecutor(1) as executor:
        found = quiet(trainings.nested, {"rate": [1]}, [0], executor=executor)
    assert "a run that sweeps itself needs processes" in found.rows[0]["error"]


def test_what_is_no_number():
    found = quiet(trainings.what_is_it, {"rate": [1]}, range(6))
    assert [row.get("result") for row in found.rows] == [None] * 4 + [3.0, 4.0]
    assert "should return a number" in found.rows[0]["error"]
    assert "returned no numbers" in found.rows[2]["error"]


def killed_again_and_again(store, times, seed):
    """The rows in the end, and how often it was killed."""
    drawn, kills = random.Random(seed), 0
    for _ in range(times):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.distribution.killed", store],
            cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        before, end = store.stat().st_size if store.exists() else 0, time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end:
            if store.exists() and store.stat().st_size > before + drawn.randint(1, 300):
                break
            time.sleep(0.002)
        kills += process.poll() is None
        process.kill()
        process.communicate(timeout=60)  # which waits for the processes of its pool, too
    command = [sys.executable, "-m", "tests.distribution.killed", str(store)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), kills


WHOLE = [
    {"rate": rate, "seed": seed, "loss": rate + seed / 7, "error": None} for rate in (1, 2, 3) for seed in range(8)
]


def test_a_sweep_that_is_killed_goes_on(tmp_path):
    rows, kills = killed_again_and_again(tmp_path / "store", 2, seed=0)
    assert rows == WHOLE
    assert kills >= 1


@pytest.mark.long(minutes=2)
def test_20_kills(tmp_path):
    kills = 0
    for k in range(5):
        rows, more = killed_again_and_again(tmp_path / f"store{k}", 4, seed=k + 1)
        assert rows == WHOLE
        kills += more
    assert kills >= 5


def test_a_store_is_of_one_sweep(tmp_path):
    store = tmp_path / "store"
    quiet(trainings.given, {"rate": [1]}, [0, 1], store=store)
    content = store.read_bytes()
    store.write_bytes(content + content.splitlines()[-1][:20])  # the power failed
    found = quiet(trainings.given, {"rate": [1]}, [1, 2], store=store)
    assert [row["result"] for row in found.rows] == [2, 3]
    assert len(store.read_bytes().splitlines()) == 4  # what stood there was not computed again
    with pytest.raises(ValueError, match="written by another sweep: the grid was"):
        quiet(trainings.given, {"rate": [2]}, [0], store=store)
    with pytest.raises(ValueError, match="written by another sweep: the function was"):
        quiet(trainings.faulty, {"rate": [1]}, [0], store=store)
    store.write_text("1,2,3\n")
    with pytest.raises(ValueError, match="is no store of a sweep"):
        quiet(trainings.given, {"rate": [1]}, [0], store=store)


def test_intervals_are_those_of_scipy():
    stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
    found = quiet(lambda rate, seed: np.random.default_rng(seed).normal(rate), {"rate": [1.0]}, range(40))
    (row,) = found.summary()
    values = [row["result"] for row in found.rows]
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, random_state=0)
    assert row["result mean"] == pytest.approx(np.mean(values))
    assert row["result std"] == pytest.approx(np.std(values, ddof=1))
    assert row["result low"] == pytest.approx(theirs.confidence_interval.low, abs=0.02)
    assert row["result high"] == pytest.approx(theirs.confidence_interval.high, abs=0.02)


def test_frame():
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = quiet(trainings.given, {"rate": [1, 2]}, [0, 1]).frame()
    assert frame.groupby("rate")["result"].mean().tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, {"rate": [1]}), "train should be a function"),
        ((trainings.given, [1]), "grid should be a dict"),
        ((trainings.given, {"rate": 1}), r"grid\['rate'\] should be a list"),
        ((trainings.given, {"rate": "ab"}), r"grid\['rate'\] should be a list"),
        ((trainings.given, {"rate": []}), "at least one"),
        ((trainings.given, {"rate": [1, 1]}), "different values"),
        ((trainings.given, {"rate": [np.ones(2)]}), "should be numbers, strings"),
        ((trainings.given, {"seed": [1]}), "pass seeds="),
        ((trainings.given, {"rate": [1]}, []), "at least one"),
        ((trainings.given, {"rate": [1]}, [1, 1]), "different whole numbers"),
        ((trainings.given, {"rate": [1]}, [0.5]), "every seed"),
        ((trainings.given, {"rate": [1]}, [-1]), "every seed"),
    ],
)
def test_what_means_nothing(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        quiet(*arguments)


def test_pictures():
    found = quiet(
        lambda rate, cell, seed: rate + seed, {"cell": [layers.LSTM, layers.GRU], "rate": [1, 10, 100]}, [0, 1]
    )
    figure = plot.sweep(found)
    assert figure.axes[0].get_xscale() == "log"
    assert "cell GRU, rate 10: 10.5 (2 runs)" in plot.figure_alt(figure)
    assert [tick.get_text() for tick in plot.sweep(found, x="cell").axes[0].get_xticklabels()] == ["LSTM", "GRU"]
    three = quiet(lambda a, b, c: a, {"a": [1], "b": [1], "c": [1]}, [0])
    with pytest.raises(ValueError, match="draws two arguments"):
        plot.sweep(three)
    with pytest.raises(ValueError, match="every run failed"):
        plot.sweep(quiet(trainings.faulty, {"rate": [1]}, [1]))
    with pytest.raises(ValueError, match="no 'other'"):
        plot.sweep(found, "other")
    assert rnn_ref.sweep is sweep
