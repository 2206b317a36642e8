"""Attention maps show the scores, with tokens on both axes."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from rnn_ref import layers, plot


@pytest.fixture(scope="module")
def scores():
    """Of a real layer: ``(2, 3, 5)``."""
    generator = np.random.default_rng(0)
    query, value = generator.normal(size=(2, 3, 4)), generator.normal(size=(2, 5, 4))
    return layers.Attention()([query, value], return_attention_scores=True)[1]


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_scores_and_tokens(scores):
    figure = plot.attention(scores, query_tokens="abc", key_tokens=["I", "was", " ", "$x$", "here"], sample=1)
    axis = figure.axes[0]
    np.testing.assert_array_equal(axis.images[0].get_array(), scores[1])
    assert axis.images[0].get_clim() == (0, 1)
    assert labels(axis.yaxis) == ["a", "b", "c"]
    assert labels(axis.xaxis) == ["I", "was", "␣", "$x$", "here"]
    best = ["I", "was", "␣", "$x$", "here"][scores[1, 0].argmax()]
    assert f"a at {best} (step {scores[1, 0].argmax()}, {scores[1, 0].max():.2f})" in plot.figure_alt(figure)


def test_padding_is_left_away(scores):
    figure = plot.attention(scores[0], query_tokens="ab", key_tokens="wxyz")
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), scores[0, :2, :4])


def test_a_trace_with_scores(scores):
    figure = plot.attention(SimpleNamespace(name="aligner", scores=scores))
    assert figure.axes[0].get_title() == "Attention of “aligner”"
    assert labels(figure.axes[0].xaxis) == ["0", "1", "2", "3", "4"]
    assert figure.axes[0].get_ylabel() == "query step"


def test_many_tokens_are_not_all_written():
    figure = plot.attention(np.full((2, 100), 0.01))
    assert labels(figure.axes[0].xaxis) == [str(k) for k in range(0, 100, 3)]


def test_given_axes_and_what_does_not_fit(scores):
    own = Figure()
    assert plot.attention(scores, ax=own.subplots()) is own
    with pytest.raises(ValueError, match="sample=2, but there are samples 0 to 1"):
        plot.attention(scores, sample=2)
    with pytest.raises(ValueError, match="key_tokens has 6 tokens, the scores have 5 steps"):
        plot.attention(scores, key_tokens="abcdef")
    with pytest.raises(ValueError, match=r"got shape \(5,\)"):
        plot.attention(np.ones(5))
