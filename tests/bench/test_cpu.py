"""Every part of the benchmark runs, and its contenders agree; how fast they are is not asserted here."""

import json
from dataclasses import replace
from importlib.util import find_spec
from itertools import product

import pytest

from rnn_ref.bench import cases, cpu
from rnn_ref.bench.contenders.problem import CELLS, Problem
from rnn_ref.bench.goals import goals
from rnn_ref.bench.markdown import markdown
from rnn_ref.bench.process import CONTENDERS
from rnn_ref.bench.settings import QUICK
from rnn_ref.cli import main
from rnn_ref.plotting.bench import bench
from rnn_ref.plotting.shared import figure_alt

SMALL = replace(QUICK, cells=("SimpleRNN",), models=("Bidirectional",))


@pytest.mark.long(minutes=1)
def test_everyone_who_is_installed(tmp_path, capsys):
    files = {name: tmp_path / "there" / f"bench.{name}" for name in ("json", "md", "png")}
    options = ["--json", str(files["json"]), "--markdown", str(files["md"]), "--figure", str(files["png"])]
    assert main(["bench", "cpu", "--quick", "--parts", "cases", *options]) == 0
    report = json.loads(files["json"].read_text())
    installed = {name for name, contender in CONTENDERS.items() if contender.installed}
    assert report["left_out"] == [name for name in CONTENDERS if name not in installed]
    assert len(report["cases"]) == 2 * len(CELLS)
    for entry in report["cases"]:
        assert set(entry["times"]) == installed - ({"NumPy loop"} if entry["what"] == "train" else set())
        assert set(entry["ratios"]) == installed - {"rnn_ref", "NumPy loop"}
        assert 0 < entry["share_of_peak"] < 1
        for time in entry["times"].values():
            assert 0 < time["least"] <= time["median"] <= time["greatest"]
            assert len(time["rounds"]) == QUICK.processes * QUICK.rounds_each
    assert files["png"].stat().st_size > 10_000

    printed = capsys.readouterr().out
    table = files["md"].read_text()
    assert all(name in printed for name in CONTENDERS)  # measured, or named as left out
    assert [name for name in CONTENDERS if f"| {name} |" in table] == [n for n in CONTENDERS if n in installed]
    assert "training step, best peer / rnn_ref: geometric mean" in printed

    # What is known is shown again, without measuring.
    assert main(["bench", "cpu", "--from", str(files["json"]), "--markdown", str(tmp_path / "again.md")]) == 0
    assert (tmp_path / "again.md").read_text() == table
    assert main(["bench", "cpu", "--parts", "cases,nothing"]) == 2


@pytest.mark.long(minutes=2)
def test_the_other_parts():
    parts = ["variants", "fit", "start", "memory", "scaling"]
    report = cpu.run(parts, SMALL, names=["rnn_ref", "Keras (JAX)"], say=lambda line: None)
    assert {entry["variant"] for entry in report["variants"]} >= {"masked", "float64", "recurrent dropout"}
    assert all(entry["over_predicted"] > 0 for entry in report["variants"])
    (fitted,) = report["fit"]
    assert fitted["first"].keys() == fitted["times"].keys() == {"rnn_ref", "Keras (JAX)"}
    ours, keras = report["start"]
    assert 0 < ours["import"]["median"] < ours["first_step"]["median"]  # a part of it
    assert ours["cold"] > 0
    assert "cold" not in keras
    assert all(size > 1e7 for size in report["memory"]["fit"].values())
    assert len(report["memory"]["inference"]) == 2 * len(SMALL.memory)
    assert {entry["axis"] for entry in report["scaling"]["sizes"]} == {"batch", "time", "units"}

    figure = bench(json.loads(json.dumps(report)))
    titles = {axis.get_title() for axis in figure.axes}
    assert titles >= {"fit, an epoch", "variants", "first training step", "memory of a fit"}
    assert figure_alt(figure)
    assert all(str(goal.text) in markdown(report) for goal in goals(report))


@pytest.mark.long
def test_drawn_sizes_and_cliffs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("rnn_ref.bench.settings.QUICK", replace(SMALL, processes=2))
    monkeypatch.setattr("rnn_ref.bench.process.find_spec", lambda package: package in ("rnn_ref", "numpy") or None)
    options = ["--parts", "random", "--random", "3", "--seed", "1", "--cliffs", "--json", str(tmp_path / "report")]
    assert main(["bench", "cpu", "--quick", *options]) == 0
    report = json.loads((tmp_path / "report").read_text())
    assert report["machine"]["vector_bytes"] in (16, 32, 64)
    assert len(report["random"]) == 2 * 3
    for entry in report["random"]:
        assert entry["scatter"] >= 1
        assert {len(time["rounds"]) for time in entry["times"].values()} == {2 * QUICK.rounds_each}
    assert {(e["what"], e["axis"]) for e in report["cliffs"]} == set(product(("infer", "train"), ("batch", "units")))
    assert all(len(entry["points"]) == 5 for entry in report["cliffs"])
    assert "sizes that are cliffs" in capsys.readouterr().out
    assert "| along | sizes |" in markdown(report)


@pytest.mark.parametrize("what", ["infer", "learned"])
def test_a_contender_that_computes_something_else_is_found_out(what):
    class Answers:
        def __init__(self, factor):
            self.factor = factor

        def ask(self, make, problem, run):
            return {"result": None if run == "train" else [self.factor if run == what else 1.0] * 512}

    problem = Problem("LSTM", 1, 1, 3, 16)
    cases.check({"one": Answers(1.0), "two": Answers(1.0)}, problem)
    with pytest.raises(RuntimeError, match=f"liar disagrees on .*{what}"):
        cases.check({"one": Answers(1.0), "liar": Answers(1.3)}, problem)


def test_who_is_not_installed_is_left_out_and_named(monkeypatch):
    monkeypatch.setattr("rnn_ref.bench.process.find_spec", lambda package: package in ("rnn_ref", "numpy") or None)
    assert find_spec("jax") is not None  # only pretended
    said = []
    report = cpu.run(["cases"], SMALL, say=said.append)
    assert "left out: PyTorch, JAX" in said[0]
    assert list(report["cases"][0]["times"]) == ["rnn_ref", "NumPy loop"]
    assert goals(report) == []
    assert "| rnn_ref | NumPy loop | best peer / rnn_ref |" in markdown(report)
