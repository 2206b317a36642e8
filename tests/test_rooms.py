"""Who may import whom: a room imports only from rooms above it, and no file is a long one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "rnn_ref"
ROOMS = (
    ("equations",),
    ("kernels",),
    ("layers",),
    ("zoo",),
    ("training",),
    ("models",),
    ("preprocessing", "datasets", "seq2seq"),
    ("inspection",),
    ("plotting",),
    ("interop",),
    ("distribution",),
    ("exercises",),
    ("bench",),
    ("documentation",),
)
RANK = {room: rank for rank, rooms in enumerate(ROOMS) for room in rooms}
# Inside functions alone: a configuration names models and cells of the zoo, and a model is saved by who knows files.
LATE = {("layers/wrapper.py", "models"), ("layers/wrapper.py", "zoo"), ("models/files.py", "interop")}
LONGEST = 400


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """The rooms that a file imports from, and whether it does so when it is imported itself."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    at_once = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        modules = []
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rnn_ref":
            _, *inner = node.module.split(".")
            modules = inner[:1] or [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name.split(".")[1] for alias in node.names if alias.name.startswith("rnn_ref.")]
        yield from ((module, id(node) in at_once) for module in modules)


@pytest.mark.parametrize("room", RANK)
def test_no_import_runs_upward(room):
    for file in (PACKAGE / room).rglob("*.py"):
        name = file.relative_to(PACKAGE).as_posix()
        for other, at_once in imports(file):
            if RANK.get(other, -1) > RANK[room]:
                assert not at_once, f"{name} imports {other}, a room below its own"
                assert (name, other) in LATE, f"{name} imports {other} in a function; say why in LATE, or move it"


def test_every_folder_is_a_room():
    folders = {file.parent.name for file in PACKAGE.glob("*/__init__.py")}
    assert folders == set(RANK) | {"utils"}


def test_every_room_is_in_the_table_for_contributors():
    rows = [
        row
        for row in (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()
        if row.startswith("| `")
    ]
    named = {room for row in rows for room in RANK if f"`{room}/`" in row.split("|")[1]}
    assert named == set(RANK)


def test_no_file_is_long():
    lengths = {
        file.relative_to(PACKAGE).as_posix(): len(file.read_text().splitlines()) for file in PACKAGE.rglob("*.py")
    }
    assert not {name: length for name, length in lengths.items() if length > LONGEST}
