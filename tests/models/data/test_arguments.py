"""Single arguments of ``fit``, ``evaluate`` and ``predict``: a wrong one is named."""

import numpy as np
import pytest

from rnn_ref import Input, Sequential, layers

X, Y = np.ones((6, 3), "float32"), np.ones((6, 1), "float32")


@pytest.fixture(scope="module")
def model():
    made = Sequential([Input((3,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize("name", ["batch_size", "verbose", "steps"])
@pytest.mark.parametrize("value", ["x", -1, 2.5, [], {}, np.array([1, 2])])
def test_arguments_of_all_three(model, method, name, value):
    name = "steps_per_epoch" if (method, name) == ("fit", "steps") else name
    data = (X,) if method == "predict" else (X, Y)
    with pytest.raises(ValueError, match=name):
        getattr(model, method)(*data, **{"verbose": 0, name: value})


@pytest.mark.parametrize(
    "name",
    ["epochs", "initial_epoch", "validation_split", "validation_steps", "validation_batch_size", "validation_freq"],
)
@pytest.mark.parametrize("value", ["x", -1, 2.5, [[]], True])
def test_arguments_of_fit(model, name, value):
    with pytest.raises(ValueError, match=name):
        model.fit(X, Y, validation_data=(X, Y), **{"verbose": 0, name: value})


@pytest.mark.parametrize("name", ["steps_per_epoch", "batch_size", "validation_steps", "validation_freq"])
def test_zero_is_no_number_of_batches(model, name):
    with pytest.raises(ValueError, match=name):
        model.fit(X, Y, validation_data=(X, Y), **{"verbose": 0, name: 0})


def test_shuffle(model):
    model.fit(X, Y, shuffle="batch", verbose=0)
    for value in ("always", 3, None):
        with pytest.raises(ValueError, match="shuffle"):
            model.fit(X, Y, shuffle=value, verbose=0)


def test_what_has_no_effect_is_said(model):
    with pytest.warns(UserWarning, match="batch_size=3 has no effect"):
        model.predict(iter([(X,)]), batch_size=3, verbose=0)
    with pytest.warns(UserWarning, match="nothing to train: initial_epoch=5"):
        assert model.fit(X, Y, initial_epoch=5, verbose=0).history == {}
