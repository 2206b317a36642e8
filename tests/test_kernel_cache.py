"""Compiled kernels on disk: compiled anew exactly if need be, whatever happens to the files."""

import shutil
import subprocess
import sys
import warnings
from os import environ
from pathlib import Path

import numpy as np
import pytest
from numba import config
from numba.core import caching

import rnn_ref
from rnn_ref import kernel_cache
from rnn_ref.jit import kernel
from rnn_ref.kernel_cache import source_stamp, sources

PACKAGE = Path(rnn_ref.__file__).parent

# -- what a kernel was made from --------------------------------------------------------------------

FORMS = {
    "__init__.py": "import package.a",
    "a.py": "from package import b\nfrom package.folder.c import f\nimport package.h",
    "b.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import package.not_run",
    "folder/__init__.py": "from package.folder import not_seen",
    "folder/c.py": "from . import d\nfrom .. import e\nfrom .g import *\nfrom ..named import name",
    "folder/d.py": "def f():\n    from package.late import x",
    "folder/g.py": "import numpy, package2",
    "named/__init__.py": "from .name_is_here import name",
    "named/name_is_here.py": "",
    "e.py": "from package import a",  # a circle
    "h.py": "", "late.py": "", "not_run.py": "", "folder/not_seen.py": "",
}  # fmt: skip


def test_imports_of_every_form_are_found(tmp_path):
    package = tmp_path / "package"
    for name, content in FORMS.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(content)
    found = {str(file.relative_to(package)) for file in sources(package / "a.py", package)}
    assert found == set(FORMS) - {"__init__.py", "not_run.py", "folder/__init__.py", "folder/not_seen.py"}


CELLS = {"kernels/cpu/simple_rnn.py", "kernels/cpu/lstm.py", "kernels/cpu/gru.py"}
ADAM, NEW = "training/optimizers/adam.py", "training/losses/new.py"
KERNELS = {*CELLS, "kernels/cpu/products.py", "kernels/cpu/weights.py", "kernels/cpu/masking.py", ADAM, NEW}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The package, and a kernel in a new file of a room that had none."""
    package = tmp_path_factory.mktemp("copy") / "rnn_ref"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "training/losses/part.py").write_text("from rnn_ref.jit import equation\n")
    (package / NEW).write_text("from rnn_ref.jit import kernel\nfrom .part import x\n")
    return package


@pytest.mark.parametrize(
    ("edited", "stale"),
    [
        ("equations/gru.py", {"kernels/cpu/gru.py"}),
        ("equations/lstm.py", {"kernels/cpu/lstm.py"}),
        ("equations/activations.py", CELLS),
        ("equations/exponentials.py", CELLS),
        ("kernels/cpu/lstm.py", {"kernels/cpu/lstm.py"}),
        ("kernels/cpu/recurrence.py", CELLS),
        ("kernels/cpu/masking.py", {*CELLS, "kernels/cpu/masking.py"}),
        ("kernels/cpu/tile.py", {*CELLS, "kernels/cpu/products.py", "kernels/cpu/weights.py"}),
        ("training/optimizers/adam.py", {ADAM}),
        ("training/losses/part.py", {NEW}),
        ("jit.py", KERNELS),
        ("hardware.py", KERNELS),
        ("layers/lstm.py", set()),
        ("__init__.py", set()),
    ],
)
def test_kernels_are_stale_exactly_if_what_they_are_made_from_changed(copy, edited, stale):
    def stamps():
        kernel_cache._imports.cache_clear()
        source_stamp.cache_clear()
        return {name: source_stamp(copy / name, copy) for name in KERNELS}

    before = stamps()
    with open(copy / edited, "a") as file:
        file.write("# a comment\n")
    after = stamps()
    assert {name for name in KERNELS if before[name] != after[name]} == stale


def test_every_kernel_is_stamped_with_what_it_is_written_in():
    from rnn_ref.kernels.cpu import lstm, products

    stamp = source_stamp(PACKAGE / "kernels/cpu/products.py")
    assert products.project_rows._cache._impl.locator.get_source_stamp() == stamp
    loop = lstm.RUNNER.loop.forward_batch._cache
    assert loop._impl.locator.get_source_stamp() == source_stamp(PACKAGE / "kernels/cpu/loop.py")
    assert loop._made_from == source_stamp(PACKAGE / "kernels/cpu/lstm.py")[:16]


# -- files that are damaged, or cannot be written ----------------------------------------------------


def doubled(x):
    for k in range(x.size):
        x[k] = x[k] * 2


@pytest.fixture
def start(tmp_path, monkeypatch):
    """What a process that starts does with a kernel: whether machine code came from disk, and what was warned of."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))

    def start(dtype="float32"):
        kernel_cache._warn.cache_clear()
        compiled, x = kernel(doubled), np.ones(5, dtype)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            compiled(x)
        assert x.tolist() == [2] * 5
        return sum(compiled.stats.cache_hits.values()), [str(warning.message) for warning in caught]

    yield start
    kernel_cache._warn.cache_clear()


def test_damaged_files_are_made_anew_with_one_warning(tmp_path, start):
    assert start() == (0, [])
    assert start() == (1, [])
    files = [*tmp_path.rglob("*.nb?")]
    assert {file.suffix for file in files} == {".nbi", ".nbc"}
    for file in files:
        content = file.read_bytes()
        for damaged in (content[: len(content) // 2], b"", content[:-9] + b"\0" + content[-8:]):
            if file.suffix == ".nbi" and len(damaged) == len(content):
                continue  # one byte of an index may be one of a name
            file.write_bytes(damaged)
            hits, (warned,) = start()
            assert hits == 0
            assert "damaged" in warned
            assert start() == (1, [])


def test_types_that_two_processes_add_are_kept_apart(tmp_path, start):
    """A process that read the index before another wrote to it names its machine code otherwise than that one did."""
    start("float32")
    (index,) = tmp_path.rglob("*.nbi")
    index.unlink()
    start("float64")
    assert len([*tmp_path.rglob("*.nbc")]) == 2
    assert start("float64") == (1, [])


def test_machine_code_of_earlier_sources_goes(tmp_path):
    files = [kernel_cache._Files(str(tmp_path), "f-1.py311", stamp * 32) for stamp in "ab"]
    files[0].save("key", "first")
    assert files[0].load("key") == "first"
    assert files[1].load("key") is None
    files[1].save("key", "second")
    assert files[1].load("key") == "second"
    assert files[0].load("key") is None
    assert len([*tmp_path.glob("*.nbc")]) == 1


def test_of_a_cell_that_is_edited_again_and_again_the_latest_versions_are_kept(tmp_path):
    files = kernel_cache._Files(str(tmp_path), "f-1.py311", "a" * 32, latest=3)
    for version in range(6):
        files.save(("types", version), f"code {version}")
    assert [files.load(("types", version)) for version in range(6)] == [None] * 3 + ["code 3", "code 4", "code 5"]
    assert len(list(tmp_path.glob("*.nbc"))) == 3


@pytest.fixture
def nothing_warned_yet():
    kernel_cache._warn.cache_clear()
    yield
    kernel_cache._warn.cache_clear()


def tripled(x):
    for k in range(x.size):
        x[k] = x[k] * 3


def test_where_nothing_can_be_written_kernels_live_in_memory(monkeypatch, nothing_warned_yet):
    def refuse(self):
        raise PermissionError("not yours")

    monkeypatch.setattr(caching._CacheLocator, "ensure_cache_path", refuse)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compiled = [kernel(tripled), kernel(tripled)]
        for function in compiled:
            x = np.ones(3)
            function(x)
            assert x.tolist() == [3, 3, 3]
    assert len(caught) == 1
    assert "NUMBA_CACHE_DIR" in str(caught[0].message)


def test_a_full_disk_is_said_once(monkeypatch, nothing_warned_yet):
    def refuse(self, *arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kernel_cache._Files, "_save_data", refuse)
    monkeypatch.setattr(kernel_cache._Files, "load", lambda self, key: None)
    x = np.ones(3)
    with pytest.warns(RuntimeWarning, match="No space left"):
        kernel(tripled)(x)
    assert x.tolist() == [3, 3, 3]


@pytest.mark.parametrize("value", ["24", "128", "wide"])
def test_vectors_that_are_not_there_are_refused(value):
    code = "import rnn_ref"
    environment = {**environ, "RNN_REF_VECTOR_BYTES": value}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ValueError: RNN_REF_VECTOR_BYTES: ")
    assert repr(value) in done.stderr
