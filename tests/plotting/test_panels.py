"""Pictures with sliders: without a notebook the picture alone, with a kernel a slider that changes it."""

import re
import sys

import ipywidgets
import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers
from rnn_ref.plotting import cell_diagram, explore_gradient_flow, figure_alt, panel, step_through


@pytest.fixture(scope="module", params=[layers.SimpleRNN, layers.GRU, layers.LSTM])
def seen(request):
    x = np.random.default_rng(0).normal(size=(2, 7, 3)).astype("float32")
    return rnn_ref.trace(request.param(4, name="memory"), x)


@pytest.fixture
def notebook(monkeypatch):
    """As in a notebook: the modules ask ``in_notebook``."""
    for module in ("step_through", "explore_gradient_flow"):
        monkeypatch.setattr(sys.modules[f"rnn_ref.plotting.{module}"], "in_notebook", lambda: True)


def controls(box):
    """Sliders and buttons in a box, by what is written on them."""
    inside = [widget for child in box.children for widget in ([child, *getattr(child, "children", [])])]
    return {widget.description: widget for widget in inside if hasattr(widget, "description")}


def picture(box):
    return next(child for child in box.children if isinstance(child, ipywidgets.Image))


def test_a_cell_diagram_shows_the_numbers_of_the_trace(seen):
    figure = cell_diagram(seen, t=3, unit=2, sample=1)
    written = " ".join(text.get_text() for axis in figure.axes for text in axis.texts)
    numbers = {round(float(found.replace("−", "-")), 2) for found in re.findall(r"[-−]?\d+\.\d+", written)}
    memory = seen["memory"]
    for array in (*memory.gates.values(), memory.hidden):
        assert round(float(array[1, 3, 2]), 2) in numbers
    assert "step 3" in figure_alt(figure)


def test_without_a_notebook_there_is_the_picture(seen):
    assert "Time step 6 of unit 1" in figure_alt(step_through(seen, unit=1))
    assert "SimpleRNN" in figure_alt(explore_gradient_flow("SimpleRNN"))


def test_a_slider_changes_the_picture(seen, notebook):
    box = step_through(seen)
    image, before = picture(box), bytes(picture(box).value)
    assert before.startswith(b"\x89PNG")
    controls(box)["step"].value = 4
    assert bytes(image.value) != before
    assert image.tooltip.startswith("Time step 4")


def test_sliders_of_the_gradient_flow(notebook):
    box = explore_gradient_flow()
    image, before = picture(box), bytes(picture(box).value)
    found = controls(box)
    found["forget bias"].value = 5.0
    assert bytes(image.value) != before
    assert "forget bias 5.0" in image.tooltip
    found["steps"].value = 30
    assert "29 steps" in image.tooltip
    assert not found["forget bias"].disabled
    next(w for w in box.children if isinstance(w, ipywidgets.ToggleButtons)).value = "GRU"
    assert found["forget bias"].disabled  # a GRU has none
    assert "GRU" in image.tooltip


def test_a_static_page_shows_a_picture(seen, notebook):
    assert step_through(seen)._repr_mimebundle_()["image/png"].startswith(b"\x89PNG")


@pytest.mark.parametrize("arguments", [{"unit": 4}, {"sample": 2}, {"layer": "nobody"}])
def test_what_is_not_there(seen, arguments):
    with pytest.raises((ValueError, KeyError, IndexError), match=r"unit|sample|nobody"):
        step_through(seen, **arguments)


def test_bad_values_say_what_is_possible():
    with pytest.raises(ValueError, match="SimpleRNN, LSTM, GRU"):
        explore_gradient_flow("Transformer")
    with pytest.raises(ValueError, match="from 2 to 400"):
        explore_gradient_flow(length=1)
    assert not panel.in_notebook()
