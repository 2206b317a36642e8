"""The benchmark for GPUs, rehearsed in the simulator; and what it says where there is neither."""

import json

import pytest

from rnn_ref.bench import cuda
from rnn_ref.bench.contenders.problem import CELLS, Problem
from rnn_ref.cli import main


@pytest.mark.long
def test_a_rehearsal(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "1")
    files = ["--json", str(tmp_path / "bench.json"), "--markdown", str(tmp_path / "bench.md")]
    assert main(["bench", "cuda", "--quick", *files]) == 0
    report = json.loads((tmp_path / "bench.json").read_text())
    assert report["machine"]["device"] == "Numba's simulator"
    assert [(entry["cell"], entry["what"]) for entry in report["results"]] == [
        (cell, what) for cell in CELLS for what in ("infer", "train")
    ]
    for entry in report["results"]:
        assert entry["persistent"]
        assert entry["barrier"] == 0  # the simulator has one block
        problem = Problem(entry["cell"], *entry["case"])
        seconds = entry["times"]["rnn_ref"]["median"]
        assert entry["operations"] == pytest.approx(problem.operations(entry["what"] == "train") / seconds)
        assert f"| {entry['cell']} |" in (tmp_path / "bench.md").read_text()
    assert "us a step" in capsys.readouterr().out


def test_no_gpu(capsys, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("NUMBA_ENABLE_CUDASIM", raising=False)
    assert main(["bench", "cuda", "--quick"]) == 1
    assert "needs a GPU" in capsys.readouterr().err
    assert main(["bench", "cuda", "--parts", "cases"]) == 2


def test_goals():
    def entry(H, ratio, step):
        ratios = {"PyTorch": {"median": ratio}}
        return {"cell": "GRU", "case": [1, 1, 1, H], "what": "train", "ratios": ratios, "step": step, "barrier": 1.0}

    lines = cuda.goals({"results": [entry(64, 1.1, 2.0), entry(256, 0.9, 4.0), entry(512, 0.8, 9.0)]})
    assert [line.partition(":")[0] for line in lines] == ["met", "met", "SHORT", "SHORT", "met"]


def test_traffic_counts_what_a_step_cannot_avoid():
    B, T, F, H = 2, 3, 5, 7
    read_and_written = T * B * F + 2 * 4 * T * B * H + T * B * H + 4 * H * (F + H)
    assert cuda.traffic(Problem("LSTM", B, T, F, H), training=False) == 4 * read_and_written
