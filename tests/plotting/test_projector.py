"""The style for projectors: larger type, nothing outside the picture."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers, plot
from rnn_ref.plotting.shared import larger

CURVE = {"loss": [3.0, 2.0, 1.5]}
LONG = "A title that says rather more than there is room for, as the titles of teachers and of careful people do"


def share_of_width(figure):
    """How wide the title is, as a share of the picture."""
    figure.draw_without_rendering()
    title = figure._suptitle or figure.axes[0].title
    return title.get_window_extent().width / figure.bbox.width


def size_of_type(figure):
    """Letters' height as a share of the picture's width."""
    return figure.axes[0].xaxis.label.get_fontsize() * figure.dpi / figure.bbox.width


def test_type_is_larger():
    usual = plot.history(CURVE)
    with plot.style("projector"):
        large = plot.history(CURVE)
    assert size_of_type(large) == pytest.approx(1.5 * size_of_type(usual), rel=0.01)
    assert round(large.bbox.width) == round(usual.bbox.width)


def test_long_titles_are_broken():
    with plot.style("projector"):
        assert share_of_width(plot.history(CURVE, title=LONG)) < 1
        seen = rnn_ref.trace(layers.SimpleRNN(3, name="memory"), np.ones((1, 5, 2)))
        assert share_of_width(plot.gates(seen, title=LONG)) < 1


def test_it_ends_where_it_should():
    with pytest.raises(KeyError), plot.style("projector"):
        raise KeyError
    assert larger() == 1
    plot.style("projector")
    assert larger() == 1.5
    plot.style("page")
    assert larger() == 1


def test_unknown_names():
    with pytest.raises(ValueError, match="name='poster', but there are 'page' and 'projector'"):
        plot.style("poster")
