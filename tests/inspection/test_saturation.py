"""Saturation reports: counted by hand."""

import numpy as np
import pytest

from rnn_ref import Sequential, layers, saturation, trace

B, T, F, H = 5, 9, 2, 6
X = np.random.default_rng(0).normal(size=(B, T, F))


def make(cell, **options):
    layer = getattr(layers, cell)(H, name="rnn", dtype="float64", input_shape=(T, F), **options)
    generator = np.random.default_rng(1)
    layer.set_weights([generator.normal(size=w.shape, scale=2) for w in layer.weights])
    return layer


@pytest.mark.parametrize("cell", ["LSTM", "GRU", "SimpleRNN"])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_shares_are_counts(cell, go_backwards):
    layer = make(cell, go_backwards=go_backwards)
    seen, report = trace(layer, X)["rnn"], saturation(layer, X)["rnn"]
    assert set(report.below) == set(report.above) == set(seen.gates) - {"candidate"}
    for gate in report.below:
        for unit in range(H):
            values = [seen.gates[gate][b, t, unit] for b in range(B) for t in range(T)]
            assert report.below[gate][unit] == pytest.approx(sum(v < 0.1 for v in values) / len(values))
            assert report.above[gate][unit] == pytest.approx(sum(v > 0.9 for v in values) / len(values))
        assert 0 < report.below[gate].mean() < 1
    assert report.large.mean() == pytest.approx((np.abs(seen.hidden) > 0.9).mean())
    assert not report.zero.any()


def test_a_trace_tells_the_same():
    layer = make("LSTM")
    np.testing.assert_array_equal(
        saturation(trace(layer, X))["rnn"].above["forget"], saturation(layer, X)["rnn"].above["forget"]
    )


def test_masked_steps_do_not_count():
    """Appending masked steps changes nothing."""
    model = Sequential([layers.Masking(dtype="float64"), make("LSTM")])
    longer = np.concatenate([X, np.zeros((B, 20, F))], axis=1)
    plain, masked = saturation(model, X)["rnn"], saturation(model, longer)["rnn"]
    for gate in plain.below:
        np.testing.assert_allclose(masked.below[gate], plain.below[gate], rtol=1e-12)
    np.testing.assert_allclose(masked.large, plain.large, rtol=1e-12)


def test_other_limits():
    layer = make("GRU")
    report = saturation(layer, X, low=0.5, high=0.5)["rnn"]
    np.testing.assert_allclose(report.below["update"] + report.above["update"], 1)
    with pytest.raises(ValueError, match=r"low=0\.9 must not be above high=0\.1"):
        saturation(layer, X, low=0.9, high=0.1)


def test_dead_relu_units():
    layer = layers.SimpleRNN(4, activation="relu", name="rnn", input_shape=(T, F))
    W, U, _ = layer.get_weights()
    layer.set_weights([W * 0, U * 0, np.array([-1.0, 1.0, 0.0, 2.0])])  # units 0 and 2 stay at zero
    report = saturation(layer, X)["rnn"]
    np.testing.assert_array_equal(report.dead, [0, 2])
    np.testing.assert_array_equal(report.zero, [1, 0, 1, 0])
    assert "2 of 4 units dead" in repr(report)


def test_gates_that_stay_open_or_closed():
    layer = layers.LSTM(3, name="rnn", input_shape=(T, F), unit_forget_bias=False)
    W, U, b = layer.get_weights()
    b[3:6] = [-9, 0, 9]
    layer.set_weights([W * 0, U * 0, b])
    report = saturation(layer, X)["rnn"]
    np.testing.assert_array_equal(report.closed("forget"), [0])
    np.testing.assert_array_equal(report.open("forget"), [2])
    with pytest.raises(KeyError, match="rnn: no gate is named 'update'; there are input, forget, output"):
        report.open("update")


def test_stacked_cells_and_layers_in_layers():
    stack = layers.RNN([layers.LSTMCell(H, name="low"), layers.GRUCell(H, name="high")], name="stack")
    both = layers.Bidirectional(layers.GRU(H, name="gru", return_sequences=True), name="both")
    report = saturation(Sequential([both, stack]), X)
    assert list(report) == ["both/forward_gru", "both/backward_gru", "stack/low", "stack/high"]
    assert list(report["stack/high"].below) == ["update", "reset"]
    frames = Sequential([layers.TimeDistributed(layers.LSTM(H, name="lstm"), name="frames")])
    assert list(saturation(frames, X[:, :, None])) == ["frames/lstm"]


def test_bad_requests():
    with pytest.raises(ValueError, match="give the data x to run the model on, or a trace"):
        saturation(make("LSTM"))
    with pytest.raises(ValueError, match="has no recurrent layer"):
        saturation(Sequential([layers.Dense(1)]), X)
    with pytest.raises(KeyError, match="no recurrent layer is named 'gru'; there are rnn"):
        saturation(make("LSTM"), X)["gru"]
