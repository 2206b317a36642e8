"""Pages of their own in a real browser: opened as files, with scripts from the file alone."""

import re

import numpy as np
import pytest

import rnn_ref
from rnn_ref import explain_step, layers, plot

X = np.random.default_rng(0).normal(size=(1, 4, 2))
WIDTHS = {"phone": 390, "desktop": 1280}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Two pages, by name."""
    folder = tmp_path_factory.mktemp("pages")
    rnn_ref.utils.set_random_seed(0)
    layer = layers.LSTM(3, name="memory")
    return {
        "steps": plot.step_through(rnn_ref.trace(layer, X), unit=1).save_html(folder / "steps.html"),
        "equations": explain_step(layer, X, range(4), 1).save_html(folder / "equations.html"),
    }


@pytest.fixture
def opened(browser_alone, pages):
    """``page = opened("steps")``; at the end, nothing was asked for and nothing went wrong."""
    contexts, wrong = [], []

    def see(name, width=1280, **options):
        context = browser_alone.new_context(viewport={"width": width, "height": 900}, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: request.url.startswith("file:") or wrong.append(request.url))
        page.goto(pages[name].as_uri())
        return page

    yield see
    for context in contexts:
        context.close()
    assert not wrong


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_the_keyboard_moves_the_picture(opened, width):
    page = opened("steps", width)
    slider, stage = page.get_by_role("slider", name="time step"), page.get_by_role("img")
    slider.wait_for()
    first = stage.inner_html()
    assert stage.get_attribute("aria-label").startswith("Time step 0 of unit 1")
    slider.press("ArrowRight")
    assert stage.get_attribute("aria-label").startswith("Time step 1 of unit 1")
    assert stage.inner_html() != first
    assert slider.get_attribute("aria-valuetext") == page.locator("output").inner_text() == "1"
    slider.press("End")
    assert page.locator("#words").inner_text().startswith("Time step 3 of unit 1")
    slider.press("Home")
    assert stage.inner_html() == first
    assert page.evaluate("document.documentElement.scrollWidth") == width, "the page itself does not scroll sideways"
    drawn = page.locator("#stage svg").bounding_box()
    assert drawn["width"] > 600
    assert drawn["height"] > 300


def test_it_plays_to_the_end_and_from_the_beginning(opened):
    page = opened("steps")
    play = page.get_by_role("button", name="Play")
    play.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Pause").wait_for()
    page.wait_for_function("() => document.querySelector('output').textContent === '3'")
    play.wait_for()
    play.click()
    page.wait_for_function("() => document.querySelector('output').textContent === '0'")
    page.get_by_role("button", name="Pause").click()
    play.wait_for()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_equations_with_their_numbers(opened, width):
    page = opened("equations", width)
    slider = page.get_by_role("slider", name="time step")
    before = page.locator("td.last").all_inner_texts()
    slider.press("ArrowRight")
    after = page.locator("td.last").all_inner_texts()
    assert len(before) == len(after)
    assert before != after
    assert all(re.fullmatch(r"−?[\d.]+(e[+−]?\d+)?", number) for number in after)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_without_javascript_the_first_frame_can_be_read(opened):
    page = opened("steps", java_script_enabled=False)
    assert page.get_by_text("This page stands still, at time step 0").is_visible()
    assert page.locator("#stage svg").bounding_box()["width"] > 600
    assert not page.get_by_role("slider", name="time step").is_visible()
    page.get_by_text("All of it in words").click()
    assert page.locator("#all li").count() == 4
