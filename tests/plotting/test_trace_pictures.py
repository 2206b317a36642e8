"""Pictures of traces: one unit over time, paths of the state, tokens under the axis."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers
from rnn_ref.plotting import figure_alt, gates, trajectories, unit

B, T, H = 4, 9, 5


@pytest.fixture(scope="module")
def seen():
    x = np.random.default_rng(0).normal(size=(B, T, 2)).astype("float32")
    return rnn_ref.trace(layers.LSTM(H, name="memory"), x)


def lines(figure):
    return [line.get_ydata() for axis in figure.axes for line in axis.get_lines()]


def test_a_units_gates_and_states_are_the_lines(seen):
    figure = unit(seen, 3, sample=2)
    drawn = [line[-T:] for line in lines(figure) if len(line) >= T]
    for name in ("input", "forget", "output", "candidate", "hidden", "cell"):
        wanted = seen["memory"][name][2, :, 3]
        assert any(np.array_equal(np.asarray(line, "float32"), wanted) for line in drawn), name
    assert "unit 3" in figure_alt(figure).lower()


def test_tokens_stand_under_the_axis(seen):
    for figure in (unit(seen, 0, tokens="sunspots!"), gates(seen, tokens="sunspots!")):
        labels = [text.get_text() for axis in figure.axes for text in axis.get_xticklabels()]
        assert "".join(labels).count("sunspots!") >= 1


def test_paths_lie_in_the_plane_of_most_variance(seen):
    figure = trajectories(seen, samples=[0, 1, 2, 3])
    states = np.concatenate([seen["memory"].initial_states["hidden"][:, None], seen["memory"].hidden], axis=1)
    flat = states.reshape(-1, H).astype("float64")
    shares = np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False) ** 2
    label = figure.axes[0].get_xlabel() + figure.axes[0].get_ylabel()
    for share in shares[:2] / shares.sum():
        assert any(f"{100 * s:.0f}" in label for s in (share - 0.02, share - 0.01, share, share + 0.01, share + 0.02))


@pytest.mark.parametrize("draw", [lambda s: unit(s, H), lambda s: unit(s, 0, sample=B), lambda s: trajectories(s, [B])])
def test_what_is_not_there_says_what_is(draw, seen):
    with pytest.raises((ValueError, IndexError), match=r"0 to \d|sample|unit"):
        draw(seen)
