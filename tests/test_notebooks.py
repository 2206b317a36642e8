"""Every notebook runs from a clean kernel, and is stored as it ran."""

import json
import os
import re
from pathlib import Path

import pytest

from rnn_ref import inspection, plotting

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
QUICK = "06-counting-parameters"  # runs with the other tests; the others train networks, and are among the long ones
MACHINE = re.compile(r"/home/|/root/|/tmp/|site-packages")


def test_there_are_notebooks():
    assert QUICK in [path.stem for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_stored_clean(path):
    """Of the course's notebooks every cell was run once, in order, without complaint, and tells of no machine."""
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not any(cell.outputs for cell in code):
        assert all(cell.execution_count is None for cell in code)
        return
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all(not cell.metadata for cell in notebook.cells)
    for output in (output for cell in code for output in cell.outputs):
        assert output.output_type in ("execute_result", "display_data", "stream")
        assert output.get("name", "stdout") == "stdout"
        shown = output.get("data", {"text/plain": output.get("text", "")})
        assert not MACHINE.search(" ".join(str(text) for kind, text in shown.items() if kind.startswith("text/")))


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if path.stem == QUICK else [pytest.mark.long(minutes=1)])
        for path in NOTEBOOKS
    ],
)
def test_notebook_runs(path, tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    monkeypatch.setenv("RNN_REF_PROGRESS", os.devnull)
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=900, resources=resources).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output for output in outputs if {"image/png", WIDGET} & set(output.get("data", {}))]
    assert len(shown) >= 3, "the figures are shown, each once"


def test_everything_to_look_with_is_used_somewhere():
    """And every layer that the guides to Keras's recurrent layers name."""
    code = "\n".join(
        "".join(cell["source"])
        for path in NOTEBOOKS
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    )
    looking = {name for name in inspection.__all__ if not isinstance(getattr(inspection, name), type)} | {"Recorder"}
    pictures = {f"plot.{name}" for name in set(plotting.__all__) - {"figure_alt", "style", "sweep"}}  # not of a network
    missing = {name for name in looking | pictures | GUIDES if not re.search(rf"\b{re.escape(name)}\b", code)}
    assert not missing


GUIDES = {
    "SimpleRNN",
    "LSTM",
    "GRU",
    "SimpleRNNCell",
    "LSTMCell",
    "GRUCell",
    "StackedRNNCells",
    "RNN",
    "Bidirectional",
    "TimeDistributed",
    "Embedding",
    "Masking",
    "Dense",
    "Dropout",
    "Flatten",
    "Attention",
    "AdditiveAttention",
    "Concatenate",
}
WIDGET = "application/vnd.jupyter.widget-view+json"
