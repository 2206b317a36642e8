"""Copies are whole: of whatever a user may hold, in whatever way it is copied, the copy says and does the same."""

import copy
import io
import pickle

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

from .malformed import CALLED_ON, MADE_WITH, NOT_CALLED, made, names_of
from .malformed import X as CALL_X

X = np.random.default_rng(0).normal(size=(6, 5, 3)).astype("float32")
Y = X.sum((1, 2))[:, None]


def by_joblib(thing):
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    file = io.BytesIO()
    joblib.dump(thing, file)
    return joblib.load(file)


COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda thing: pickle.loads(pickle.dumps(thing)), "joblib": by_joblib}


class Own(layers.Layer):
    """A custom cell, whose gradients autograd finds."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = units

    def build(self, shape):
        self.kernel = self.add_weight((shape[-1], self.units), name="kernel")
        self.recurrent = self.add_weight((self.units, self.units), name="recurrent")

    def call(self, x, states):
        import autograd.numpy as anp

        h = anp.tanh(x @ self.kernel + states[0] @ self.recurrent)
        return h, [h]


RECURRENT = {
    "lstm": lambda: layers.LSTM(3, name="rnn"),
    "gru": lambda: layers.GRU(3, name="rnn"),
    "gru, reset before": lambda: layers.GRU(3, reset_after=False, name="rnn"),
    "simple": lambda: layers.SimpleRNN(3, name="rnn"),
    "own cell": lambda: layers.RNN(Own(3), name="rnn"),
}


def model_of(layer):
    rnn_ref.utils.set_random_seed(0)
    model = rnn_ref.Sequential([rnn_ref.Input((5, 3)), layer, layers.Dropout(0.2), layers.Dense(1)])
    model.compile(rnn_ref.optimizers.Adam(0.1, weight_decay=0.01), "mse", metrics=["mae"])
    return model


def numbers(thing) -> list:
    """All arrays and numbers in records, mappings and lists, in order."""
    if isinstance(thing, (np.ndarray, float, int)):
        return [np.asarray(thing)]
    if hasattr(thing, "items"):
        return [array for _, entry in thing.items() for array in numbers(entry)]
    if isinstance(thing, (list, tuple)):
        return [array for entry in thing for array in numbers(entry)]
    return numbers([entry for name, entry in vars(thing).items()]) if hasattr(thing, "__dict__") else []


def same(one, other) -> None:
    one, other = numbers(one), numbers(other)
    assert one
    assert len(one) == len(other)
    for a, b in zip(one, other):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("kind", RECURRENT)
def test_what_was_seen_of_a_model(kind, how):
    model, copied = model_of(RECURRENT[kind]()), COPIES[how]
    trace, flow = rnn_ref.trace(model, X), rnn_ref.gradient_flow(model, X, Y)
    jacobians, report = rnn_ref.state_jacobians(model, X), rnn_ref.weight_report(model)
    steps = jacobians.steps
    parts = {weight: flow["rnn"].contribution(weight) for weight in flow["rnn"].weights}
    same(copied(trace)["rnn"], trace["rnn"])
    same(copied(trace["rnn"]), trace["rnn"])
    assert (repr(copied(trace)), repr(copied(report))) == (repr(trace), repr(report))
    copies = copied(flow), copied(flow["rnn"]), copied(jacobians)
    model.fit(X, Y, epochs=2, verbose=0)  # what was seen was before
    for each in (flow["rnn"], copies[0]["rnn"], copies[1]):
        same(each.dh, flow["rnn"].dh)
        for weight, expected in parts.items():
            np.testing.assert_array_equal(each.contribution(weight), expected)
    for each in (jacobians, copies[2]):
        np.testing.assert_array_equal(each.steps, steps)
        same(each.decay(), jacobians.decay())


@pytest.mark.parametrize("how", COPIES)
def test_other_results(how):
    model, copied = model_of(layers.LSTM(3)), COPIES[how]
    history = model.fit(X, Y, epochs=2, verbose=0)
    assert copied(history).history == history.history
    assert copied(history).epoch == history.epoch
    for result in (
        rnn_ref.saturation(model, X),
        rnn_ref.explain_step(model, X, 1, 0),
        rnn_ref.derive_parameters(model.layers[0]),
        rnn_ref.gradient_flow({"a": model, "b": model}, X, Y),
        rnn_ref.seq2seq.bleu([["a"]], [[["a"]]]),
    ):
        assert str(copied(result)) == str(result)


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("kind", RECURRENT)
def test_a_tape_leads_back_to_the_same_gradients(kind, how):
    layer = RECURRENT[kind]()
    y, tape = layer.forward(X)
    expected, found = layer.backward(tape, np.ones_like(y)), layer.backward(COPIES[how](tape), np.ones_like(y))
    same(found.inputs, expected.inputs)
    same(found.weights, expected.weights)


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("kind", RECURRENT)
def test_a_model_in_the_middle_of_training_goes_on(kind, how):
    model = model_of(RECURRENT[kind]())
    for _ in range(2):
        model.train_on_batch(X, Y)
    copied = COPIES[how](model)
    ways = []
    for each in (model, copied):
        rnn_ref.utils.set_random_seed(1)  # the dropout of both draws from the one source
        ways.append([each.train_on_batch(X, Y) for _ in range(3)] + each.get_weights())
    same(*ways)
    assert [weight.path for weight in copied.weights] == [weight.path for weight in model.weights]
    assert not any(np.shares_memory(a.value, b.value) for a, b in zip(model.weights, copied.weights))


@pytest.mark.parametrize("name", [name for name in names_of(layers) if name not in NOT_CALLED["layers"]])
def test_every_layer(name):
    x = CALLED_ON.get(name, CALL_X)
    more = {"value": CALL_X} if name == "MultiHeadAttention" else {}
    layer = getattr(layers, name)(**made(MADE_WITH.get(name, {})))
    rnn_ref.utils.set_random_seed(0)
    unbuilt = copy.deepcopy(layer)
    expected = layer(x, **more)
    for how in ("deepcopy", "pickle"):
        copied = COPIES[how](layer)
        same([copied(x, **more), 0], [expected, 0])
        same([*copied.get_weights(), 0], [*layer.get_weights(), 0])
    assert [np.shape(y) for y in numbers(unbuilt(x, **more))] == [np.shape(y) for y in numbers(expected)]


@pytest.mark.parametrize("how", COPIES)
def test_states_kept_between_batches_are_copied(how):
    layer = layers.GRU(2, stateful=True)
    layer(X)
    copied = COPIES[how](layer)
    same(copied(X), layer(X))
    copied.reset_states()
    assert layer.states is not None
