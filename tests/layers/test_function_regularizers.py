"""Python functions as regularizers: values and gradients, wherever a layer takes one, against finite differences."""

import autograd.numpy as anp
import numpy as np
import pytest

from rnn_ref import Input, Sequential, layers, optimizers, regularizers, utils

X = np.random.default_rng(0).normal(size=(4, 3, 2))
Y = np.zeros((4, 2))


def cubes(x):
    return 0.1 * anp.sum(anp.abs(x) ** 3)


class Norm:
    def __call__(self, x):
        return 0.1 * (x**2).sum() ** 0.5


OPTIONS = {"bias_initializer": "ones", "dtype": "float64"}
KINDS = {
    "dense": lambda r: [layers.Flatten(), layers.Dense(2, kernel_regularizer=r, bias_regularizer=r, **OPTIONS)],
    "cell": lambda r: [layers.GRU(2, kernel_regularizer=r, recurrent_regularizer=r, bias_regularizer=r, **OPTIONS)],
    "output": lambda r: [layers.SimpleRNN(2, activity_regularizer=r, **OPTIONS)],
    "directions": lambda r: [layers.Bidirectional(layers.LSTM(1, kernel_regularizer=r, **OPTIONS))],
}


@pytest.mark.parametrize(
    "regularizer", [cubes, Norm(), lambda x: 0.2 * (x * x).sum()], ids=["function", "object", "lambda"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_gradients(kind, regularizer):
    model = Sequential([Input((3, 2), dtype="float64"), *KINDS[kind](regularizer)])
    model.compile(optimizers.SGD(0.1), "mse")
    _, gradients = model.gradients(X, Y)
    for name, weight in model.named_weights().items():
        value, index = weight.numpy(), (0,) * weight.ndim
        ends = []
        for step in (1e-6, -1e-6):
            moved = value.copy()
            moved[index] += step
            weight.assign(moved)
            ends.append(model.test_on_batch(X, Y))
        weight.assign(value)
        np.testing.assert_allclose(gradients[name][index], (ends[0] - ends[1]) / 2e-6, rtol=1e-5, atol=1e-8)


def test_it_counts_once_and_is_found_by_its_name():
    dense = layers.Dense(2, kernel_regularizer=cubes)
    dense(X)
    np.testing.assert_allclose(float(sum(dense.losses)), cubes(dense.kernel.numpy()), rtol=1e-6)
    config = dense.get_config()
    with utils.custom_object_scope({"cubes": cubes}):
        again = layers.Dense.from_config(config)
    again(X)
    again.set_weights(dense.get_weights())
    np.testing.assert_allclose(float(sum(again.losses)), float(sum(dense.losses)))
    with pytest.raises(ValueError, match="cubes"):
        layers.Dense.from_config(config)


@pytest.mark.parametrize("given", [lambda x: x**2, lambda x: None, lambda x: "a"], ids=["array", "None", "text"])
@pytest.mark.parametrize("option", ["kernel_regularizer", "activity_regularizer"])
def test_what_is_no_penalty(option, given):
    model = Sequential([Input((3, 2)), layers.SimpleRNN(2, name="rnn", **{option: given})])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"^rnn.*kernel|^rnn: activity_regularizer") as raised:
        model.fit(X, Y, verbose=0)
    assert "must return one number" in str(raised.value)


def test_no_class_whose_instances_cannot_be_called():
    with pytest.raises(ValueError, match=r"regularizer should be .* got <class 'int'>"):
        regularizers.get(int)


def test_what_autograd_cannot_differentiate():
    plain = regularizers.get(lambda x: float(np.sum(np.abs(x))))
    with pytest.raises(NotImplementedError, match=r"autograd\.numpy"):
        plain.gradient(np.ones(2))
