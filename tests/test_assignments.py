"""Exercises as nbgrader's assignments: nbgrader makes the student's version, collects, and grades."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_ref.assignments import write
from rnn_ref.cli import main
from rnn_ref.exercises import EXERCISES

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
NAME = "01-one-recurrent-step-by-hand"
RIGHT, HALF_RIGHT, WRONG = "right", "half_right", "wrong"
REPLACED = {  # typical wrong answers
    "np.tanh(x @ W + h_prev @ U + b)": "np.tanh(W.T @ x + U @ h_prev + b)",
    "np.stack(states, axis=1)": "np.stack(states, axis=0)",
    "(0.604, -0.384, 0.084)": "(0.604, 0.664, -0.728)",
    "W = np.array([[1, 0, 0]])": "W = np.array([[1, 1, 1]])",
    "range(1000)": "range(3)",
}


@pytest.fixture(autouse=True)
def in_checkout():
    if not NOTEBOOKS.is_dir():
        pytest.skip("the notebooks are beside the package in a checkout only")


def test_every_exercise_is_asked_answered_and_graded(tmp_path):
    assert main(["assignment", "all", "--out", str(tmp_path)]) == 0
    graded = set()
    for path in tmp_path.glob("source/*/*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        assert len({cell.id for cell in cells}) == len(cells)
        for cell in cells:
            about = cell.metadata.get("nbgrader")
            if about and about["grade"]:
                assert about["points"] == 1
                assert about["locked"]
                number = about["grade_id"].removeprefix("points-").replace("-", ".")
                assert f'check("{number}", ' in cell.source
                graded.add(number)
            elif about:
                assert "### BEGIN SOLUTION" in cell.source
    assert graded == set(EXERCISES)


def test_what_lacks_an_answer(tmp_path):
    cells = [nbformat.v4.new_markdown_cell("**01.1** ..."), nbformat.v4.new_code_cell('check("01.1", 1)')]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "01-a.ipynb")
    (tmp_path / "solutions").mkdir()
    for answers, said in (
        ([], "lacks an answer to 01.1"),
        ([nbformat.v4.new_code_cell('check("01.1", 1)')], "does not stand between"),
        ([nbformat.v4.new_code_cell('check("01.2", 1)')], "01.2 is answered in solutions/, and nowhere asked"),
    ):
        solved = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 01"), *answers])
        nbformat.write(solved, tmp_path / "solutions" / "01-a.ipynb")
        with pytest.raises(ValueError, match=said):
            write(tmp_path / "01-a.ipynb", tmp_path / "course")


@pytest.mark.long
def test_nbgrader_grades_right_half_right_wrong_and_empty_answers(tmp_path, monkeypatch):
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: pip install 'rnn-ref[teaching]'")
    # It calls programs that pip installed beside this Python.
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])
    source = write(NOTEBOOKS / f"{NAME}.ipynb", tmp_path)
    _nbgrader(tmp_path, "generate_assignment")
    release = tmp_path / "release" / NAME / f"{NAME}.ipynb"
    handed_out = release.read_text()
    assert "SOLUTION" not in handed_out
    assert "HIDDEN" not in handed_out
    assert "raise NotImplementedError" in handed_out
    solved = source.read_text()
    answers = {RIGHT: solved, HALF_RIGHT: solved, WRONG: solved, "empty": handed_out}
    for k, (right, wrong) in enumerate(REPLACED.items()):
        assert right in solved
        answers[WRONG] = answers[WRONG].replace(right, wrong)
        if k < 2:
            answers[HALF_RIGHT] = answers[HALF_RIGHT].replace(right, wrong)
    for student, text in answers.items():
        target = tmp_path / "submitted" / student / NAME / f"{NAME}.ipynb"
        target.parent.mkdir(parents=True)
        target.write_text(text)
    _nbgrader(tmp_path, "autograde")
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        points = {student: book.find_submission(NAME, student).score for student in answers}
        assert book.find_assignment(NAME).max_score == 5
    assert points == {RIGHT: 5, HALF_RIGHT: 3, WRONG: 0, "empty": 0}


def _nbgrader(course: Path, command: str) -> None:
    env = os.environ | {"RNN_REF_PROGRESS": os.devnull, "RNN_REF_QUIET": "1", "IPYTHONDIR": str(course / "ipython")}
    outcome = subprocess.run(
        [sys.executable, "-m", "nbgrader", command, NAME, f"--course-dir={course}", "--create"],
        capture_output=True, text=True, env=env, cwd=course,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stderr
