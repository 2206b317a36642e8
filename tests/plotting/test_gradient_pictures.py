"""Pictures of gradients, Jacobians, weights, saturation and recordings show the numbers they are given."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import rnn_ref
from rnn_ref import layers, plot

B, T, F, H = 8, 12, 2, 4
GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.normal(size=(B, T, F)), GENERATOR.normal(size=(B, 1))


def make(cell, name="rnn"):
    model = rnn_ref.Sequential([rnn_ref.Input((T, F)), getattr(layers, cell)(H, name=name), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_gradient_flow_of_several_models():
    flows = rnn_ref.gradient_flow({"LSTM": make("LSTM"), "GRU": make("GRU")}, X, Y)
    lines = plot.gradient_flow(flows).axes[0].lines
    assert [line.get_label() for line in lines] == ["LSTM", "GRU"]
    np.testing.assert_allclose(lines[1].get_ydata(), flows["GRU"]["rnn"].norm)


def test_contributions():
    flow = rnn_ref.gradient_flow(make("GRU"), X, Y)
    years = np.arange(1990, 1990 + T)
    figure = plot.contributions(flow, time=("year", years))
    top, bottom = figure.axes
    assert legend(figure) == ["kernel", "recurrent kernel", "bias"]
    for k, weight in enumerate(("kernel", "recurrent_kernel", "bias")):
        norms, shares = flow["rnn"].contribution_norms()[weight], flow["rnn"].contribution_shares()[weight]
        np.testing.assert_allclose(top.lines[k].get_ydata(), np.where(norms >= 1e-16, norms, np.nan))
        np.testing.assert_allclose(bottom.lines[k].get_ydata(), 100 * shares)
        np.testing.assert_array_equal(top.lines[k].get_xdata(), years)
    assert bottom.get_xlabel() == "year"
    assert "mostly from step" in plot.figure_alt(figure)
    with pytest.raises(ValueError, match="time has 3 values, the flow has 12 time steps"):
        plot.contributions(flow, time=("year", years[:3]))


def test_one_layer_must_be_chosen():
    first, second = layers.LSTM(H, return_sequences=True, name="first"), layers.LSTM(H, name="second")
    model = rnn_ref.Sequential([rnn_ref.Input((T, F)), first, second, layers.Dense(1)])
    with pytest.raises(
        ValueError, match=r"plot.contributions draws one layer; choose one of flow\[name\]: first, second"
    ):
        plot.contributions(rnn_ref.gradient_flow(model, X, Y))
    with pytest.raises(
        ValueError, match=r"plot.saturation draws one layer; choose one of report\[name\]: first, second"
    ):
        plot.saturation(rnn_ref.saturation(model, X))


def test_jacobians_with_the_bound_where_there_is_one():
    both = {name: rnn_ref.state_jacobians(make(name), X) for name in ("SimpleRNN", "LSTM")}
    figure = plot.jacobians(both)
    drawn = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines if line.get_label()[0] != "_"}
    assert list(drawn) == ["SimpleRNN: largest", r"SimpleRNN: bound $(\|U\|\,\gamma)^d$", "LSTM: largest"]
    decay = both["SimpleRNN"].decay()
    np.testing.assert_allclose(drawn["SimpleRNN: largest"], decay.norm)
    np.testing.assert_allclose(drawn[r"SimpleRNN: bound $(\|U\|\,\gamma)^d$"], decay.bound)
    alone = plot.jacobians(both["LSTM"], stop=5)
    _, values = both["LSTM"].by_distance(5)
    others = [line.get_ydata() for line in alone.axes[0].lines][: 2 * H - 1]
    known = np.where(values > 1e-14 * values[:, :1], values, np.nan)
    np.testing.assert_array_equal(np.stack(others, axis=1), known[:, 1:])
    own = Figure()
    assert plot.jacobians(both, ax=own.subplots()) is own
    assert f"up to {T} steps" in plot.figure_alt(own)


def test_eigenvalues_before_and_after():
    model = make("LSTM")
    before = rnn_ref.weight_report(model)["rnn"]
    model.fit(X, Y, verbose=0)
    after = rnn_ref.weight_report(model)["rnn"]
    figure = plot.eigenvalues({"before": before, "after": after})
    assert [axis.get_title() for axis in figure.axes] == list(before)
    assert legend(figure)[1:] == ["before", "after"]
    for axis, gate in zip(figure.axes, before):
        for points, report in zip(axis.collections, (before, after)):
            expected = np.stack([report[gate].eigenvalues.real, report[gate].eigenvalues.imag], axis=1)
            np.testing.assert_array_equal(points.get_offsets(), expected)
    assert f"forget after radius {after['forget'].spectral_radius:.2f}" in plot.figure_alt(figure)


def test_eigenvalues_of_layers_whose_gates_differ():
    """Each report keeps its colour and marker in every panel, and the legend has them all."""
    reports = {kind: rnn_ref.weight_report(make(kind))["rnn"] for kind in ("SimpleRNN", "GRU")}
    figure = plot.eigenvalues(reports)
    (legend,) = figure.legends
    circle, *names = (text.get_text() for text in legend.get_texts())
    assert names == ["SimpleRNN", "GRU"]
    assert circle.startswith("unit circle: radius 1, for comparison; a gate's eigenvalues do not say")
    drawn = {
        collection.get_label(): collection.get_edgecolor().tolist()
        for axis in figure.axes
        for collection in axis.collections
    }
    of_gru = [axis.collections[0].get_edgecolor().tolist() for axis in figure.axes if len(axis.collections) == 1]
    assert all(colour == drawn["GRU"] for colour in of_gru)
    assert drawn["GRU"] != drawn["SimpleRNN"]


def test_eigenvalues_of_a_cell_without_recurrent_kernel():
    layer = rnn_ref.zoo.SRU(3, input_shape=(4, 2), name="rnn")
    with pytest.raises(ValueError, match="a gate with a recurrent kernel, got"):
        plot.eigenvalues(rnn_ref.weight_report(layer)["rnn"])


def test_eigenvalues_of_one_matrix_and_of_jacobians():
    own = Figure()
    jacobians = rnn_ref.state_jacobians(make("GRU"), X)
    numbers = np.array([1j, -1j, 0.5])
    assert plot.eigenvalues({"J": jacobians, "given": numbers}, ax=own.subplots()) is own
    values = jacobians.eigenvalues(T - 1, T)
    np.testing.assert_array_equal(
        own.axes[0].collections[0].get_offsets(), np.stack([values.real, values.imag], axis=1)
    )
    np.testing.assert_array_equal(own.axes[0].collections[1].get_offsets(), [[0, 1], [0, -1], [0.5, 0]])
    with pytest.raises(ValueError, match="ax= takes one panel, but there are 4: input, forget, candidate, output"):
        plot.eigenvalues(rnn_ref.weight_report(make("LSTM"))["rnn"], ax=own.axes[0])


def test_weight_histograms_hold_every_weight():
    report = rnn_ref.weight_report(make("GRU"))["rnn"]
    figure = plot.weights({"now": report, "again": report})
    axes = np.reshape(figure.axes, (3, 3))
    assert [axis.get_title() for axis in axes[0]] == ["update", "reset", "candidate"]
    assert [axis.get_ylabel().split("\n")[0] for axis in axes[:, 0]] == ["kernel", "recurrent kernel", "bias"]
    for axis in axes.ravel():
        for patch in axis.patches:  # outlines: every bin's height appears twice
            heights = patch.get_xy()[1:-1:2, 1]
            assert heights.sum() == pytest.approx(100)
    with pytest.raises(ValueError, match="'b' has the gates input, forget, candidate, output, the first report update"):
        plot.weights({"a": report, "b": rnn_ref.weight_report(make("LSTM"))["rnn"]})


def test_saturation_has_a_circle_a_unit():
    report = rnn_ref.saturation(make("LSTM"), 30 * X)
    figure = plot.saturation(report)
    assert [axis.get_title() for axis in figure.axes] == ["input gate", "forget gate", "output gate"]
    layer = report["rnn"]
    for axis, gate in zip(figure.axes, layer.below):
        shares = np.stack([100 * layer.above[gate], 100 * layer.below[gate]], axis=1)
        assert shares.any()
        np.testing.assert_allclose(axis.collections[0].get_offsets(), shares)
    assert f"forget open {layer.above['forget'].mean():.0%}" in plot.figure_alt(figure)
    with pytest.raises(ValueError, match="rnn has no gates"):
        plot.saturation(rnn_ref.saturation(make("SimpleRNN"), X))


@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM"])
def test_recordings(cell, tmp_path):
    what = ("gradient_flow", "saturation", "weights", "jacobians")
    model, path = make(cell), tmp_path / "run.npz"
    recorder = rnn_ref.Recorder(X, Y, every=2, what=what, path=path)
    model.fit(X, Y, batch_size=2, epochs=2, verbose=0, callbacks=[recorder])
    for source in (recorder, rnn_ref.Recorder.load(path)):
        figure = plot.recording(source)
        seen = recorder.recording
        loss, heat, saturation, radius, exponents = figure.axes[:5]
        np.testing.assert_array_equal(loss.lines[0].get_ydata(), seen.loss)
        norms = seen["gradient_flow"]["rnn"]["norm"]
        np.testing.assert_allclose(np.asarray(heat.collections[0].get_array()), norms.T)
        gate = next(iter(seen["weights"]["rnn"]))
        np.testing.assert_array_equal(radius.lines[0].get_ydata(), seen["weights"]["rnn"][gate]["spectral_radius"])
        np.testing.assert_array_equal(
            exponents.lines[0].get_ydata(), seen["jacobians"]["rnn"]["lyapunov_exponents"][:, 0]
        )
        labels = [line.get_label() for line in saturation.lines]
        assert labels[0] == ("input open" if cell == "LSTM" else "|h| above 0.9")
        assert exponents.get_xlabel() == "training step"
        assert "Layer “rnn” over 8 training steps" in plot.figure_alt(figure)


def test_recordings_of_nothing_and_of_several_layers():
    recorder = rnn_ref.Recorder(X, every=2, what="weights")
    with pytest.raises(ValueError, match="nothing was recorded"):
        plot.recording(recorder)
    both = layers.Bidirectional(layers.GRU(H, name="gru"), name="both")
    model = rnn_ref.Sequential([rnn_ref.Input((T, F)), both, layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0, callbacks=[recorder])
    with pytest.raises(ValueError, match="choose one of both/forward_gru, both/backward_gru"):
        plot.recording(recorder)
    with pytest.raises(ValueError, match="no recorded layer is named 'gru'; there are both/forward_gru"):
        plot.recording(recorder, "gru")
    assert plot.recording(recorder, "both/backward_gru").axes[0].get_ylabel() == "spectral radius"


def test_the_unit_circle_says_what_it_means():
    """Of a SimpleRNN it is a border, of a gate it is not, and of bare numbers nothing is known."""

    def meaning(spectra):
        return plot.eigenvalues(spectra).legends[0].get_texts()[0].get_text()

    assert "a linear SimpleRNN forgets" in meaning(rnn_ref.weight_report(make("SimpleRNN"))["rnn"])
    assert "do not say how long" in meaning(rnn_ref.weight_report(make("LSTM"))["rnn"])
    assert meaning(np.array([0.5 + 0.1j])) == "unit circle: radius 1"


def test_a_curve_that_ends_says_why():
    flow = rnn_ref.gradient_flow(make("SimpleRNN"), X, Y)
    for draw in (plot.gradient_flow, plot.contributions):
        said = [[text.get_text() for text in draw(flow, floor=floor).axes[0].texts] for floor in (0.0, 1e9)]
        assert said == [[], ["values below 1e+09 are not drawn"]]


def test_steps_have_no_fractions():
    flow = rnn_ref.gradient_flow(make("SimpleRNN"), X[:, :3], Y)
    for figure in (plot.gradient_flow(flow), plot.contributions(flow)):
        ticks = figure.axes[-1].get_xticks()
        assert (ticks == np.round(ticks)).all()
