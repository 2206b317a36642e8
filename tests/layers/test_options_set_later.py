"""Options of layers that are set after these were made: they count, or are refused."""

import numpy as np
import pytest

from rnn_ref import activations, layers

X = np.linspace(-1, 1, 12, dtype="float32").reshape(2, 2, 3)


@pytest.mark.parametrize(
    "activation", [None, "relu", activations.relu, lambda z: z**2], ids=["None", "name", "own", "function"]
)
@pytest.mark.parametrize(
    "make", [lambda a: layers.Dense(2, a), lambda a: layers.Conv1D(2, 1, activation=a), layers.Activation]
)
def test_an_activation_of_a_layer(make, activation):
    changed = make("tanh")
    before = changed(X)
    changed.activation = activation
    expected = make(activation)
    expected(X)
    expected.set_weights(changed.get_weights())
    np.testing.assert_array_equal(changed(X), expected(X))
    assert np.abs(changed(X) - before).max() > 0.01
    assert changed.get_config()["activation"] == expected.get_config()["activation"]
    with pytest.raises(ValueError, match="rleu"):
        changed.activation = "rleu"


@pytest.mark.parametrize("kind", [layers.SimpleRNN, layers.GRU, layers.LSTM])
def test_options_of_a_cell_are_set_there(kind):
    layer, other = kind(2), kind(2, activation="relu")
    layer(X), other(X)
    other.set_weights(layer.get_weights())
    layer.cell.activation = "relu"
    np.testing.assert_array_equal(layer(X), other(X))
    for name, value in {
        "activation": "relu",
        "units": 3,
        "dropout": 0.5,
        "use_bias": False,
        "bias_regularizer": "l2",
    }.items():
        with pytest.raises(AttributeError, match=f"{name} is an option of its cell"):
            setattr(kind(2), name, value)
    layer.units = 2  # what it is already
    layer.return_sequences = True
    assert layer(X).shape == (2, 2, 2)


def test_subclasses_have_attributes_of_their_own():
    class Mine(layers.LSTM):
        def __init__(self, units, depth):
            super().__init__(units)
            self.units, self.depth = units, depth

    assert Mine(2, 3).depth == 3
    with pytest.raises(AttributeError, match="option of its cell"):
        Mine(2, 3).units = 5


def test_an_old_file_s_implementation():
    layer = layers.GRU.from_config(layers.GRU(2).get_config() | {"implementation": 0})
    assert layer(X).shape == (2, 2)
