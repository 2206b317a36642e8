"""Every class of cell goes through everything that looks inside; what is not supported raises."""

import copy
import pickle

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Sequential, layers, plot
from rnn_ref.equations.activations import NAMES
from rnn_ref.layers import activations

options = {"dtype": "float64"}
rng = np.random.default_rng(0)
X = rng.normal(size=(2, 6, 3))
Y = rng.normal(size=(2, 6, 1))
MASK = np.array([[1, 1, 0, 1, 1, 1], [0, 1, 1, 0, 1, 0]], bool)


@rnn_ref.cell(gates={"i": "input", "f": "fade", "c": "candidate", "u": "update"}, states=("hidden", "cell", "slow"))
def own(
    z_i, x_f, x_c, h_c, h_u, h_prev, c_prev, m_prev,
    p: rnn_ref.per_unit("random_normal"), k: rnn_ref.scalar(0.6), leak=0.25,
):  # fmt: skip
    """A sum, an input and a recurrent product alone, both apart; three states; weights and constants."""
    i = sigmoid(z_i + p * c_prev)  # noqa: F821
    f = sigmoid(x_f)  # noqa: F821
    g = silu(x_c + i * h_c)  # noqa: F821
    u = sigmoid(h_u)  # noqa: F821
    c = f * c_prev + (1 - f) * g * k
    m = (1 - leak) * m_prev + leak * c**2
    h = u * h_prev + (1 - u) * tanh(c) / (1 + m)  # noqa: F821
    return h, c, m


CELLS = {
    "SimpleRNN": lambda **more: layers.SimpleRNN(3, **more),
    "LSTM": lambda **more: layers.LSTM(3, **more),
    "GRU": lambda **more: layers.GRU(3, **more),
    "GRU reset before": lambda **more: layers.GRU(3, reset_after=False, **more),
    "written": lambda **more: own(3, **more),
}
every_cell = pytest.mark.parametrize("name", CELLS)


def layer_of(name: str, **more):
    return CELLS[name](
        **{"return_sequences": True, "name": "memory", "bias_initializer": "random_normal"} | options | more
    )


def model_of(name: str, **more) -> Sequential:
    model = Sequential([Input((6, 3)), layer_of(name, **more), layers.Dense(1, **options)])
    model.compile("sgd", "mse")
    return model


def _functions(layer) -> dict:
    named = {name: activations.get(name) for name in NAMES if name != "hard_sigmoid_legacy"}
    named |= {name: getattr(layer, name) for name in ("activation", "recurrent_activation") if hasattr(layer, name)}
    one = np.ones(1)
    return {name: (lambda z, f=f: f(np.array([z]))[0]) for name, f in named.items()} | {
        f"d_{name}": (lambda z, a, f=f: f.gradient(np.array([z]), np.array([a]), one)[0]) for name, f in named.items()
    }


@every_cell
@pytest.mark.parametrize("training", [False, True])
def test_every_line_of_an_explanation_is_true(name, training):
    """Its right-hand side, computed from the values shown, is the value shown."""
    layer = layer_of(name, dropout=0.4, recurrent_dropout=0.3, return_state=True, seed=1)
    trace = rnn_ref.trace(layer, X)["memory"]
    for t, unit in ((0, 0), (3, 2), (5, 1)):
        found = rnn_ref.explain_step(layer, X, t=t, unit=unit, training=training)
        for symbol, expression in (*found.forward, *found.backward):
            value = eval(expression, {}, found.values | _functions(layer))
            assert value == pytest.approx(found.values[symbol], rel=1e-9, abs=1e-12), f"{symbol} = {expression}"
        hidden = next(iter(layer.cell.record.states.values()))
        if not training:
            assert found.values[hidden] == trace.hidden[0, t, unit]
        assert found.text.count("=") > len(found.forward)
        assert "aligned" in found.latex


@every_cell
def test_gradients(name):
    more = {"mask": MASK}
    assert max(rnn_ref.check_gradients(layer_of(name), X).values()) < 1e-7
    assert max(rnn_ref.check_gradients(layer_of(name, return_state=True), X, **more).values()) < 1e-7
    layer = layer_of(name)
    layer(X)
    drops = {
        "x_drop": 2.0 * (rng.random((layer.cell.blocks, 2, 3)) < 0.5),
        "h_drop": 2.0 * (rng.random((layer.cell.products, 2, 3)) < 0.5),
    }
    assert max(rnn_ref.check_gradients(layer, X, **drops).values()) < 1e-7


@every_cell
def test_contributions_sum_to_the_gradient(name):
    model = model_of(name)
    flow = rnn_ref.gradient_flow(model, X, Y)["memory"]
    layer, dense = model.layers
    y, tape = layer.forward(X)
    outputs, dense_tape = dense.forward(y)
    d = dense.backward(dense_tape, 2 * (outputs - Y) / Y.size).inputs
    for weight, given in layer.backward(tape, d).weights.items():
        weight = weight.rpartition("/")[2]
        np.testing.assert_allclose(flow.contribution(weight).sum(axis=0), given, rtol=1e-9, atol=1e-12, err_msg=weight)


@every_cell
def test_jacobians_are_finite_differences(name):
    layer = layer_of(name, return_state=True)
    layer(X)
    jacobians = rnn_ref.state_jacobians(layer, X, sample=1)
    cell = layer.cell
    states = [rng.normal(size=(1, 3)) for _ in cell.state_sizes]
    _, tape = layer.forward(X[1:, :1], initial_state=[np.abs(s) if k else s for k, s in enumerate(states)])
    start = [state[0] for state in tape.states]
    J = rnn_ref.inspection.jacobians.step_jacobians(cell, tape, 0)[0]
    assert J.shape == (jacobians.size, jacobians.size)
    for k in range(jacobians.size):
        ends = []
        for sign in (1, -1):
            moved = [s.copy() for s in start]
            moved[k // 3][0, k % 3] += sign * 1e-6
            _, after = layer.forward(X[1:, :1], initial_state=moved)
            ends.append(np.concatenate([s[1, 0] for s in after.states]))
        np.testing.assert_allclose(J[:, k], (ends[0] - ends[1]) / 2e-6, rtol=1e-6, atol=1e-8)


@every_cell
def test_counts_and_pictures(name):
    model = model_of(name)
    assert rnn_ref.derive_parameters(model).total == model.count_params()
    trace = rnn_ref.trace(model, X)
    seen = trace["memory"]
    assert set(seen.states) == set(model.layers[0].cell.STATES)
    for gate, z in seen.preactivations.items():
        if gate in seen.gates and name == "written":
            of = {"input": "sigmoid", "fade": "sigmoid", "candidate": "silu"}[gate]
            np.testing.assert_allclose(activations.get(of)(z), seen.gates[gate], rtol=1e-12)
    for draw in (
        lambda: plot.gates(seen),
        lambda: plot.unrolled(seen),
        lambda: plot.cell_diagram(seen, 2, unit=1),
        lambda: plot.trajectories(seen),
        lambda: plot.unit(seen, 1),
        lambda: plot.gradient_flow(rnn_ref.gradient_flow(model, X, Y)),
        lambda: plot.parameters(rnn_ref.derive_parameters(model)),
        lambda: plot.weights(rnn_ref.weight_report(model)),
    ):
        assert draw().axes
    report = rnn_ref.weight_report(model)
    assert report
    if len(seen.gates) > 0:
        assert rnn_ref.saturation(trace)


@every_cell
def test_copies_and_configurations(name):
    model = model_of(name, go_backwards=True)
    custom = {"custom_objects": {"own": own}}
    again = Sequential.from_config(model.get_config(), **custom)
    again.set_weights(model.get_weights())
    expected = model.predict(X, verbose=0)
    for other in (again, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict(X, verbose=0), expected)
    both = layers.Bidirectional(layer_of(name, go_backwards=False))
    assert both(X).shape == (2, 6, 6)
    cell = layer_of(name).cell
    config = {k: v for k, v in cell.get_config().items() if k != "name"}
    stacked = layers.RNN([cell, type(cell).from_config(config)], return_state=True)
    assert len(stacked(X)) == 3


@every_cell
def test_states_are_carried(name):
    whole, kept = layer_of(name), layer_of(name, stateful=True, batch_input_shape=(2, 3, 3))
    expected = whole(X)
    kept.set_weights(whole.get_weights())
    np.testing.assert_allclose(np.concatenate([kept(X[:, :3]), kept(X[:, 3:])], axis=1), expected, rtol=1e-12)


@every_cell
def test_a_subclass_that_changes_the_run_is_not_explained_by_the_old_equations(name):
    kind = type(layer_of(name).cell)

    class Changed(kind):
        def run(self, x, states, **arguments):
            return super().run(2 * x, states, **arguments)

    layer = layers.RNN(Changed(3, **options), return_sequences=True, name="memory")
    with pytest.raises(ValueError, match="is custom, a Changed"):
        rnn_ref.explain_step(layer, X, t=1, unit=0)
    with pytest.raises(ValueError, match="is custom"):
        plot.cell_diagram(rnn_ref.trace(layer, X)["memory"], 1)
    with pytest.raises(ValueError, match="run of its own"):
        rnn_ref.state_jacobians(layer, X)
    with pytest.raises(ValueError, match="is custom"):
        rnn_ref.derive_backward(layer)


def test_what_was_written_runs_on_the_cpu_and_says_so(monkeypatch):
    assert own(2).kernel_choice().name == "compiled"
    assert own(2).source().count("def ") == 4
    assert "own" in repr(own)
    with pytest.raises(TypeError, match="Did you mean 'leak'"):
        own(2, laek=0.1)
    with pytest.raises(ValueError, match="leak"):
        own(2, leak="much")


@every_cell
@pytest.mark.parametrize("sequences", [True, False])
def test_inference_over_many_steps_is_what_training_computes(name, sequences):
    """It keeps a few steps only, which are used again and again."""
    x = rng.normal(size=(3, 100, 3))
    mask = rng.random((3, 100)) < 0.8
    layer = layer_of(name, return_sequences=sequences, return_state=True)
    layer(x)
    with_tape, _ = layer.forward(x, mask=mask)
    without, _ = layer.forward(x, mask=mask, record=False)
    for a, b in zip(with_tape, without, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_gate_and_a_state_of_one_name_are_refused():
    def step(z_h, h_prev):
        h = h_prev + z_h
        return h

    with pytest.raises(ValueError, match="a gate and a state are both called hidden"):
        rnn_ref.cell(gates=("hidden",))(step)
