"""The course's exercises as assignments for nbgrader, which hands them out, collects and grades them.

A notebook's exercises become a source notebook of their own: the question, a cell to fill in with the worked answer
between nbgrader's markers, and a locked cell worth one point whose hidden test is the check that the exercise has
anyway. ``nbgrader generate_assignment`` takes answers and hidden tests out; ``nbgrader autograde`` puts the tests back.
"""

from __future__ import annotations

import re
from pathlib import Path

CHECK = re.compile(r'^check\("(\d\d\.\d)", (.*)\)$', re.MULTILINE)
MARKERS = "### BEGIN SOLUTION", "### END SOLUTION"


def write(notebook: Path, out: Path) -> Path:
    """Write the exercises of a notebook as an assignment's source.

    Parameters
    ----------
    notebook : Path
        Of the course; its worked answers are in ``solutions/`` beside it.
    out : Path
        nbgrader's course folder: the file is ``source/NAME/NAME.ipynb`` in it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If an exercise has no worked answer, or the answer no marks.

    References
    ----------
    https://nbgrader.readthedocs.io, "Creating and grading assignments"; its cell metadata, schema version 3.
    """
    import nbformat

    asked = nbformat.read(notebook, as_version=4)
    solved = nbformat.read(notebook.parent / "solutions" / notebook.name, as_version=4)
    questions = _questions(asked)
    title = solved.cells[0].source.partition("\n")[0].replace("solutions", "exercises")
    cells = [nbformat.v4.new_markdown_cell(title, id="title")]
    for k, cell in enumerate(solved.cells[1:], 1):
        found = CHECK.search(cell.source) if cell.cell_type == "code" else None
        if found is None:
            if cell.cell_type == "code":  # what the answers need: imports, data
                cells.append(nbformat.v4.new_code_cell(cell.source, id=f"given-{k}"))
            continue
        number, answer = found.groups()
        if number not in questions:
            raise ValueError(f"{notebook.name}: {number} is answered in solutions/, and nowhere asked.")
        if any(marker not in cell.source for marker in MARKERS):
            raise ValueError(f"solutions/{notebook.name}: the answer to {number} does not stand between {MARKERS}.")
        name = number.replace(".", "-")
        cells.append(nbformat.v4.new_markdown_cell(questions.pop(number), id=f"question-{name}"))
        cells.append(_marked(nbformat.v4.new_code_cell(cell.source, id=f"answer-{name}"), f"answer-{name}"))
        test = (
            f'### BEGIN HIDDEN TESTS\nresult = check("{number}", {answer})\nassert result, result\n### END HIDDEN TESTS'
        )
        cells.append(_marked(nbformat.v4.new_code_cell(test, id=f"points-{name}"), f"points-{name}", points=1))
    if questions:
        raise ValueError(f"solutions/{notebook.name} lacks an answer to {', '.join(sorted(questions))}.")
    target = out / "source" / notebook.stem / notebook.name
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=solved.metadata), target)
    return target


def _questions(notebook) -> dict[str, str]:
    """By number, the text of the cell above each check."""
    found, above = {}, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            above = cell.source
            continue
        for number, _ in CHECK.findall(cell.source):
            found[number] = above
    return found


def _marked(cell, name: str, points: int | None = None):
    """With nbgrader's metadata: a cell to fill in, or with points one that grades."""
    grades = points is not None
    cell.metadata["nbgrader"] = {
        "grade": grades,
        "grade_id": name,
        "locked": grades,
        "schema_version": 3,
        "solution": not grades,
        "task": False,
    } | ({"points": points} if grades else {})
    return cell
