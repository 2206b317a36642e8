"""What pyproject.toml lists is what there is: a folder that it forgets is missing in every wheel."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def setuptools():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def test_every_package_is_listed(setuptools):
    found = {".".join(file.relative_to(ROOT).parent.parts) for file in (ROOT / "rnn_ref").rglob("__init__.py")}
    assert set(setuptools["packages"]) == found | {"rnn_ref.notebooks"}


def test_every_file_that_is_no_code_is_listed(setuptools):
    found = {
        file
        for ending in ("md", "csv", "keras", "safetensors", "typed")
        for file in (ROOT / "rnn_ref").rglob(f"*.{ending}")
    }
    listed = {
        file
        for package, patterns in setuptools["package-data"].items()
        if package != "rnn_ref.notebooks"
        for pattern in patterns
        for file in ROOT.joinpath(*package.split(".")).glob(pattern)
    }
    assert found == listed


def test_modules_that_mypy_leaves_out_exist():
    """A name that is misspelt, or of a module that is gone, would stay in the list for ever."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    named = [name for part in overrides if part.get("ignore_errors") for name in part["module"]]
    assert len(named) > 100
    for name in named:
        place = ROOT.joinpath(*name.removesuffix(".*").split("."))
        assert place.is_dir() or place.with_suffix(".py").is_file(), name
