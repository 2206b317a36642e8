"""Penalties of layers inside other layers, and ``add_loss``: counted in loss and gradient as in Keras, or refused."""

import autograd.numpy as anp
import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, Sequential, layers

from ..keras_that_trains import keras

pytestmark = pytest.mark.usefixtures("that_trains")

X = np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")
Y = np.zeros((4, 3, 1), "float32")


def classes(library, np):
    """The same layers in both libraries."""

    class Around(library.layers.Layer):
        """Another layer, called inside; and a loss of its own."""

        def __init__(self, inner, **options):
            super().__init__(**options)
            self.inner = inner

        def build(self, input_shape):
            self.inner.build(input_shape)

        def call(self, x):
            y = self.inner(x)
            self.add_loss(0.1 * np.mean(y**3))
            return 2 * y

    class DoubleDense(library.layers.Dense):
        def call(self, x):
            self.add_loss([np.sum(self.kernel**2), 0.3 * np.mean(x)])
            return 2 * super().call(x)

    return Around, DoubleDense


def models(library, np, case):
    L, (Around, DoubleDense) = library.layers, classes(library, np)
    l1, l2 = {"activity_regularizer": "l1"}, {"activity_regularizer": "l2"}
    gru = {"return_sequences": True, **l2}
    inner = {
        "by hand": lambda: [Around(L.Dense(2, **l2))],
        "both": lambda: [Around(L.Dense(2, **l2), **l1)],
        "by call": lambda: [Around(Around(L.Dense(2, **l2), **l1))],
        "a model": lambda: [Around(library.Sequential([L.Dense(2, **l2), DoubleDense(2, **l1)]))],
        "super": lambda: [DoubleDense(2, **l1)],
        "two directions": lambda: [L.Bidirectional(L.GRU(2, **gru), merge_mode="sum", **l1)],
        "directions inside": lambda: [Around(L.Bidirectional(L.GRU(2, **gru)))],
        "a model at every step": lambda: [L.TimeDistributed(library.Sequential([L.Dense(2, **l2), DoubleDense(2)]))],
        "own class at every step": lambda: [L.TimeDistributed(DoubleDense(2))],
    }[case]()
    return library.Sequential([library.Input((3, 2)), *inner, L.Dense(1)])


CASES = (
    *("by hand", "both", "by call", "a model", "super", "two directions", "directions inside"),
    *("a model at every step", "own class at every step"),
)


@pytest.mark.parametrize("case", CASES)
def test_training_is_that_of_keras(case):
    ours, theirs = models(rnn_ref, anp, case), models(keras, keras.ops, case)
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=w.shape).astype("float32") for w in ours.weights]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    for model, library in ((ours, rnn_ref), (theirs, keras)):
        model.compile(library.optimizers.SGD(0.1), "mse")
    assert ours.evaluate(X, Y, verbose=0) == pytest.approx(theirs.evaluate(X, Y, verbose=0), rel=1e-5)
    found, expected = (
        model.fit(X, Y, epochs=2, batch_size=2, shuffle=False, verbose=0).history["loss"] for model in (ours, theirs)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-5, err_msg=a.path)
    ours(X)
    theirs(X)
    found, expected = (sum(float(value) for value in model.losses) for model in (ours, theirs))
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_gradients(case):
    model = models(rnn_ref, anp, case)
    assert max(rnn_ref.check_gradients(model, X, samples=10).values()) < 1e-6
    inner = model.layers[0]
    if inner.activity_regularizer is None:  # that one is the caller's business
        assert max(rnn_ref.check_gradients(inner, X, samples=10).values()) < 1e-6


def test_losses_are_those_of_the_last_call():
    Around, _ = classes(rnn_ref, anp)
    layer = Around(layers.Dense(2, activity_regularizer="l2"), activity_regularizer="l1")
    layer(X)
    first = layer.losses
    y = np.array(layer.inner(X))
    expected = [0.01 * np.abs(2 * y).sum() / 4, 0.1 * np.mean(y**3), 0.01 * (y**2).sum() / 4]
    np.testing.assert_allclose(sorted(first), sorted(expected), rtol=1e-5)
    layer(X)
    assert layer.losses == first
    np.testing.assert_allclose(layer.inner.losses, expected[2:], rtol=1e-5)


def test_a_loss_of_ones_own_weighs_the_penalties_inside():
    Around, _ = classes(rnn_ref, anp)

    class Own(Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            first, second, third = self.losses
            return 2 * first + 5 * second - third

    model = Own([Input((3, 2)), Around(layers.Dense(2, activity_regularizer="l2"), activity_regularizer="l1")])
    model.compile("sgd")
    bias = model.layers[0].inner.bias
    grads = model.gradients(X, Y)[1]
    ends = []
    for end in (1e-3, -1e-3):
        bias.assign(np.array([end, 0], "float32"))
        ends.append(model.gradients(X, Y)[0])
    name = next(name for name in grads if name.endswith("bias"))
    assert grads[name][0] == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=1e-2)


class Cell(layers.Layer):
    state_size = 2

    def call(self, inputs, states):
        self.add_loss(anp.sum(inputs))
        return inputs + states[0], [inputs + states[0]]


@pytest.mark.parametrize("training", [False, True])
def test_penalties_of_cells_are_refused(training):
    with pytest.raises(NotImplementedError, match="activity_regularizer to the layer around the cell"):
        layers.RNN(Cell())(X, training=training)
    for cell in (layers.GRUCell(2, activity_regularizer="l2"), Cell(activity_regularizer="l2")):
        for cells in (cell, [layers.GRUCell(2), cell]):
            with pytest.raises(NotImplementedError, match=r"Cell has an activity_regularizer.*around the cell"):
                layers.RNN(cells)


class InBuild(layers.Layer):
    def build(self, shape):
        self.add_loss(1.0)

    def call(self, x):
        return x


class InModel(Model):
    def call(self, x):
        self.add_loss(x)
        return x


class Vector(layers.Layer):
    def call(self, x):
        self.add_loss(x)
        return x


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: layers.Dense(2).add_loss(0.0), "outside of the call of a layer"),
        (lambda: InBuild()(X), "add_weight a regularizer"),
        (lambda: InModel()(X), "put such a layer into the model"),
        (lambda: Vector()(X), "takes numbers, got array"),
    ],
)
def test_add_loss_says_where_it_belongs(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.TimeDistributed(layers.Dense(2, activity_regularizer="l2"), activity_regularizer="l1"),
        lambda: layers.Bidirectional(layers.GRU(2, activity_regularizer="l2"), activity_regularizer="l1"),
    ],
)
def test_a_copy_of_a_wrapper_has_both_penalties_once(make):
    layer = make()
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    x = Input((3, 2))
    model = Model(x, layer(x))
    twin = rnn_ref.models.clone_model(model)
    twin.set_weights(model.get_weights())
    model(X)
    twin(X)
    assert model.losses == twin.losses


def test_a_layer_at_every_step_has_its_penalty():
    layer = layers.TimeDistributed(layers.Dense(2, activity_regularizer="l2"))
    y = layer(X)
    assert layer.losses == pytest.approx([0.01 * (y[:, t] ** 2).sum() / 4 for t in range(3)], rel=1e-5)
    x = Input((3, 2))
    assert max(rnn_ref.check_gradients(Model(x, layer(x)), X).values()) < 1e-6
