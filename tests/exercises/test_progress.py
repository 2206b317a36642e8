"""What is kept of the exercises, and the command that shows it."""

import json
import os

import pytest

from rnn_ref.cli import main
from rnn_ref.exercises import EXERCISES, check, hint, progress


@pytest.fixture
def kept(monkeypatch, tmp_path):
    path = tmp_path / "new" / "progress.json"
    monkeypatch.setenv("RNN_REF_PROGRESS", str(path))
    return path


def right(F, H):
    return H * (F + H + 1)


def test_tries_are_counted_until_the_answer_is_right(kept):
    for answer in (lambda F, H: 1, lambda F, H: 2, ..., right, lambda F, H: 3):
        check("06.1", answer)
    assert json.loads(kept.read_text()) == {"06.1": {"right": True, "tries": 3}}
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_the_command_shows_it(kept, capsys):
    assert main(["progress"]) == 0
    assert f"0 of {len(EXERCISES)} exercises" in capsys.readouterr().out
    check("06.1", right)
    main(["progress"])
    said = capsys.readouterr().out
    assert f"1 of {len(EXERCISES)} exercises answered; kept in {kept}" in said
    assert "06  Counting parameters" in said
    assert "■□□□□□" in said


@pytest.mark.parametrize("text", ["no", "[]", '{"06.1": 1}', '{"06.1": {"right": "yes", "tries": 1}}'])
def test_a_file_of_another_kind_is_left_alone(kept, capsys, text):
    kept.parent.mkdir()
    kept.write_text(text)
    result = check("06.1", right)
    assert result
    assert "was not kept" in repr(result)
    assert kept.read_text() == text
    assert main(["progress"]) == 1
    assert "does not hold the progress" in capsys.readouterr().err


def test_nothing_is_kept_where_nothing_can_be(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RNN_REF_PROGRESS", str(tmp_path / "file" / "below"))
    assert "was not kept" in repr(check("06.1", right))
    monkeypatch.setenv("RNN_REF_PROGRESS", os.devnull)
    assert repr(check("06.1", right)) == "✓ 06.1 Right."


@pytest.mark.parametrize(
    ("platform", "variables", "place"),
    [
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/rnn_ref/progress.json"),
        ("linux", {"HOME": "/home/ann"}, "/home/ann/.local/share/rnn_ref/progress.json"),
        ("darwin", {"HOME": "/home/ann"}, "/home/ann/Library/Application Support/rnn_ref/progress.json"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/rnn_ref/progress.json"),
    ],
)
def test_where_it_is_kept(platform, variables, place, monkeypatch):
    for name in ("RNN_REF_PROGRESS", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(progress.sys, "platform", platform)
    assert progress.file().as_posix() == place


def test_an_exercise_that_is_not_there():
    with pytest.raises(ValueError, match=r"no exercise '99.1'; there are .*06.1"):
        check("99.1", 1)


def test_each_exercise_has_a_hint(capsys):
    for number in EXERCISES:
        hint(number)
        assert len(capsys.readouterr().out) > 20
