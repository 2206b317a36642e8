"""The benchmark runs, its contenders agree, and its arithmetic is right; how fast they are is not asserted here."""

import json
from importlib.util import find_spec

import numpy as np
import pytest

from rnn_ref.bench import cpu
from rnn_ref.bench.contenders import CONTENDERS, installed
from rnn_ref.bench.problem import CELLS, Problem
from rnn_ref.cli import main


def test_a_small_run_of_everything_that_is_installed(tmp_path, capsys):
    assert main(["bench", "cpu", "--quick", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    report = json.loads((tmp_path / "bench-cpu.json").read_text())
    assert (tmp_path / "bench-cpu.png").stat().st_size > 10_000
    assert len(report["results"]) == len(CELLS) * 2 * 2
    for entry in report["results"]:
        expected = {name for name in CONTENDERS if installed(name)}
        if entry["what"] == "train":
            expected.discard("NumPy loop")
        assert set(entry["times"]) == expected
        for times in entry["times"].values():
            assert 0 < times["least"] <= times["median"] <= times["greatest"]
    for name in CONTENDERS:
        assert installed(name) == (f"| {name} |" in printed)
        assert installed(name) or f"{name}" in printed.splitlines()[0]


@pytest.mark.parametrize("cell", CELLS)
def test_a_contender_that_computes_something_else_is_found_out(cell):
    class Liar:
        name = "liar"

        def __init__(self, factor):
            self.factor = factor

        def ask(self, problem, what, seconds=0.0):
            return {"result": None if what == "train" else [self.factor, 2.0]}

    cpu.check([Liar(1.0), Liar(1.0)], Problem(cell, 1, 1, 1, 1))
    with pytest.raises(RuntimeError, match="liar disagrees"):
        cpu.check([Liar(1.0), Liar(1.1)], Problem(cell, 1, 1, 1, 1))


def test_operations_are_those_of_the_matrix_products():
    B, T, F, H = 2, 3, 5, 7
    products = [(B * T, F, 4 * H), (B * T, H, 4 * H)]  # x W, h U
    back = [(B * T, 4 * H, H), (F, B * T, 4 * H), (H, B * T, 4 * H)]  # dz Uᵀ, xᵀ dz, hᵀ dz
    problem = Problem("LSTM", B, T, F, H)
    assert problem.operations(training=False) == sum(2 * n * k * m for n, k, m in products)
    assert problem.operations(training=True) == sum(2 * n * k * m for n, k, m in products + back)


def test_ratios_means_and_table():
    def entry(case, ours, torch, jax):
        times = {"rnn_ref": ours, "PyTorch": torch, "JAX": jax, "NumPy loop": 0.1}
        times = {name: {"median": t, "least": t, "greatest": t} for name, t in times.items()}
        return {"cell": "GRU", "case": case, "what": "train", "times": times, "share_of_peak": 0.5}

    report = {"results": [entry([1, 2, 3, 4], 1.0, 2.0, 3.0), entry([5, 6, 7, 8], 2.0, 20.0, 16.0)]}
    assert cpu.ratios(report["results"][1]) == {"PyTorch": 10.0, "JAX": 8.0}
    assert cpu.geometric_mean(report, "train") == pytest.approx(4.0)  # of 2 and 8
    assert cpu.geometric_mean(report, "train", peers=lambda name: name == "PyTorch") == pytest.approx(20**0.5)
    assert np.isnan(cpu.geometric_mean(report, "infer"))
    assert cpu.markdown(report).splitlines()[2].startswith("| GRU | 1, 2, 3, 4 | 1 | 2 | 3 | 0.1 | 2.00 |")


def test_what_is_not_installed_is_left_out_and_named(monkeypatch):
    monkeypatch.setattr("rnn_ref.bench.contenders.find_spec", lambda package: package == "rnn_ref" or None)
    assert [name for name in CONTENDERS if installed(name)] == ["rnn_ref"]
    assert find_spec("jax") is not None  # only pretended
    said = []
    report = cpu.run(["LSTM"], [(2, 2, 2, 2)], rounds=1, seconds=0.001, say=said.append)
    assert "left out: PyTorch, JAX" in said[0]
    assert list(report["results"][0]["times"]) == ["rnn_ref"]
