"""Layers of a user's class: their configuration, where they write none, is what they were made with."""

import copy
import pickle

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

X = np.ones((2, 3), "float32")


class Scaled(layers.Layer):
    def __init__(self, factor=2.0, *, powers=(1,), name=None):
        super().__init__(name=name)
        self.factor, self.powers = factor, powers

    def call(self, x):
        return self.factor * sum(x**power for power in self.powers)


class WithOptions(Scaled):
    def __init__(self, factor, **options):
        super().__init__(factor, **options)


def test_a_copy_computes_the_same():
    layer = Scaled(5.0, powers=[1, 2], name="five")
    layer.trainable = False
    again = Scaled.from_config(layer.get_config())
    np.testing.assert_array_equal(again(2 * X), 30 * X)
    assert (again.name, again.trainable) == ("five", False)
    model = rnn_ref.Sequential([rnn_ref.Input((3,)), layer, WithOptions(3.0, powers=(1,))])
    np.testing.assert_array_equal(rnn_ref.models.clone_model(model)(2 * X), 90 * X)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert other.get_config() == layer.get_config()


def test_what_is_no_configuration_says_so():
    class Held(layers.Layer):
        def __init__(self, *inside, table=None):
            super().__init__()

        def call(self, x):
            return x

    assert Held().get_config()["table"] is None
    with pytest.raises(NotImplementedError, match="table of its __init__ is no number"):
        Held(table=np.ones(2)).get_config()
    with pytest.raises(NotImplementedError, match="without names"):
        Held(1, 2).get_config()
    layer = Held(layers.Dense(1))
    assert layer.sublayers() == []  # what it was made with is not what it holds


def test_a_precision_that_init_does_not_take():
    config = Scaled().get_config()
    assert Scaled.from_config(config).dtype == "float32"
    config["dtype"] = "float64"
    with pytest.raises(ValueError, match="has dtype float64, but __init__ takes none"):
        Scaled.from_config(config)
