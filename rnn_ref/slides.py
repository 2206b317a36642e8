"""A notebook of the course as slides for a lecture: its text and pictures, in reveal.js, by nbconvert.

Every heading begins a column of slides, and every picture has a slide of its own; exercises are left out. What the text
folds away, the answer to a question, stays folded until it is clicked.
"""

from __future__ import annotations

import copy
from pathlib import Path

REVEAL = "https://unpkg.com/reveal.js@4.6.1"
WHOLE = "<style>.reveal .output_png img, .reveal .jp-RenderedImage img { max-height: 75vh; width: auto }</style>"


def write(notebook: Path, out: Path, *, code: bool = False, **options) -> Path:
    """Write a notebook's slides as an HTML file.

    Parameters
    ----------
    notebook : Path
        With its outputs.
    out : Path
        Folder of the file.
    code : bool
        Show the code as well.
    **options
        Of nbconvert's ``SlidesExporter``. Its ``reveal_url_prefix``, ``mathjax_url``, ``require_js_url`` and
        ``jquery_url`` say where the browser finds these; as they are, on the network.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ImportError
        If nbconvert is missing.
    ValueError
        If the notebook has no outputs: it was never run.
    """
    import nbformat
    from nbconvert import SlidesExporter
    from traitlets.config import Config

    content = typed(nbformat.read(notebook, as_version=4))
    if not any(_shows(cell) for cell in content.cells if cell.cell_type == "code"):
        raise ValueError(f"{notebook} has no outputs to show: run it, save it, then make its slides.")
    chosen = {"reveal_url_prefix": REVEAL, "reveal_scroll": True, "reveal_transition": "none"} | options
    without = {"exclude_input": not code, "exclude_input_prompt": True, "exclude_output_prompt": True}
    config = Config({"SlidesExporter": chosen, "TemplateExporter": without})
    content.metadata["title"] = notebook.stem
    page, _ = SlidesExporter(config=config).from_notebook_node(content)
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{notebook.stem}.slides.html"
    target.write_text(page.replace("</head>", f"{WHOLE}</head>", 1), encoding="utf-8")
    return target


def typed(notebook):
    """A copy whose cells say where slides begin; without exercises, and without what only prepares."""
    notebook = copy.deepcopy(notebook)
    kept, exercises = [], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            exercises = cell.source.startswith("## Exercises")
            kind = "slide"
        elif cell.cell_type == "markdown" or _draws(cell):  # below it
            kind = "subslide"
        else:
            kind = "-" if _shows(cell) else "skip"
        if not exercises:
            cell.metadata["slideshow"] = {"slide_type": kind}
            kept.append(cell)
    notebook.cells = kept
    return notebook


def _draws(cell) -> bool:
    return any("image/png" in output.get("data", {}) for output in cell.outputs)


def _shows(cell) -> bool:
    """Whether there is something to see: a picture, or text that was printed."""
    return _draws(cell) or any(output.output_type in ("stream", "execute_result") for output in cell.outputs)
