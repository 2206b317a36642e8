"""Pictures show the numbers they are given, with titles, labels and a text alternative."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import rnn_ref
from rnn_ref import layers, plot


@pytest.fixture(scope="module")
def model():
    return rnn_ref.Sequential([rnn_ref.Input((9, 2)), layers.LSTM(4, name="memory"), layers.Dense(1)])


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).normal(size=(3, 9, 2))


def panels(figure):
    return [axis for axis in figure.axes if axis.images]


def test_gates_draw_the_trace(model, x):
    seen = rnn_ref.trace(model, x)["memory"]
    figure = plot.gates(seen, sample=1)
    drawn = {axis.get_title(loc="left").split()[0]: np.asarray(axis.images[0].get_array()) for axis in panels(figure)}
    assert set(drawn) == {"input", "forget", "candidate", "output", "hidden", "cell"}
    for name, image in drawn.items():
        np.testing.assert_array_equal(image, seen[name][1].T)
    for axis in panels(figure):
        low, high = axis.images[0].get_clim()
        signed = axis.get_title(loc="left").split()[0] in ("candidate", "hidden", "cell")
        assert low == (-high if signed else 0), "zero belongs in the middle of signed scales"
    assert figure.axes[5].get_xlabel() == "time step"
    assert "memory" in plot.figure_alt(figure)


@pytest.mark.parametrize(("cell", "expected"), [(layers.SimpleRNN, 1), (layers.GRU, 4), (layers.LSTM, 6)])
def test_every_cell_has_its_panels(cell, expected, x):
    trace = rnn_ref.trace(cell(3), x)
    assert len(panels(plot.gates(trace))) == expected


def test_gates_with_a_series_above(model, x):
    seen = rnn_ref.trace(model, x)
    years = np.arange(1990, 1999)
    figure = plot.gates(seen, time=("year", years), series=("feature", x[0, :, 0]))
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), x[0, :, 0])
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), years)
    with pytest.raises(ValueError, match="series has 3 values"):
        plot.gates(seen, series=("feature", x[0, :3, 0]))
    with pytest.raises(ValueError, match="sample=7"):
        plot.gates(seen, sample=7)


def test_gradient_flow_draws_the_norms(model, x):
    flow = rnn_ref.gradient_flow(model, x, np.ones((3, 1)))
    figure = plot.gradient_flow({"mine": flow, "again": flow["memory"]})
    lines = figure.axes[0].lines
    assert [line.get_label() for line in lines] == ["mine", "again"]
    np.testing.assert_allclose(lines[0].get_ydata(), flow["memory"].norm)
    assert figure.axes[0].get_yscale() == "log"
    assert "mine" in plot.figure_alt(figure)
    own = Figure()
    axis = own.subplots()
    assert plot.gradient_flow(flow, ax=axis) is own


def test_history_draws_every_quantity():
    curves = {"loss": [3.0, 2.0], "val_loss": [3.5, 2.5], "mae": [1.0, 0.5]}
    figure = plot.history(curves)
    assert [axis.get_ylabel() for axis in figure.axes] == ["loss", "mae"]
    np.testing.assert_array_equal(figure.axes[0].lines[1].get_ydata(), curves["val_loss"])
    with pytest.raises(ValueError, match="empty"):
        plot.history({})


def test_forecast_draws_series_and_errors():
    truth, guess = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0])
    figure = plot.forecast(("year", np.arange(3)), truth, {"guess": guess}, ylabel="value")
    np.testing.assert_array_equal(figure.axes[1].lines[1].get_ydata(), guess - truth)


def test_a_foreign_figure_has_no_alt_text():
    with pytest.raises(ValueError, match="not made by"):
        plot.figure_alt(Figure())
