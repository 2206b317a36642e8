"""Weight reports: NumPy's norms and spectra of the right slices."""

import numpy as np
import pytest

from rnn_ref import Input, Model, Sequential, layers, weight_report

F, H = 2, 4
GATES = {
    "SimpleRNN": ["candidate"],
    "LSTM": ["input", "forget", "candidate", "output"],
    "GRU": ["update", "reset", "candidate"],
}


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("use_bias", [True, False])
def test_every_gate(cell, use_bias):
    layer = getattr(layers, cell)(H, name="rnn", input_shape=(5, F), use_bias=use_bias)
    report = weight_report(Sequential([layer, layers.Dense(1)]))["rnn"]
    assert list(report) == GATES[cell]
    W, U, *bias = layer.get_weights()
    for k, gate in enumerate(report.values()):
        columns = slice(k * H, k * H + H)
        np.testing.assert_array_equal(gate.kernel, W[:, columns])
        np.testing.assert_array_equal(gate.recurrent_kernel, U[:, columns])
        expected = {"kernel": W[:, columns], "recurrent_kernel": U[:, columns]}
        if use_bias:
            expected["bias"] = bias[0][..., columns]
        assert set(gate.norms) == set(expected)
        for name, array in expected.items():
            assert gate.norms[name] == pytest.approx(np.sqrt((array.astype("float64") ** 2).sum()), rel=1e-12)
        block = U[:, columns].astype("float64")
        gram = np.linalg.eigvalsh(block.T @ block)  # ascending
        np.testing.assert_allclose(gate.singular_values**2, gram[::-1], atol=1e-12)
        assert gate.spectral_norm == gate.singular_values[0]
        for value in gate.eigenvalues:
            assert abs(np.linalg.det(block - value * np.eye(H))) < 1e-9
        np.testing.assert_allclose(gate.eigenvalues.sum(), np.trace(block), atol=1e-12)
        assert gate.spectral_radius == np.abs(gate.eigenvalues).max()


def test_a_report_does_not_change_with_the_weights():
    layer = layers.SimpleRNN(H, input_shape=(5, F), name="rnn")
    before = weight_report(layer)["rnn"]["candidate"]
    layer.recurrent_kernel.assign(np.zeros((H, H)))
    assert before.spectral_radius == pytest.approx(1, rel=1e-5)
    assert weight_report(layer)["rnn"]["candidate"].spectral_radius == 0


def test_layers_in_layers_are_named_with_their_path():
    x, inside = Input((5, F)), Input((5, F))
    inner = Model(inside, layers.GRU(H, name="gru", return_sequences=True)(inside), name="inner")
    both = layers.Bidirectional(layers.LSTM(H, name="lstm", return_sequences=True), name="both")
    stack = layers.RNN([layers.LSTMCell(H, name="low"), layers.GRUCell(H, name="high")], name="stack")
    model = Model(x, stack(both(inner(x))))
    report = weight_report(model)
    assert list(report) == ["inner/gru", "both/forward_lstm", "both/backward_lstm", "stack/low", "stack/high"]
    np.testing.assert_array_equal(report["stack/high"]["reset"].kernel, stack.cell.cells[1].kernel.value[:, H : 2 * H])
    per_frame = layers.TimeDistributed(layers.LSTM(H, name="lstm"), input_shape=(3, 5, F), name="frames")
    assert list(weight_report(Sequential([per_frame]))) == ["frames/lstm"]


def test_what_it_looks_like():
    layer = layers.LSTM(H, name="rnn", input_shape=(5, F), use_bias=False)
    lines = repr(weight_report(layer)).splitlines()
    assert len(lines) == 7
    assert "spectral radius" in lines[2]
    radius = weight_report(layer)["rnn"]["forget"].spectral_radius
    assert lines[4].split() == ["forget", *lines[4].split()[1:3], "-", *lines[4].split()[4:]]
    assert lines[4].split()[-1] == f"{radius:.4g}"


def test_bad_requests():
    with pytest.raises(ValueError, match=r"sequential.* was never built, so rnn has no weights"):
        weight_report(Sequential([layers.LSTM(H, name="rnn")]))
    with pytest.raises(ValueError, match="has no recurrent layer"):
        weight_report(Sequential([Input((3,)), layers.Dense(1)]))
    report = weight_report(layers.LSTM(H, name="rnn", input_shape=(5, F)))
    with pytest.raises(KeyError, match="rnn: no gate is named 'reset'; there are input, forget, candidate, output"):
        report["rnn"]["reset"]
    with pytest.raises(KeyError, match="no recurrent layer is named 'gru'; there are rnn"):
        report["gru"]
