"""What the README and the other pages refer to exists."""

import ast
import json
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
README = (HERE.parent / "README.md").read_text(encoding="utf-8")
DESCRIBED = (HERE / "documents" / "README.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", DESCRIBED)
INSTALLS = re.findall(r"pip install[^&`\n]*", README)
PAGES = [
    page
    for page in HERE.parent.rglob("*.md")
    if not {".venv", ".venv-wheel", "build", "node_modules"} & set(page.relative_to(HERE.parent).parts)
]

NOTEBOOKS = sorted((HERE.parent / "notebooks").rglob("*.ipynb"))


def test_it_is_short():
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(HERE.parent).as_posix())
def test_what_pages_link_to_exists(page):
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", prose) if "/reference/" not in link]  # made by rnn-ref docs
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=lambda page: page.relative_to(HERE.parent).as_posix())
def test_pictures_have_words_for_those_who_cannot_see_them(page):
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    assert all(len(words) > 20 for words in re.findall(r"!\[([^\]]*)\]\(", prose))
    assert all(re.search(r'alt="[^"]{20,}"', tag) for tag in re.findall(r"<img[^>]*>", prose))


def test_an_edit_in_the_clone_is_what_runs_next():
    """What README says to install is the clone itself, not a copy of it."""
    local = [line for line in INSTALLS if ".[" in line]
    assert len(local) >= 3
    assert all(" -e " in line for line in local)


DEPARTURES = (HERE.parent / "rnn_ref" / "departures.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"`tests/([\w/]+\.py)(?:::(\w+))?` \|$", DEPARTURES, re.MULTILINE)


def test_every_departure_names_a_test_that_exists():
    rows = [line for line in DEPARTURES.splitlines() if line.startswith("| ")][1:]
    assert len(SHOWN) == len(rows) > 30
    for file, test in SHOWN:
        text = (HERE / file).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in text, f"{file}::{test}"


def test_the_table_is_read():
    assert len(NAMED) > 30
    assert len(set(NAMED)) == len(NAMED)


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_a_named_test_exists(file, test):
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_table_of_files_is_that_of_the_tests():
    beside_the_tests = (HERE / "interop" / "README.md").read_text(encoding="utf-8")
    rows = [line for line in beside_the_tests.splitlines() if line.startswith("|")]
    assert len(rows) > 5
    assert "\n".join(rows) in README
