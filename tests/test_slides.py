"""Slides of the course: what is on them, and that a browser shows them."""

import re
from pathlib import Path

import pytest

from rnn_ref.cli import main

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
pytest.importorskip("nbconvert", reason="nbconvert is not installed")
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.fixture(autouse=True)
def in_checkout():
    if not NOTEBOOKS.is_dir():
        pytest.skip("the notebooks are beside the package in a checkout only")


def test_what_is_on_the_slides_of_two_lectures(tmp_path, capsys):
    assert main(["slides", "03", "04", "--out", str(tmp_path)]) == 0
    written = [Path(line) for line in capsys.readouterr().out.split()]
    assert [path.name[:2] for path in written] == ["03", "04"]
    for path in written:
        page = path.read_text(encoding="utf-8")
        notebook = nbformat.read(NOTEBOOKS / f"{path.name.removesuffix('.slides.html')}.ipynb", as_version=4)
        pictures = sum("image/png" in o.get("data", {}) for c in notebook.cells for o in c.get("outputs", ()))
        headings = [c.source for c in notebook.cells if c.cell_type == "markdown" and c.source.startswith("#")]
        assert len(re.findall("<img[^>]*data:image/png", page)) == pictures > 3
        # A column for each heading, less that of the exercises.
        body = page[page.index('class="reveal"') :]
        assert len(re.findall(r"<section>\s*<section", body)) == len(headings) - 1
        assert "your code" not in page
        assert "spectral_radius(" not in page


def test_code_on_request(tmp_path):
    assert main(["slides", "03", "--code", "--out", str(tmp_path)]) == 0
    (path,) = tmp_path.glob("*.html")
    assert "load_sunspots" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("number", ["99", "3"])
def test_no_such_notebook(number, tmp_path, capsys):
    assert main(["slides", number, "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert f"no notebook {number}; there are 00, 01" in said
    assert said.count("\n") == 1


def test_a_notebook_that_was_never_run(tmp_path):
    from rnn_ref.slides import write

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    nbformat.write(notebook, tmp_path / "empty.ipynb")
    with pytest.raises(ValueError, match="no outputs to show: run it"):
        write(tmp_path / "empty.ipynb", tmp_path)
