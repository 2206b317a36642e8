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
        file for ending in ("md", "csv", "keras", "safetensors") for file in (ROOT / "rnn_ref").rglob(f"*.{ending}")
    }
    listed = {
        file
        for package, patterns in setuptools["package-data"].items()
        if package != "rnn_ref.notebooks"
        for pattern in patterns
        for file in ROOT.joinpath(*package.split(".")).glob(pattern)
    }
    assert found == listed
