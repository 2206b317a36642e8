"""The first notebook in a real JupyterLab, as a reader runs it."""

import shutil
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_the_first_notebook_runs_and_shows_its_pictures(lab, run_all):
    folder, _ = lab
    shutil.copy(NOTEBOOKS / "01-a-first-look.ipynb", folder)
    page = run_all("01-a-first-look.ipynb")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-OutputArea img')].filter(i => i.naturalWidth > 400).length >= 4"
    )
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    assert page.get_by_text("Total params").count() == 1
