"""Pages of their own: small, whole, and with nothing to load. In a browser: tests/browser/test_pages.py."""

import base64
import json
import re
import sys
import zlib
from html import unescape

import numpy as np
import pytest

import rnn_ref
from rnn_ref import explain_step, layers, page, plot
from rnn_ref.plotting import explore_gradient_flow

X = np.random.default_rng(0).normal(size=(2, 5, 2))


@pytest.fixture(scope="module")
def layer():
    rnn_ref.utils.set_random_seed(0)
    return layers.LSTM(3, name="<memory>")


@pytest.fixture(scope="module")
def trace(layer):
    return rnn_ref.trace(layer, X)


def stored(text: str) -> dict:
    data = re.search(r'id="data">([^<]*)<', text)[1]
    return json.loads(zlib.decompress(base64.b64decode(data)))


def frames(text: str) -> dict[str, str]:
    """Markup by position."""
    data = stored(text)
    whole = ["\n".join(data["lines"][k] for k in frame) for frame in data["frames"]]
    return {place: whole[k] for place, k in data["places"].items()}


def check(path, positions: int) -> str:
    text = path.read_text(encoding="utf-8")
    everything = re.sub(r'id="data">[^<]*<', "", text) + json.dumps(stored(text))
    assert path.stat().st_size < 3_000_000
    assert not re.search(r"https?:|//\w|\bsrc=|@import|url\((?!#)", everything), "the page would load something"
    assert "<memory>" not in everything
    assert len(frames(text)) == positions
    assert text.count("<!DOCTYPE html>") == 1
    return text


def test_step_through(trace, tmp_path):
    picture = plot.step_through(trace, unit=1, tokens="abcde")
    before = plot.figure_alt(picture)
    path = picture.save_html(tmp_path / "steps.html")
    assert plot.figure_alt(picture) == before, "the picture that is shown stays as it is"
    text = check(path, 5)
    for t in range(5):
        words = plot.figure_alt(plot.cell_diagram(trace, t=t, unit=1)).replace("<memory>", "&lt;memory&gt;")
        assert f"<li>{words}</li>" in text
    drawn = frames(text)
    assert len(set(drawn.values())) == 5
    assert drawn["0"] in text, "what is there without JavaScript"
    assert all(frame.count("<svg") == 1 and "viewBox" in frame for frame in drawn.values())
    assert picture.save_html(tmp_path / "steps.html").read_text(encoding="utf-8") == text, "the same page again"


def test_frames_share_their_lines(trace, tmp_path):
    one, five = (
        plot.step_through(trace).save_html(tmp_path / f"{n}.html", steps=range(n)).stat().st_size for n in (1, 5)
    )
    assert five < 2 * one


def test_a_layer_that_reads_backwards_plays_backwards(tmp_path):
    trace = rnn_ref.trace(layers.GRU(2, go_backwards=True, return_sequences=True, name="gru"), X)
    text = plot.step_through(trace).save_html(tmp_path / "a.html", steps=[1, 3]).read_text(encoding="utf-8")
    assert 'data-by="-1"' in text
    assert 'max="1" step="1" value="1" data-values="[&quot;1&quot;, &quot;3&quot;]"' in text


def test_explore_gradient_flow(monkeypatch, tmp_path):
    module = sys.modules[explore_gradient_flow.__module__]
    monkeypatch.setattr(module, "LENGTHS", (5,))
    monkeypatch.setattr(module, "SCALES", (0.5,))
    monkeypatch.setattr(module, "BIASES", (1.0,))
    picture = plot.explore_gradient_flow("GRU", length=8, scale=0.75, forget_bias=2.0)
    text = check(picture.save_html(tmp_path / "explore.html"), 3 * 2 * 2 * 2)
    drawn = frames(text)
    assert drawn["2,1,1,0"] == drawn["2,1,1,1"], "a GRU has no forget bias"
    assert drawn["1,1,1,0"] != drawn["1,1,1,1"]
    first = unescape(re.search(r'aria-label="(Gradient[^"]*)"', text)[1])
    assert first == plot.figure_alt(plot.explore_gradient_flow("GRU", length=8, scale=0.75, forget_bias=2.0))


def test_explained_steps(layer, tmp_path):
    steps = explain_step(layer, X, range(5), 1, sample=1)
    text = check(steps.save_html(tmp_path / "steps.html"), 5)
    drawn = frames(text)
    for t, step in enumerate(steps):
        assert step.text == explain_step(layer, X, t, 1, sample=1).text
        for symbol, _ in step.forward:
            value = f"{float(step.values[symbol]):.4g}".replace("-", "−")
            assert f'<td class="last">{value}</td>' in drawn[str(t)]
    assert "c<sub>t</sub>" in drawn["0"]
    assert [step.t for step in explain_step(layer, X, [-1, 0], 1)] == [4, 0]
    text = check(explain_step(layer, X, 2, 1).save_html(tmp_path / "one.html"), 1)
    assert frames(text)[""] in text
    assert 'id="still" hidden' in text
    with pytest.raises(ValueError, match="t names no time step"):
        explain_step(layer, X, [], 1)
    with pytest.raises(IndexError, match="t=5, but <memory> has 0 to 4"):
        explain_step(layer, X, [0, 5], 1)


def test_what_cannot_be_written(trace, monkeypatch, tmp_path):
    picture = plot.step_through(trace)
    path = tmp_path / "page.html"
    path.write_text("before", encoding="utf-8")
    for wrong in (None, 3, ""):
        with pytest.raises(TypeError, match="path must be the name of a file"):
            picture.save_html(wrong, steps=[0])
    with pytest.raises(IsADirectoryError, match="is a folder; give the name of a file in it"):
        picture.save_html(tmp_path, steps=[0])
    with pytest.raises(FileNotFoundError, match="cannot be written"):
        picture.save_html(tmp_path / "nowhere" / "page.html", steps=[0])
    for wrong, message in ((range(6), "steps has 5, but there are 0 to 4"), ([], "names no time step"), (3, "a list")):
        with pytest.raises((TypeError, ValueError), match=message):
            picture.save_html(path, steps=wrong)
    long = rnn_ref.trace(layers.SimpleRNN(1), np.zeros((1, 600, 1)))
    with pytest.raises(ValueError, match=r"600 time steps are too many for a page.*steps=range\(500\)"):
        plot.step_through(long).save_html(path)
    monkeypatch.setattr(page, "LARGEST", 1000)
    with pytest.raises(ValueError, match=r"choose fewer steps, such as.*Nothing was written"):
        picture.save_html(path, steps=[0])
    assert path.read_text(encoding="utf-8") == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]
