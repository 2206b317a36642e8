"""The command line, as a user runs it."""

import subprocess
import sys

import pytest

import rnn_ref
from rnn_ref.cli import main


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == f"rnn-ref {rnn_ref.__version__}"


@pytest.mark.long
def test_tour_beats_persistence_and_draws(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", "from rnn_ref.cli import main; main()", "tour", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    errors = {}
    for line in run.stdout.splitlines():
        words = line.split()
        if len(words) >= 4 and words[-1].endswith("%"):
            errors[" ".join(words[:-3])] = float(words[-2])
    assert set(errors) == {"SimpleRNN", "LSTM", "GRU", "linear autoregression", "persistence"}
    assert all(errors[name] < 0.8 * errors["persistence"] for name in ("SimpleRNN", "LSTM", "GRU")), errors
    assert "Total params: 2521" in run.stdout
    assert "%" in run.stderr, "a progress bar is shown"
    for name in ("gates", "gradient-flow", "forecast"):
        picture = (tmp_path / f"tour-{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) > 20_000


def test_lab_hands_options_on_to_jupyter(tmp_path, monkeypatch):
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    called = []
    monkeypatch.setattr(subprocess, "call", lambda command: called.append(command) or 0)
    assert main(["lab", "--dir", str(tmp_path), "--", "--no-browser", "--port=9999"]) == 0
    assert called[0][1:] == ["-m", "jupyterlab", "--notebook-dir", str(tmp_path), "--no-browser", "--port=9999"]
    assert (tmp_path / "solutions" / "06-counting-parameters.ipynb").exists()


def test_lab_copies_notebooks_and_keeps_changed_ones(tmp_path, capsys):
    folder = tmp_path / "mine"
    assert main(["lab", "--copy-only", "--dir", str(folder)]) == 0
    notebook = folder / "00-start-here.ipynb"
    assert notebook.exists()
    notebook.write_text("changed")
    main(["lab", "--copy-only", "--dir", str(folder)])
    assert notebook.read_text() == "changed"
    assert "stays as it is" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        "tour --out {file}",
        "figures --out {file}",
        "lab --copy-only --dir {file}",
        "bench cpu --from {folder}/missing.json",
        "bench cpu --from {folder}/other.json",
        "bench cpu --from {folder}/list.json",
        "bench cpu --from {folder}/text.json",
        "bench cpu --from {folder}",
        "bench cpu --json {file}/x --parts start",
        "bench cuda --parts cases",
    ],
)
def test_what_cannot_be_done_ends_in_one_line(arguments, tmp_path, capsys):
    for name, text in {"file": "", "other.json": "{}", "list.json": "[]", "text.json": "no"}.items():
        (tmp_path / name).write_text(text)
    status = main(arguments.format(file=tmp_path / "file", folder=tmp_path).split())
    said = capsys.readouterr().err.strip().splitlines()
    assert status in (1, 2)
    assert said[-1].startswith("rnn-ref")
    assert not any("Traceback" in line for line in said)


@pytest.mark.parametrize("arguments", ["tour --seed -1", "tour --seed x", "compile --processes 0", "bench gpu", ""])
def test_arguments_of_a_wrong_kind_are_usage_errors(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments.split())
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err
