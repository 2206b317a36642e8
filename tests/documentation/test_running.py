"""Code on pages does what the pages say."""

import os
import re
from pathlib import Path

import pytest

from rnn_ref.documentation import running

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "notebooks" / "site").rglob("*.md"))]
WITH_CODE = [page for page in PAGES if running.BLOCK.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_page_runs(page, tmp_path):
    if lacking := running.missing(page.read_text(encoding="utf-8")):
        pytest.skip(f"{page.name} needs {', '.join(lacking)}")
    running.run(page, tmp_path)


def test_the_guides_are_among_them():
    assert len(WITH_CODE) >= 12


def page(folder, text):
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_wrong_output_is_found(tmp_path):
    right = "```python\nprint(1 + 1)\n```\n\n```text\n2\n```\n"
    assert running.run(page(tmp_path, right), tmp_path) == right
    with pytest.raises(running.WrongPage, match="line 1: the page says\n3"):
        running.run(page(tmp_path, right.replace("\n2\n", "\n3\n")), tmp_path)


def test_errors_name_the_line_of_the_page(tmp_path):
    with pytest.raises(ZeroDivisionError) as raised:
        running.run(page(tmp_path, "# A page\n\n```python\nx = 1\n1 / 0\n```\n"), tmp_path)
    assert raised.traceback[-1].lineno + 1 == 5
    assert Path.cwd() != tmp_path


def test_pictures_stand_below_their_code_with_words(tmp_path):
    text = "```python curve.png\nimport rnn_ref\n\nrnn_ref.plot.history({'loss': [3.0, 1.0]})\n```\n"
    shown = running.run(page(tmp_path, text), tmp_path / "out")
    assert re.search(r"```\n\n!\[Training over 2 epochs: .*\]\(curve\.png\)", shown)
    assert (tmp_path / "out" / "curve.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(running.WrongPage, match="another page has a picture"):
        running.run(page(tmp_path, text), tmp_path / "out")
    with pytest.raises(running.WrongPage, match="is no figure, but 2"):
        running.run(page(tmp_path, "```python other.png\n1 + 1\n```\n"), tmp_path)


def test_code_for_libraries_that_are_not_there_is_shown_and_not_run(tmp_path):
    text = "```python no_such_library\n1 / 0\n```\n"
    assert running.missing(text) == ["no_such_library"]
    assert running.run(page(tmp_path, text), tmp_path) == "```python\n1 / 0\n```\n"
    assert os.fspath(tmp_path) != os.getcwd()


def test_slow_code_runs_only_when_the_documentation_is_built(tmp_path):
    text = "```python slow\n1 / 0\n```\n"
    assert running.missing(text) == []
    assert running.run(page(tmp_path, text), tmp_path) == "```python\n1 / 0\n```\n"
    with pytest.raises(ZeroDivisionError):
        running.run(page(tmp_path, text), tmp_path, slow=True)
    fast = text.replace("1 / 0", "print(2)")
    assert running.run(page(tmp_path, fast), tmp_path, slow=True) == "```python\nprint(2)\n```\n"
