"""Sliders redraw the picture; without a notebook there is one picture. In a browser: tests/browser."""

import base64
import re
import subprocess
import sys

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers, plot
from rnn_ref.plotting import explore_gradient_flow, step_through

ipywidgets = pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")
MODULES = [sys.modules[function.__module__] for function in (step_through, explore_gradient_flow)]


@pytest.fixture
def trace():
    model = rnn_ref.Sequential([rnn_ref.Input((7, 2)), layers.LSTM(4, name="memory"), layers.Dense(1, name="out")])
    return rnn_ref.trace(model, np.random.default_rng(0).normal(size=(2, 7, 2)))


@pytest.fixture
def notebook(monkeypatch):
    """As in a notebook: widgets can be made without a kernel, they only reach no browser."""
    for module in MODULES:
        monkeypatch.setattr(module, "in_notebook", lambda: True)


def parts(panel):
    """Controls by their description, and the picture."""
    rows, shown = panel.children[:-1], panel.children[-1]
    flat = [widget for row in rows for widget in getattr(row, "children", [row])]
    return {widget.description: widget for widget in flat}, shown


def alt(shown):
    return re.search(r'alt="([^"]*)"', shown.value)[1]


def test_without_a_notebook_there_is_a_picture(trace):
    figure = plot.step_through(trace, unit=3, sample=1)
    assert plot.figure_alt(figure) == plot.figure_alt(plot.cell_diagram(trace, t=6, unit=3, sample=1))
    assert "SimpleRNN, recurrent weights × 0.50" in plot.figure_alt(plot.explore_gradient_flow("SimpleRNN", scale=0.5))


def test_in_a_shell_without_widgets_too():
    """IPython in a terminal has no kernel that widgets could talk to."""
    code = (
        "from IPython.core.interactiveshell import InteractiveShell; InteractiveShell.instance();"
        "import rnn_ref; print(type(rnn_ref.plot.explore_gradient_flow()).__name__)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split()[-1] == "PagePicture"


def test_a_slider_over_time_and_one_over_units(notebook, trace):
    panel = plot.step_through(trace, unit=1)
    controls, shown = parts(panel)
    assert (controls["step"].min, controls["step"].max, controls["unit"].max) == (0, 6, 3)
    first = shown.value
    assert alt(shown) == plot.figure_alt(plot.cell_diagram(trace, t=0, unit=1))
    controls["step"].value = 4
    assert shown.value != first
    assert alt(shown) == plot.figure_alt(plot.cell_diagram(trace, t=4, unit=1))
    controls["unit"].value = 2
    assert alt(shown) == plot.figure_alt(plot.cell_diagram(trace, t=4, unit=2))


def test_a_layer_that_reads_backwards_plays_backwards(notebook):
    trace = rnn_ref.trace(layers.Bidirectional(layers.GRU(2, name="gru"), name="both"), np.ones((1, 5, 2)))
    panel = plot.step_through(trace, layer="both/backward_gru")
    play, step, _ = panel.children[0].children
    assert (play.value, play.step, step.value) == (4, -1, 4)


def test_a_page_without_widgets_shows_the_picture(notebook, trace):
    panel = plot.step_through(trace)
    controls, shown = parts(panel)
    controls["step"].value = 2
    bundle = panel._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.model_id
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["image/png"] in shown.value


def test_gradient_flow_is_drawn_anew(notebook):
    panel = plot.explore_gradient_flow("GRU", length=20)
    controls, shown = parts(panel)
    assert controls["forget bias"].disabled
    cells = controls.pop("")
    cells.value = "LSTM"
    assert not controls["forget bias"].disabled
    controls["forget bias"].value = 4.0
    controls["recurrent weights ×"].value = 0.5
    controls["steps"].value = 30
    at_once = parts(plot.explore_gradient_flow("LSTM", length=30, scale=0.5, forget_bias=4.0))[1]
    assert shown.value == at_once.value
    assert "LSTM, recurrent weights × 0.50, forget bias 4.0" in alt(shown)


def test_what_cannot_be_stepped_through(trace):
    with pytest.raises(ValueError, match="out \\(Dense\\) is not recurrent"):
        plot.step_through(trace, layer="out")
    with pytest.raises(ValueError, match="names an array"):
        plot.step_through(trace, layer="forget")
    with pytest.raises(KeyError, match="no layer is named 'lstm'; there are memory, out"):
        plot.step_through(trace, layer="lstm")
    with pytest.raises(ValueError, match="unit=4, but memory has 0 to 3"):
        plot.step_through(trace, unit=4)
    with pytest.raises(ValueError, match="from 2 to 400"):
        plot.explore_gradient_flow(length=1000)
    with pytest.raises(ValueError, match="cell='RNN', but there are SimpleRNN, LSTM, GRU"):
        plot.explore_gradient_flow("RNN")


def test_cells_lie_over_each_other():
    (axis,) = plot.explore_gradient_flow("GRU", length=10, forget_bias=5.0).axes
    thick = {line.get_label(): line.get_linewidth() > 2 for line in axis.lines if not line.get_label().startswith("_")}
    assert thick == {"SimpleRNN": False, "LSTM, forget bias 1.0": False, "GRU": True}
    (axis,) = plot.explore_gradient_flow("LSTM", length=10, forget_bias=5.0).axes
    assert axis.lines[1].get_label() == "LSTM, forget bias 5.0"
    assert axis.lines[1].get_xdata()[-1] == -1
