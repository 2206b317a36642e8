"""One step of a cell shows the numbers of the trace, whichever way time runs."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers, plot
from rnn_ref.plotting.cell_diagram import CellDiagram
from rnn_ref.plotting.cell_drawing import number


def seen(kind="LSTM", mask=None, **options):
    layer = getattr(layers, kind)(4, name="memory", dtype="float64", **options)
    x = np.random.default_rng(0).normal(size=(2, 6, 3))
    return rnn_ref.trace(layer, x, mask=mask)["memory"]


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def bars(patch):
    """Heights of the bars, without the gaps."""
    return patch.get_data().values[::2]


@pytest.mark.parametrize("kind", ["SimpleRNN", "GRU", "LSTM"])
def test_bars_are_the_gates_and_states_of_all_units(kind):
    trace = seen(kind)
    diagram = CellDiagram(trace, sample=1)
    for t in (0, 4, 2):  # back and forth: nothing of the step shown before may stay
        figure = diagram.show(t, unit=3)
        assert set(diagram.bars) == {*trace.gates, *trace.states}
        for name, row in diagram.bars.items():
            np.testing.assert_array_equal(bars(row.after), trace[name][1, t])
            if name in trace.states:
                before = trace[name][1, t - 1] if t else np.zeros(4)
                np.testing.assert_array_equal(bars(row.before), before)
        found = texts(figure)
        for array in trace.gates.values():
            assert number(array[1, t, 3]) in found
        assert f"$h_{{{t}}}$ =\n{number(trace.hidden[1, t, 3])}" in found
        assert sum(text.startswith("$x_") and "W" not in text for text in found) == 1


def test_the_curve_below_is_the_unit_and_marks_the_step():
    diagram = CellDiagram(seen(), sample=0)
    diagram.show(5, unit=1)
    np.testing.assert_array_equal(diagram.curves["cell"].get_ydata(), diagram.layer.cell[0, :, 1])
    assert diagram.here.get_xdata() == [5, 5]
    for name, curve in diagram.curves.items():  # each on a scale of its own
        low, high = curve.axes.get_ylim()
        largest = np.abs(diagram.layer[name][0, :, 1]).max()
        assert -low == high
        assert largest < high < 1.1 * largest


def test_backwards_the_state_before_is_that_of_the_later_step():
    trace = seen("GRU", go_backwards=True)
    diagram = CellDiagram(trace)
    found = texts(diagram.show(2, unit=0))
    assert f"$h_{{3}}$ =\n{number(trace.hidden[0, 3, 0])}" in found
    assert f"$h_{{2}}$ =\n{number(trace.hidden[0, 2, 0])}" in found
    z, g = trace.gates["update"][0, 2, 0], trace.gates["candidate"][0, 2, 0]
    np.testing.assert_allclose(z * trace.hidden[0, 3, 0] + (1 - z) * g, trace.hidden[0, 2, 0])
    assert f"$z\\,h_{{t+1}}$ = {number(z * trace.hidden[0, 3, 0])}" in found
    assert "$h_{6}$ =\n0.00" in texts(diagram.show(5, unit=0)), "it begins at the end"


def test_a_masked_step_says_so_and_draws_no_gates():
    mask = np.ones((2, 6), bool)
    mask[0, 3] = False
    diagram = CellDiagram(seen("SimpleRNN", mask=mask))
    found = texts(diagram.show(3, unit=0))
    assert any("masked" in text for text in found)
    np.testing.assert_array_equal(bars(diagram.bars["hidden"].after), bars(diagram.bars["hidden"].before))
    assert not any("masked" in text for text in texts(diagram.show(4, unit=0)))
    diagram = CellDiagram(seen("LSTM", mask=mask))
    diagram.show(2)
    diagram.show(3)
    assert np.isnan(bars(diagram.bars["input"].after)).all()


def test_tokens_and_alternative_text():
    figure = plot.cell_diagram(seen(), t=2, unit=1, tokens="ab $cd")
    assert figure.get_suptitle().endswith("reading ␣")
    trace = seen()
    alt = plot.figure_alt(plot.cell_diagram(trace, t=3, unit=1, tokens="ab $cd"))
    assert f"forget {number(trace.gates['forget'][0, 3, 1])}" in alt
    before, after = trace.cell[0, 2, 1], trace.cell[0, 3, 1]
    assert f"cell state from {number(before)} to {number(after)}" in alt


def test_what_cannot_be_drawn():
    trace = seen()
    with pytest.raises(ValueError, match="t=6, but memory has 0 to 5"):
        plot.cell_diagram(trace, t=6)
    with pytest.raises(ValueError, match="unit=-1, but memory has 0 to 3"):
        plot.cell_diagram(trace, t=0, unit=-1)
    with pytest.raises(ValueError, match="sample=2"):
        plot.cell_diagram(trace, t=0, sample=2)
    with pytest.raises(ValueError, match="tokens has 2 entries, the trace has 6"):
        plot.cell_diagram(trace, t=0, tokens="ab")
    x, layer = np.ones((1, 6, 3)), layers.SimpleRNN(4, name="memory")
    with pytest.raises(ValueError, match="leaves steps out"):
        plot.cell_diagram(rnn_ref.trace(layer, x, every=2), t=0)
    with pytest.raises(ValueError, match="without pre-activations"):
        plot.cell_diagram(rnn_ref.trace(layer, x, preactivations=False), t=0)
    with pytest.raises(ValueError, match="part of a longer one"):
        plot.cell_diagram(seen("GRU", go_backwards=True).select(time=slice(0, 3)), t=2)
