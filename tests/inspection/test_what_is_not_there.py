"""Names that do not exist list those that do; what cannot be looked into is left out with a note."""

import autograd.numpy as anp
import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, Recorder, Sequential, layers, plot

X, Y = np.ones((2, 9, 3), "float32"), np.ones((2, 1), "float32")
LSTM_GATES = "input, forget, candidate, output"


@pytest.fixture(scope="module")
def model():
    return Sequential(
        [
            Input((9, 3)),
            layers.LSTM(4, name="first", return_sequences=True),
            layers.GRU(3, name="second"),
            layers.Dense(1, name="head"),
        ],
        name="two",
    )


@pytest.mark.parametrize(
    ("ask", "error", "known"),
    [
        (lambda m: rnn_ref.trace(m, X, layers="third"), ValueError, "first, second, head"),
        (lambda m: rnn_ref.trace(m, X)["third"], KeyError, "first, second, head"),
        (lambda m: rnn_ref.explain_step(m, X, 0, 0, layer="third"), ValueError, "first, second"),
        (lambda m: rnn_ref.explain_step(m, X, 0, 0), ValueError, "first, second"),
        (lambda m: rnn_ref.gradient_flow(m, X, Y)["third"], KeyError, "first, second"),
        (lambda m: rnn_ref.state_jacobians(m, X, layer="third"), ValueError, "first, second"),
        (lambda m: rnn_ref.state_jacobians(m, X), ValueError, "first, second"),
        (lambda m: rnn_ref.saturation(m, X)["third"], KeyError, "first, second"),
        (lambda m: rnn_ref.weight_report(m)["third"], KeyError, "first, second"),
        (lambda m: rnn_ref.derive_parameters(m)["third"], KeyError, "first, second, head"),
        (lambda m: plot.gates(rnn_ref.trace(m, X)), ValueError, "first, second"),
        (lambda m: plot.text("abcdefghi", rnn_ref.trace(m, X), unit=0), ValueError, "first, second"),
        (lambda m: plot.step_through(rnn_ref.trace(m, X), "third"), KeyError, "first, second, head"),
    ],
)
def test_layers(model, ask, error, known):
    with pytest.raises(error, match=known):
        ask(model)


@pytest.mark.parametrize(
    ("ask", "error", "known"),
    [
        (lambda m: rnn_ref.trace(m, X, gates="gate"), ValueError, f"{LSTM_GATES}, hidden, cell, update, reset"),
        (
            lambda m: rnn_ref.trace(m, X)["first"]["gate"],
            KeyError,
            f"first: no gate or state .* {LSTM_GATES}, hidden, cell",
        ),
        (lambda m: rnn_ref.trace(m, X)["first"].gates["gate"], KeyError, f"first: no gate .* {LSTM_GATES}"),
        (lambda m: rnn_ref.trace(m, X)["first"].preactivations["gate"], KeyError, LSTM_GATES),
        (lambda m: rnn_ref.trace(m, X)["second"].states["cell"], KeyError, "second: no state .*; there are hidden"),
        (lambda m: rnn_ref.trace(m, X)["second"].select(unit=0).gates["gate"], KeyError, "update, reset, candidate"),
        (lambda m: m.layers[0].gate_weights()["gate"], KeyError, LSTM_GATES),
        (lambda m: rnn_ref.weight_report(m)["first"]["gate"], KeyError, LSTM_GATES),
        (lambda m: rnn_ref.saturation(m, X)["first"].below["candidate"], KeyError, "input, forget, output"),
        (lambda m: rnn_ref.saturation(m, X)["first"].open("gate"), KeyError, "input, forget, output"),
        (lambda m: rnn_ref.gradient_flow(m, X, Y)["first"].dz["gate"], KeyError, LSTM_GATES),
        (lambda m: rnn_ref.gradient_flow(m, X, Y)["first"].contribution("U"), KeyError, "kernel, recurrent_kernel"),
        (lambda m: plot.text("abcdefghi", rnn_ref.trace(m, X)["first"], unit=0, array="q"), KeyError, LSTM_GATES),
    ],
)
def test_gates_and_weights(model, ask, error, known):
    with pytest.raises(error, match=known):
        ask(model)


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda m, seen: seen.select(unit=4), IndexError),
        (lambda m, seen: rnn_ref.explain_step(m, X, 0, 4, layer="first"), IndexError),
        (lambda m, seen: plot.unit(seen, 4), ValueError),
        (lambda m, seen: plot.text("abcdefghi", seen, unit=4), ValueError),
        (lambda m, seen: plot.unrolled(seen, unit=4), ValueError),
        (lambda m, seen: plot.cell_diagram(seen, t=0, unit=4), ValueError),
        (lambda m, seen: plot.step_through(seen, unit=4), ValueError),
    ],
)
def test_units(model, ask, error):
    with pytest.raises(error, match=r"unit=.* 0 to 3"):
        ask(model, rnn_ref.trace(model, X)["first"])


def test_a_unit_is_a_number(model):
    with pytest.raises(ValueError, match="explain_step: `unit` must be an integer"):
        rnn_ref.explain_step(model, X, 0, "a", layer="first")


class Unbuilt(Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    "ask",
    [
        lambda: rnn_ref.trace(Unbuilt(), X),
        lambda: rnn_ref.weight_report(Unbuilt()),
        lambda: rnn_ref.weight_report(Sequential([layers.LSTM(3)])),
        lambda: rnn_ref.derive_parameters(Sequential([layers.LSTM(3)])),
        lambda: rnn_ref.derive_parameters(Unbuilt()),
        lambda: layers.LSTM(3).gate_weights(),
        lambda: plot.parameters(layers.LSTM(3)),
    ],
)
def test_what_was_never_built_says_so(ask):
    with pytest.raises(ValueError, match=r"never built|not built"):
        ask()


class Twice(layers.Layer):
    def call(self, inputs):
        return 2 * inputs


class Leaky(layers.Layer):
    state_size = 4

    def build(self, input_shape):
        self.W = self.add_weight((input_shape[-1], 4), name="W")

    def call(self, inputs, states):
        h = anp.tanh(anp.dot(inputs, self.W) + 0.5 * states[0])
        return h, [h]


def test_what_cannot_be_seen_is_left_out_with_a_note():
    own = layers.RNN(Leaky(), name="own")
    model = Sequential([Input((9, 3)), Twice(name="twice"), layers.GRU(3, return_sequences=True, name="gru"), own])
    seen = rnn_ref.trace(model, X)
    assert list(seen) == ["twice", "gru", "own"]
    assert [note.partition(":")[0] for note in seen.notes] == ["twice", "own"]
    assert "note: twice: Twice has a call of its own" in repr(seen)
    assert "Twice has a call of its own" in seen._repr_html_()
    report = rnn_ref.weight_report(model)
    assert list(report) == ["gru"]
    assert report.notes == ["own: its cell Leaky is custom: it has no gates with names."]
    assert report.notes[0] in repr(report)

    only = Sequential([Input((9, 3)), own, layers.Dense(1)])
    assert not rnn_ref.weight_report(only).layers
    only.compile("sgd", "mse")
    recorder = Recorder(X, Y, what=("gradient_flow", "saturation", "weights", "jacobians"))
    only.fit(X, Y, verbose=0, callbacks=[recorder])
    assert set(recorder.recording) == {"gradient_flow", "saturation", "jacobians"}
    assert recorder.recording["gradient_flow"]["own"]["contributions"]["W"].shape == (2, 9)
    for draw in (plot.unrolled, plot.step_through):
        with pytest.raises(ValueError, match="the cell of own is custom"):
            draw(rnn_ref.trace(only, X))


def test_a_layer_the_loss_does_not_depend_on_is_noted():
    x = Input((9, 3))
    used, unused = layers.GRU(3, name="used")(x), layers.GRU(3, name="unused")(x)
    model = Model(x, [layers.Dense(1, name="y")(used), unused])
    model.compile(loss=["mse", None])
    flow = rnn_ref.gradient_flow(model, X, [Y, np.ones((2, 3))])
    assert list(flow) == ["used"]
    assert flow.notes == ["unused: the loss does not depend on it."]
    assert flow.notes[0] in repr(flow)
