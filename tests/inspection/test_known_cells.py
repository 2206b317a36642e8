"""A cell whose equations are its own is never explained, drawn or counted by those of another."""

import autograd.numpy as anp
import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Sequential, layers, plot

X = np.random.default_rng(0).normal(size=(2, 6, 3))
Y = np.random.default_rng(1).normal(size=(2, 6, 1))
options = {"dtype": "float64"}


class Plain(layers.LSTMCell):
    """The same equations under another name."""


class Doubled(layers.LSTMCell):
    """Compiled, but reads its input twice as large."""

    def run(self, x, states, **options):
        return super().run(2 * x, states, **options)

    def run_back(self, tape, dys, dstates, **options):
        found = super().run_back(tape, dys, dstates, **options)
        if found.inputs is not None:
            found.inputs = 2 * found.inputs
        return found


class OtherKernels(layers.Cell if hasattr(layers, "Cell") else layers.SimpleRNNCell.__base__):
    """A fourth cell, on the kernels of another and with its parts named differently."""

    GATES, STATES, blocks = ("new",), ("hidden",), 1
    kernels = layers.SimpleRNNCell.kernels

    def __init__(self, units, **more):
        theirs = layers.SimpleRNNCell(units, **options).get_config()
        theirs = {k: v for k, v in theirs.items() if k not in ("name", "dtype", "trainable")}
        super().__init__(**theirs, **more)


class Ungated(layers.GRUCell):
    """Its call is its own."""

    def call(self, x, states):
        h = anp.tanh(x @ self.kernel.value[:, : self.units] + states[0])
        return h, [h]


CUSTOM = [Doubled, OtherKernels, Ungated]


def model_with(cell):
    rnn = layers.RNN(cell, return_sequences=True, name="memory", **options)
    model = Sequential([Input((6, 3)), rnn, layers.Dense(1, **options)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("kind", CUSTOM)
def test_what_goes_by_equations_refuses_cells_of_its_own(kind):
    model = model_with(kind(2, **options))
    refusal = f"the cell of memory.* is custom, a {kind.__name__}"
    with pytest.raises(ValueError, match=refusal):
        rnn_ref.explain_step(model, X, t=1, unit=0)
    trace = rnn_ref.trace(model, X)
    for draw in (
        lambda: plot.unrolled(trace),
        lambda: plot.cell_diagram(trace["memory"], 1),
        lambda: plot.step_through(trace),
    ):
        with pytest.raises(ValueError, match="the cell of memory is custom"):
            draw()
    flow = rnn_ref.gradient_flow(model, X, Y)["memory"]
    if kind is Ungated:  # every step's part was recorded: no equation is needed
        assert flow.contribution("kernel").shape == (6, 3, 6)
    else:
        with pytest.raises(ValueError, match=refusal):
            flow.contribution("recurrent_kernel")
    derived = rnn_ref.derive_parameters(model)["memory"]
    assert derived.total == model.layers[0].count_params()
    assert not derived.elsewhere
    assert "torch" not in repr(derived)


@pytest.mark.parametrize("kind", CUSTOM)
def test_state_jacobians_of_any_cell_are_those_of_what_it_computes(kind):
    model = model_with(kind(2, **options))
    if kind is Doubled:
        with pytest.raises(ValueError, match=r"Doubled, the cell of memory.*, has a run of its own"):
            rnn_ref.state_jacobians(model, X)
        return
    jacobians = rnn_ref.state_jacobians(model, X)
    rnn, h = model.layers[0], 1e-6
    y = rnn.forward(X[:1, :3])[1]
    states = [state[3].copy() for state in y.states]
    flat = np.concatenate(states, axis=1)

    def after(values):
        given = np.split(values, len(states), axis=1)
        return np.concatenate(rnn.forward(X[:1, 3:4], initial_state=given)[1].final_states, axis=1)[0]

    found = [(after(flat + h * unit[None]) - after(flat - h * unit[None])) / (2 * h) for unit in np.eye(flat.shape[1])]
    np.testing.assert_allclose(jacobians[3], np.transpose(found), atol=1e-7)
    assert jacobians.contraction is None
    assert jacobians.forget is None


def test_a_subclass_with_the_same_equations_is_treated_as_what_it_is():
    model, same = model_with(Plain(2, **options)), model_with(layers.LSTMCell(2, **options))
    same.set_weights(model.get_weights())
    text, expected = (repr(rnn_ref.explain_step(m, X, t=1, unit=0)) for m in (model, same))
    assert text == expected
    assert "torch.nn.LSTM keeps" in repr(rnn_ref.derive_parameters(model.layers[0]))
    plot.unrolled(rnn_ref.trace(model, X))


class Leaky:
    state_size = 2

    def call(self, x, states):
        h = 0.5 * states[0] + x[:, :2]
        return h, [h]


def test_pictures_and_reports_of_models_with_custom_cells_alone():
    model = model_with(Leaky())
    report = rnn_ref.weight_report(model)
    with pytest.raises(ValueError, match=r"nothing to draw. memory: its cell Leaky is custom"):
        plot.weights(report)
    for draw in (plot.gradient_flow, plot.jacobians, plot.eigenvalues):
        with pytest.raises(ValueError, match=f"plot.{draw.__name__}: there is nothing to draw"):
            draw({})
    plot.gates(rnn_ref.trace(model, X))
    plot.trajectories(rnn_ref.trace(model, X))
    plot.gradient_flow(rnn_ref.gradient_flow(model, X, Y))
    plot.jacobians(rnn_ref.state_jacobians(model, X))
    plot.parameters(model)
