"""The unrolled graph carries the numbers of the trace."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import rnn_ref
from rnn_ref import layers, plot
from rnn_ref.plotting.cell_drawing import number


def seen(kind, **options):
    layer = getattr(layers, kind)(3, name="memory", dtype="float64", **options)
    x = np.random.default_rng(0).normal(size=(2, 6, 4))
    return rnn_ref.trace(layer, x)["memory"], layer, x


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_states_and_gates_stand_on_the_edges(kind):
    trace, _, x = seen(kind)
    figure = plot.unrolled(trace, unit=2, sample=1, start=1, steps=3)
    found = texts(figure)
    for t in range(4):
        assert f"$h_{{{t}}}$ =\n{number(trace.hidden[1, t, 2])}" in found
        if kind == "LSTM":
            assert f"$c_{{{t}}}$ =\n{number(trace.cell[1, t, 2])}" in found
    for t in (1, 2, 3):
        for gate in trace.gates.values():
            assert number(gate[1, t, 2]) in found
        assert f"$x_{{{t}}}$ = [{', '.join(number(v) for v in x[1, t, :3])}, …]" in found
        if kind == "SimpleRNN":
            assert f"$z$ = {number(trace.preactivations['hidden'][1, t, 2])}" in found
    assert [text for text in found if text.startswith("step")] == ["step 1", "step 2", "step 3"]
    assert "unit 2 of memory" in plot.figure_alt(figure)


def test_intermediate_products_by_hand():
    trace, layer, x = seen("LSTM")
    found = texts(plot.unrolled(trace, steps=1))
    z = x[0, 0] @ layer.kernel.value + layer.bias.value
    i, _, g, o = (z[k] for k in (0, 3, 6, 9))
    i, o, g = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-o)), np.tanh(g)
    assert f"$ig$ = {number(i * g)}" in found
    assert number(np.tanh(i * g)) in found
    assert f"$h_{{0}}$ =\n{number(o * np.tanh(i * g))}" in found
    assert "$h_{-1}$ =\n0.00" in found


def test_the_initial_state_is_drawn():
    layer, x = layers.GRU(3, name="memory", stateful=True), np.ones((1, 2, 1))
    before = rnn_ref.trace(layer, x)["memory"].hidden[0, -1, 0]  # where the next batch starts
    found = texts(plot.unrolled(rnn_ref.trace(layer, x), steps=1))
    assert f"$h_{{-1}}$ =\n{number(before)}" in found
    assert abs(before) > 0.01
    assert "$x_{0}$ = 1.00" in found


def test_numbers_are_written_plainly():
    assert [number(v) for v in (-0.001, -1.5, 2)] == ["0.00", "−1.50", "2.00"]


def test_steps_end_with_the_sequence_and_axes_may_be_given():
    trace, *_ = seen("GRU")
    own = Figure()
    assert plot.unrolled(trace, start=4, ax=own.subplots()) is own
    assert own.axes[0].get_title() == "Unit 0 of “memory”, time steps 4 to 5"


def test_what_cannot_be_drawn():
    trace, *_ = seen("LSTM")
    with pytest.raises(ValueError, match="unit=3, but memory has units 0 to 2"):
        plot.unrolled(trace, unit=3)
    with pytest.raises(ValueError, match="from 1 to 8"):
        plot.unrolled(trace, steps=9)
    backwards, *_ = seen("LSTM", go_backwards=True)
    with pytest.raises(ValueError, match="does not follow from the step before"):
        plot.unrolled(backwards, start=2)
    both = rnn_ref.trace(layers.Bidirectional(layers.GRU(2)), np.ones((1, 3, 2)))
    with pytest.raises(ValueError, match="choose one of trace"):
        plot.unrolled(both)
