"""Looking into a model that runs on a GPU: the same numbers, as NumPy arrays."""

import dataclasses

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers
from rnn_ref.device import arrays_in, asarray

X = np.random.default_rng(0).normal(size=(3, 6, 2)).astype("float32")
Y = np.ones((3, 2), "float32")


class Halving(layers.Layer):
    """A custom cell, which runs on the CPU in any case."""

    state_size = 2

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 2), name="kernel")

    def call(self, inputs, states):
        h = 0.5 * states[0] + inputs @ self.kernel
        return h, [h]


def rnns():
    inner = rnn_ref.Sequential(
        [rnn_ref.Input((6, 4)), layers.SimpleRNN(2, return_sequences=True, name="inner")], name="in"
    )
    return rnn_ref.Sequential(
        [
            layers.Masking(name="mask"),
            layers.LSTM(3, return_sequences=True, dropout=0.5, name="lstm"),
            layers.Bidirectional(layers.GRU(2, return_sequences=True, reset_after=False), name="both"),
            inner,
            layers.RNN([layers.GRUCell(2), layers.LSTMCell(3)], return_sequences=True, name="stack"),
            layers.TimeDistributed(layers.Dense(2, name="each"), name="steps"),
            layers.RNN(Halving(), name="own"),
            layers.Dense(2, "tanh", name="out"),
        ]
    )


def of_both(run, same):
    def seeded():
        rnn_ref.utils.set_random_seed(0)
        layers.layer.reset_names()
        return run()

    on_cpu = seeded()
    with rnn_ref.device("cuda"):
        found = seeded()
        assert all(isinstance(array, np.ndarray) for array in arrays_in(found))
        same(found, on_cpu, 1e-5)


@pytest.mark.parametrize(
    "options",
    [{}, {"training": True}, {"every": 2, "gates": ["forget", "hidden"]}, {"layers": "lstm", "preactivations": False}],
)
def test_trace(options, gpu_there, same):
    def run():
        seen = rnn_ref.trace(rnns(), X, **options)
        return [{name: seen[name].arrays() for name in seen}, seen.outputs, seen.notes]

    of_both(run, same)


def test_trace_in_pieces(gpu_there, same, monkeypatch):
    for name, size in (("PIECE", 1), ("BLOCK", 2)):
        monkeypatch.setattr(f"rnn_ref.inspection.watching.{name}", size)

    def run():
        seen = rnn_ref.trace(rnns(), X, every=3)
        return {name: seen[name].arrays() for name in seen}

    of_both(run, same)


def test_trace_of_attention_and_of_arrays_on_the_gpu(gpu_there, same):
    def run():
        given = [asarray(X), asarray(X[:, :4])]
        arrays = rnn_ref.trace(layers.Attention(dropout=0.5, name="attention"), given, training=True)[
            "attention"
        ].arrays()
        assert "scores" in arrays
        return arrays

    of_both(run, same)


def test_gradient_flow(gpu_there, same):
    def run():
        flow = rnn_ref.gradient_flow(rnns(), X, Y)
        shares = {name: layer.contribution_shares() for name, layer in flow.items() if layer.weights}
        return [{name: [f.dh, f.dc, f.dz, f.norm] for name, f in flow.items()}, shares, flow.loss]

    of_both(run, same)


@pytest.mark.parametrize("layer", ["lstm", "both/backward_gru", "in/inner", "stack/lstm_cell"])
def test_explain_step(layer, gpu_there):
    def text():
        rnn_ref.utils.set_random_seed(0)
        layers.layer.reset_names()
        return rnn_ref.explain_step(rnns(), X, t=2, unit=1, layer=layer, y=Y, digits=3).text

    on_cpu = text()
    with rnn_ref.device("cuda"):
        assert text() == on_cpu


@pytest.mark.parametrize("layer", ["lstm", "stack", "own", "in/inner"])
def test_state_jacobians(layer, gpu_there, same):
    def run():
        jacobians = rnn_ref.state_jacobians(rnns(), X, layer=layer, sample=1)
        return [jacobians.steps, jacobians.singular_values(0, 3), jacobians.forget, jacobians.contraction]

    of_both(run, same)


def test_reports(gpu_there, same):
    def run():
        model = rnns()
        report = rnn_ref.saturation(model, X)
        weights = rnn_ref.weight_report(model)
        return [
            {name: dataclasses.asdict(layer) for name, layer in report.items()},
            {name: {gate: [w.spectral_radius, w.norms] for gate, w in of.items()} for name, of in weights.items()},
        ]

    of_both(run, same)


def test_recorder_in_training(gpu_there, same):
    def run():
        model = rnn_ref.Sequential([layers.LSTM(3), layers.Dense(2)])
        model.compile("adam", "mse")
        what = ("gradient_flow", "saturation", "weights", "jacobians")
        recorder = rnn_ref.Recorder(X, Y, every=2, what=what)
        model.fit(X, Y, epochs=4, verbose=0, callbacks=[recorder])
        return [recorder.recording.series, recorder.recording.loss]

    of_both(run, same)


def test_check_gradients(gpu):
    layer = layers.Bidirectional(layers.GRU(2))
    errors = rnn_ref.check_gradients(layer, X.astype("float64"), samples=5)
    assert len(errors) == 7
    assert max(errors.values()) < 1e-6
