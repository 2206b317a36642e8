"""check_gradients finds planted mistakes, and leaves the model as it was."""

import numpy as np
import pytest

from rnn_ref import Sequential, check_gradients, layers

X = np.random.default_rng(0).normal(size=(5, 4, 2))


def spoil(layer, change):
    """Let a layer's backward go through ``change(gradients)`` first."""
    backward = layer.backward

    def wrong(*arguments, **options):
        gradients = backward(*arguments, **options)
        change(gradients)
        return gradients

    layer.backward = wrong


def mistakes(errors):
    return {name for name, error in errors.items() if error > 1e-6}


@pytest.mark.parametrize("name", ["kernel", "recurrent_kernel", "bias"])
def test_a_weight_gradient_one_percent_too_large(name):
    layer = layers.GRU(3)
    spoil(layer, lambda gradients: gradients.weights[name].__imul__(1.01))
    errors = check_gradients(layer, X)
    assert mistakes(errors) == {name}
    assert 0.005 < errors[name] < 0.02


def test_one_wrong_entry():
    layer = layers.LSTM(3)

    def change(gradients):
        gradients.weights["kernel"][1, 5] = 0

    spoil(layer, change)
    assert mistakes(check_gradients(layer, X, samples=None)) == {"kernel"}


def test_a_wrong_input_gradient():
    layer = layers.SimpleRNN(3)
    layer.ensure_built(X.shape)

    def change(gradients):
        gradients.inputs = -gradients.inputs

    spoil(layer, change)
    errors = check_gradients(layer, X)
    assert mistakes(errors) == {"inputs"}
    assert 1.5 < errors["inputs"] < 2.5


def test_a_wrong_initial_state_gradient():
    layer, states = layers.LSTM(3), [np.full((5, 3), 0.3), np.full((5, 3), -0.2)]

    def change(gradients):
        gradients.initial_state[1] = gradients.initial_state[1] * 0.5

    spoil(layer, change)
    errors = check_gradients(layer, X, initial_state=states)
    assert mistakes(errors) == {"initial_state[1]"}
    np.testing.assert_array_equal(states[0], 0.3)  # the caller's arrays are not perturbed
    np.testing.assert_array_equal(states[1], -0.2)


def test_a_mistake_in_one_layer_of_a_model():
    model = Sequential([layers.LSTM(3, name="a", return_sequences=True), layers.GRU(2, name="b"), layers.Dense(1)])
    spoil(model.layers[1], lambda gradients: gradients.weights["bias"].__imul__(0))
    assert mistakes(check_gradients(model, X)) == {"b/bias"}


def test_a_missing_gradient_counts_as_a_mistake():
    """Zeros everywhere, where the loss does change."""
    layer = layers.SimpleRNN(3)
    spoil(layer, lambda gradients: gradients.weights["kernel"].fill(0))
    errors = check_gradients(layer, X)
    assert mistakes(errors) == {"kernel"}
    assert 0.5 < errors["kernel"] <= 1.01


@pytest.mark.parametrize("make", [lambda: layers.LSTM(3), lambda: Sequential([layers.GRU(3), layers.Dense(1)])])
def test_the_model_is_as_before(make):
    model = make()
    model.ensure_built(X.shape)
    arrays, values = [w.value for w in model.weights], model.get_weights()
    y, x = model(X), X.copy()
    check_gradients(model, x)
    np.testing.assert_array_equal(x, X)
    for weight, array, value in zip(model.weights, arrays, values, strict=True):
        assert weight.value is array
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, value)
    again = model(X)
    assert again.dtype == np.float32
    np.testing.assert_array_equal(again, y)


def test_the_model_is_as_before_also_when_something_goes_wrong():
    layer = layers.LSTM(3)
    layer.ensure_built(X.shape)
    with pytest.raises(ValueError, match="features"):
        check_gradients(layer, np.zeros((2, 3, 7)))
    assert layer.dtype == layer.cell.dtype == "float32"
    assert {w.dtype for w in layer.weights} == {"float32"}


def test_the_same_seed_tries_the_same_entries():
    layer = layers.LSTM(3)
    one, same = (check_gradients(layer, X, samples=3, seed=5) for _ in range(2))
    assert one == same
