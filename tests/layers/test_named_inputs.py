"""Layers and models whose input comes by its name, as Keras takes it."""

import numpy as np
import pytest

from rnn_ref import Input, Model, Sequential, layers

X = np.linspace(-1, 1, 6, dtype="float32").reshape(2, 3)


class Sum(layers.Layer):
    def __init__(self):
        super().__init__()
        self.a, self.b = layers.Dense(2), layers.Dense(2)

    def call(self, left, right):
        return self.a(left) + 2 * self.b(right)


@pytest.mark.parametrize(
    "make", [lambda: Sum(), lambda: type("M", (Sum, Model), {"call": Sum.call})()], ids=["layer", "model"]
)
def test_the_arguments_of_a_call_of_one_s_own(make):
    both = make()
    expected = both(X, right=-X)
    for given in (both(left=X, right=-X), both(right=-X, left=X), both(X, -X)):
        np.testing.assert_array_equal(given, expected)


def test_symbolic_ones_and_gradients():
    left, right = Input((3,)), Input((3,))
    model = Model([left, right], Sum()(right=right, left=left))
    model.compile("sgd", "mse")
    loss = model.train_on_batch([X, -X], X[:, :2])
    assert model.test_on_batch([X, -X], X[:, :2]) < loss


def test_built_in_layers_and_models():
    dense, lstm = layers.Dense(2), layers.LSTM(2)
    np.testing.assert_array_equal(dense(inputs=X), dense(X))
    np.testing.assert_array_equal(lstm(sequences=X[None], training=False), lstm(X[None]))
    model = Sequential([Input((3,)), dense])
    np.testing.assert_array_equal(model(inputs=X), dense(X))
    np.testing.assert_array_equal(model(x=X), dense(X))
    np.testing.assert_array_equal(Sum()(x=X, right=X).shape, (2, 2))
    with pytest.warns(RuntimeWarning, match="holds nan"):
        model(inputs=X * np.nan)


@pytest.mark.parametrize("given", [{}, {"y": X}, {"training": True}])
@pytest.mark.parametrize("make", [Sum, lambda: layers.Dense(2), lambda: Sequential([layers.Dense(2)])])
def test_one_that_is_missing(make, given):
    with pytest.raises(TypeError, match="called without its input"):
        make()(**given)
