"""Sliders in a real JupyterLab: they move, and the picture changes."""

import re

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")

NETWORK = """
import numpy as np
import rnn_ref as keras
from rnn_ref import layers, plot

keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(2, 12, 3))
seen = keras.trace(layers.LSTM(5, name="memory"), x)
"""


@pytest.fixture
def notebook(lab, run_all):
    """``page = notebook("name", code, ...)``: a notebook of these cells, opened and run."""
    folder, _ = lab

    def make(name, *cells):
        written = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells])
        written.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
        nbformat.write(written, folder / f"{name}.ipynb")
        return run_all(f"{name}.ipynb")

    return make


def picture(page):
    """The picture under the sliders, when it has been drawn."""
    image = page.locator(".widget-html img")
    image.wait_for()
    page.wait_for_function("() => document.querySelector('.widget-html img').naturalWidth > 300")
    return image


def changed(page, image, act):
    """Do something, and wait until the picture is another one; what it says now."""
    before = image.get_attribute("src")
    act()
    page.wait_for_function(
        "old => { const i = document.querySelector('.widget-html img'); return i.src !== old && i.naturalWidth > 300 }",
        arg=before,
    )
    return image.get_attribute("alt")


def press(page, slider, key):
    handle = page.locator(".widget-slider").filter(has_text=slider).locator(".noUi-handle")
    return lambda: handle.press(key)


def test_step_through_moves_with_its_sliders(notebook):
    page = notebook("steps", NETWORK, "plot.step_through(seen, unit=2)")
    image = picture(page)
    assert image.get_attribute("alt").startswith("Time step 0 of unit 2 of memory (LSTM)")
    assert changed(page, image, press(page, "step", "ArrowRight")).startswith("Time step 1 of unit 2")
    assert changed(page, image, press(page, "unit", "ArrowRight")).startswith("Time step 1 of unit 3")

    handle = page.locator(".widget-slider").filter(has_text="step").locator(".noUi-handle").bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2

    def drag():
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 150, y, steps=5)
        page.mouse.up()

    changed(page, image, drag)
    page.wait_for_function("() => /^Time step ([5-9]|1[01]) /.test(document.querySelector('.widget-html img').alt)")


@pytest.mark.long
def test_the_play_button_plays(notebook):
    page = notebook("play", NETWORK, "plot.step_through(seen)")
    image = picture(page)
    play = page.locator(".widget-play button").first
    assert changed(page, image, play.click).startswith("Time step")
    changed(page, image, lambda: None)  # and on, by itself
    assert int(re.match(r"Time step (\d+)", image.get_attribute("alt"))[1]) >= 1


@pytest.mark.long
def test_gradient_flow_is_explored(notebook):
    page = notebook("explore", "from rnn_ref import plot", "plot.explore_gradient_flow()")
    image = picture(page)
    assert image.get_attribute("alt").startswith("Gradient norm in an untrained LSTM, recurrent weights × 1.00")
    assert "forget bias 1.1" in changed(page, image, press(page, "forget bias", "ArrowRight"))
    assert "× 1.05" in changed(page, image, press(page, "recurrent weights", "ArrowRight"))
    assert "100 steps before the loss" in changed(page, image, press(page, "steps", "ArrowRight"))
    gru = page.get_by_role("button", name="GRU")
    assert "untrained GRU" in changed(page, image, gru.click)
    bias = page.locator(".widget-slider").filter(has_text="forget bias").locator(".noUi-target")
    assert bias.get_attribute("disabled") is not None, "a GRU has no forget bias"
