"""The first notebook in a real JupyterLab, as a reader runs it."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.mark.long
def test_the_first_notebook_runs_and_shows_its_pictures(lab, run_all):
    folder, _ = lab
    notebook = nbformat.read(NOTEBOOKS / "00-start-here.ipynb", 4)
    for cell in notebook.cells:  # what it shows must come from this run
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, folder / "00-start-here.ipynb")
    page = run_all("00-start-here.ipynb")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-OutputArea img')].filter(i => i.naturalWidth > 400).length >= 4"
    )
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    assert page.get_by_text("Total params").count() == 1
