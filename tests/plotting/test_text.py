"""Coloured text: every token is there, in the colour of its number."""

from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_hex

import rnn_ref
from rnn_ref import layers, plot


class Spans(HTMLParser):
    """``(text, background, title)`` of every span."""

    def __init__(self, source):
        super().__init__()
        self.found, self._open = [], None
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        if tag == "span":
            attributes = dict(attributes)
            self._open = (attributes["style"].split("background:")[1][:7], float(attributes["title"]))
            self.found.append(["", *self._open])

    def handle_endtag(self, tag):
        if tag == "span":
            self._open = None

    def handle_data(self, data):
        if self._open:
            self.found[-1][0] += data


def letters(figure):
    return "".join(text.get_text() for text in figure.axes[0].texts)


def test_html_and_figure_show_the_numbers():
    tokens, values = list("a<b &\n"), np.array([-2.0, -1, 0, 0.5, 1, 2])
    figure = plot.text(tokens, values, title="a unit")
    expected = [to_hex(c) for c in colormaps["RdBu_r"]((values + 2) / 4)]
    assert Spans(figure.html).found == [[t, c, v] for t, c, v in zip(tokens, expected, values, strict=True)]
    patches = figure.axes[0].patches
    assert [to_hex(patch.get_facecolor()) for patch in patches] == expected
    assert letters(figure) == "a<b &"
    assert figure._repr_html_() == figure.html
    assert "highest, 2.00, at '\\n' (number 5)" in plot.figure_alt(figure)
    assert np.allclose(colormaps["RdBu_r"](0.5)[:3], 0.97, atol=0.01), "zero is white"
    figure.savefig(BytesIO())  # `$` and the like are text, not mathematics


def test_a_unit_of_a_trace():
    model = rnn_ref.Sequential([layers.Embedding(5, 3), layers.LSTM(4, name="reader"), layers.Dense(1)])
    seen = rnn_ref.trace(model, np.array([[0, 1, 2, 3], [4, 3, 2, 1]]))["reader"]
    figure = plot.text("abcd", seen, unit=2, sample=1)
    np.testing.assert_allclose([v for *_, v in Spans(figure.html).found], seen.cell[1, :, 2], rtol=5e-3)
    assert "cell state of unit 2 in reader" in plot.figure_alt(figure)
    gate = plot.text("abcd", seen, unit=0, array="forget")
    expected = [to_hex(c) for c in colormaps["cividis"](seen["forget"][0, :, 0].astype(float))]
    assert [c for _, c, _ in Spans(gate.html).found] == expected
    gru = rnn_ref.trace(layers.GRU(2, name="gru"), np.ones((1, 2, 3)))["gru"]
    assert "hidden state of unit 1" in plot.figure_alt(plot.text("ab", gru, unit=1))


def test_lines_break_between_words():
    words = ["seventeen"] * 20
    figure = plot.text(words, np.linspace(-1, 1, 20))
    patches = figure.axes[0].patches
    assert {patch.get_y() for patch in patches} == {0, 1, 2}
    assert all(patch.get_x() + patch.get_width() <= 72 for patch in patches)
    characters = plot.text(" ".join(words), np.zeros(199))
    places = [(p.get_y(), p.get_x()) for p in characters.axes[0].patches]
    assert places == sorted(places)
    for start in range(0, 199, 10):
        assert len({line for line, _ in places[start : start + 9]}) == 1, "a word is not torn"
    long = plot.text("x" * 150, np.zeros(150))
    assert {patch.get_y() for patch in long.axes[0].patches} == {0, 1, 2}


def test_text_stands_out_from_its_background():
    """Contrast by WCAG's definition, 4.5 to 1 for readable text."""

    def luminance(colour):
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return np.dot(parts, [0.2126, 0.7152, 0.0722])

    figure = plot.text("x" * 200, np.linspace(-1, 1, 200))
    for patch, text in zip(figure.axes[0].patches, figure.axes[0].texts, strict=True):
        back, ink = luminance(to_hex(patch.get_facecolor())), luminance(to_hex(text.get_color()))
        assert (max(back, ink) + 0.05) / (min(back, ink) + 0.05) >= 4.5


def test_what_does_not_fit():
    seen = rnn_ref.trace(layers.GRU(2, name="gru"), np.ones((1, 2, 3)))["gru"]
    with pytest.raises(ValueError, match="3 tokens and 2 activations"):
        plot.text("abc", [1, 2])
    with pytest.raises(ValueError, match="no text"):
        plot.text("", [])
    with pytest.raises(ValueError, match="which unit of gru"):
        plot.text("ab", seen)
    with pytest.raises(ValueError, match="unit=2, but gru has units 0 to 1"):
        plot.text("ab", seen, unit=2)
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        plot.text("ab", np.ones((2, 2)))
    with pytest.raises(ValueError, match="token 1 is not finite"):
        plot.text("ab", [1.0, np.nan])
