"""What inspection shows of a recurrent layer whose call a subclass has overridden."""

import autograd.numpy as anp
import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

X = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")


class Doubled(layers.GRU):
    def call(self, sequences, initial_state=None, mask=None, training=False):
        return 2.0 * super().call(sequences, initial_state, mask, training)


class Both(layers.GRU):
    def call(self, sequences, initial_state=None, mask=None, training=False):
        return super().call(sequences) + super().call(-sequences)


class Learned(layers.GRU):
    def build(self, shape):
        super().build(shape)
        self.first = self.add_weight((1, self.units), "ones", "first")

    def get_initial_state(self, batch_size):
        return [anp.repeat(self.first + 0.0, batch_size, axis=0)]


def models(kind):
    made = []
    for layer in (kind(3), layers.GRU(3)):
        model = rnn_ref.Sequential([rnn_ref.Input((5, 3)), layer, layers.Dense(1)])
        model.compile("sgd", "mse")
        made.append(model)
    own = [w for w in made[0].layers[0].weights if w.name != "first"]
    for weight, value in zip(own, made[1].layers[0].get_weights()):
        weight.assign(value)
    return made


def test_gates_flow_and_jacobians_are_those_of_the_layer_inside():
    doubled, plain = models(Doubled)
    doubled.layers[1].set_weights([plain.layers[1].get_weights()[0] / 2, plain.layers[1].get_weights()[1]])
    traces = [rnn_ref.trace(m, X)[m.layers[0].name] for m in (doubled, plain)]
    np.testing.assert_array_equal(traces[0]["update"], traces[1]["update"])
    np.testing.assert_allclose(traces[0].outputs, 2 * traces[1].outputs, rtol=1e-6)
    y = X[:, 0, :1]
    flows = [rnn_ref.gradient_flow(m, X, y)[m.layers[0].name] for m in (doubled, plain)]
    np.testing.assert_allclose(flows[0].dh, flows[1].dh, rtol=1e-4, atol=1e-7)
    products = [rnn_ref.state_jacobians(m, X).product(0, 4) for m in (doubled, plain)]
    np.testing.assert_array_equal(*products)


def test_a_layer_run_twice_in_a_call_is_refused_where_its_gates_are_asked_for():
    twice, _ = models(Both)
    trace = rnn_ref.trace(twice, X)
    assert any("has a call of its own" in note for note in trace.notes)
    with pytest.raises(ValueError, match="runs what it overrides 2 times"):
        rnn_ref.state_jacobians(twice, X)
    with pytest.raises(ValueError, match="runs what it overrides 2 times"):
        rnn_ref.gradient_flow(twice, X, X[:, 0, :1])


def test_a_learned_start_is_seen_and_has_its_flow():
    learned, _ = models(Learned)
    trace = rnn_ref.trace(learned, X)[learned.layers[0].name]
    assert trace["hidden"].shape[-1] == 3
    _, gradients = learned.gradients(X, X[:, 0, :1], training=False)
    flow = rnn_ref.gradient_flow(learned, X, X[:, 0, :1])[learned.layers[0].name]
    first = next(g for name, g in gradients.items() if name.endswith("first"))
    assert np.abs(first).max() > 0
    assert flow.dh.shape[-1] == 3
    assert max(rnn_ref.check_gradients(learned, X).values()) < 1e-6
