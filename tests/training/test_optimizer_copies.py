"""Copies of optimizers go on exactly where the original stands, whatever kind of copy it is."""

import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers, optimizers

X = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
Y = X[:, :1] - X[:, 1:2]
COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda thing: pickle.loads(pickle.dumps(thing))}
OPTIMIZERS = ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW", "Nadam")


def model_with(optimizer):
    rnn_ref.utils.set_random_seed(0)
    model = rnn_ref.Sequential([rnn_ref.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_copied_model_trains_on_as_the_original_does(name, how):
    options = {"momentum": 0.9} if name == "SGD" else {}
    model = model_with(getattr(optimizers, name)(0.05, weight_decay=0.1, **options))
    model.optimizer.exclude_from_weight_decay(var_list=model.layers[0].weights)
    model.fit(X, Y, verbose=0, shuffle=False)
    copied = COPIES[how](model)
    expected = model.fit(X, Y, epochs=3, verbose=0, shuffle=False).history
    assert copied.fit(X, Y, epochs=3, verbose=0, shuffle=False).history == expected
    for ours, theirs in zip(copied.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_of_the_optimizer_alone_goes_on_with_the_same_weights(how):
    def weights():
        return [SimpleNamespace(name=n, value=np.ones(2), constraint=None) for n in "ab"]

    optimizer, first, second = optimizers.Adam(0.1, weight_decay=0.5), weights(), weights()
    optimizer.exclude_from_weight_decay(first[:1])
    optimizer.apply([np.ones(2), np.ones(2)], first)
    for old, new in zip(first, second):
        new.value[...] = old.value
    copied = COPIES[how](optimizer)
    for _ in range(2):
        optimizer.apply([np.ones(2), -np.ones(2)], first)
        copied.apply([np.ones(2), -np.ones(2)], second)
    for old, new in zip(first, second):
        np.testing.assert_array_equal(old.value, new.value)
    with pytest.raises(ValueError, match="not one of those"):
        copied.apply([np.ones(2), np.ones(2)], weights())
    with pytest.raises(ValueError, match="not one of those"):
        COPIES[how](optimizer).apply([np.ones(3)], [SimpleNamespace(name="a", value=np.ones(3), constraint=None)])


def test_the_learning_rate_is_a_number_that_can_be_assigned():
    optimizer = optimizers.SGD(0.1)
    optimizer.learning_rate.assign(0.05)
    assert optimizer.learning_rate == optimizer.learning_rate.value == float(optimizer.learning_rate.numpy()) == 0.05
    optimizer.learning_rate.assign(optimizer.learning_rate * 2)
    assert optimizer.get_config()["learning_rate"] == 0.1
    assert type(copy.deepcopy(optimizer.learning_rate)) is float
    with pytest.raises(TypeError, match="schedule"):
        optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)).learning_rate.assign(0.1)
