"""Every exercise of every notebook has a solution, which its check accepts."""

import re

import pytest

from rnn_ref.exercises import EXERCISES, TITLES

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")

from tests.exercises.running import NOTEBOOKS, SOLUTIONS, run_code  # noqa: E402

SOLVED = re.compile(r"^### BEGIN SOLUTION\n.*?### END SOLUTION\n", re.MULTILINE | re.DOTALL)
SOLVED_INSIDE = re.compile(r"^( *)### BEGIN SOLUTION\n.*?### END SOLUTION", re.MULTILINE | re.DOTALL)


def code(path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def asked(path) -> list[str]:
    return [number for cell in code(path) for number in re.findall(r'\bcheck\("(\d\d\.\d+)"', cell)]


def test_notebooks_checks_and_solutions_are_the_same():
    found = {path.name[:2]: asked(NOTEBOOKS / path.name) for path in SOLUTIONS}
    assert set(found) == set(TITLES)
    for path in SOLUTIONS:
        numbers = sorted(number for number in EXERCISES if number.startswith(path.name[:2]))
        assert len(numbers) >= 4
        assert asked(path) == asked(NOTEBOOKS / path.name) == numbers
        (title,) = re.findall(r"^# \d\d (.*)$", nbformat.read(NOTEBOOKS / path.name, 4).cells[0].source, re.MULTILINE)
        assert title == TITLES[path.name[:2]]


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_the_solution_fills_in_what_the_notebook_leaves_open(path):
    left_open = code(NOTEBOOKS / path.name)
    solved = [cell for cell in code(path) if "### BEGIN SOLUTION" in cell]
    assert len(solved) >= 4
    for cell in solved:
        assert SOLVED_INSIDE.sub(r"\1return ...  # your code", SOLVED.sub("", cell)) in left_open


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_checks_accept_the_solution(path, monkeypatch, tmp_path):
    monkeypatch.setenv("RNN_REF_PROGRESS", str(tmp_path / "progress.json"))
    results, _ = run_code(code(path))
    assert list(results) == asked(path)
    assert all(results.values()), results


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_what_was_left_open_is_not_called_wrong(path, monkeypatch, tmp_path):
    monkeypatch.setenv("RNN_REF_PROGRESS", str(tmp_path / "progress.json"))
    cells = [SOLVED_INSIDE.sub(r"\1return ...", SOLVED.sub("", cell)) for cell in code(path)]
    results, _ = run_code(cells)
    assert {result.right for result in results.values()} == {None}, results
    assert all("Not answered yet" in repr(result) for result in results.values())
    assert not (tmp_path / "progress.json").exists()
