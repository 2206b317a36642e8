"""The base of layers: names, weights, freezing, precision, and what a layer of one's own needs."""

import copy
import gc
import pickle
import warnings
import weakref

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Sequential, check_gradients, config, layers
from rnn_ref.layers.call_checks import warn_nan
from rnn_ref.layers.layer import Layer, LayerGradients, reset_names
from rnn_ref.layers.variable import Variable

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")


class Scale(Layer):
    """A layer of one's own: ``y = s x`` with one factor per feature."""

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", "scale")

    def forward(self, x, *, training=False):
        x = self.as_input(x)
        return x * self.scale.value, x

    def backward(self, tape, grads, *, input_gradient=True):
        return LayerGradients(grads * self.scale.value, {"scale": (grads * tape).sum(axis=0)})


# -- names ------------------------------------------------------------------------------------------


def test_names_are_made_as_in_keras():
    names = [
        *("Dense", "LSTM", "GRU", "SimpleRNN", "LSTMCell", "SimpleRNNCell", "Flatten", "Activation"),
        "GlobalMaxPooling1D",
    ]
    reset_names()
    keras.utils.clear_session()
    for name in names:
        arguments = {"Flatten": (), "GlobalMaxPooling1D": (), "Activation": ("relu",)}.get(name, (2,))
        ours, theirs = ([getattr(module, name)(*arguments).name for _ in range(3)] for module in (layers, keras.layers))
        assert ours == theirs


def test_a_given_name_is_kept():
    assert layers.Dense(1, name="head").name == "head"


# -- weights ----------------------------------------------------------------------------------------


def test_weights_appear_when_built():
    layer = layers.Dense(3, name="head")
    assert layer.weights == []
    assert not layer.built
    with pytest.raises(ValueError, match="head has no weights yet"):
        layer.count_params()
    layer(np.zeros((2, 4)))
    assert layer.built
    assert [w.path for w in layer.weights] == ["head/kernel", "head/bias"]
    assert layer.count_params() == 15


def test_input_shape_builds_at_once():
    layer = layers.Dense(3, input_shape=(4,))
    assert layer.built
    assert layer.kernel.shape == (4, 3)


def test_paths_name_the_layer_of_a_cell():
    layer = layers.LSTM(2, input_shape=(None, 3), name="memory")
    theirs = keras.layers.LSTM(2, name="memory")
    theirs.build((None, None, 3))
    assert [w.path for w in layer.weights] == [w.path for w in theirs.weights]


@pytest.mark.parametrize("make", [lambda: layers.Dense(3), lambda: layers.LSTM(3), Scale])
def test_freezing(make):
    layer = make()
    layer(np.zeros((2, 4, 5)))
    number = len(layer.weights)
    assert len(layer.trainable_weights) == number
    layer.trainable = False
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == len(layer.weights) == number
    layer.trainable = True
    assert len(layer.trainable_weights) == number
    assert layer.non_trainable_weights == []


def test_freezing_one_layer_of_a_model():
    model = Sequential([layers.Input((5, 2)), layers.GRU(3, name="a", trainable=False), layers.Dense(1, name="b")])
    assert list(model.trainable_named_weights()) == ["b/kernel", "b/bias"]
    assert len(model.non_trainable_weights) == 3
    model.trainable = False
    assert model.trainable_weights == []


def test_a_weight_that_is_not_trainable():
    layer = Scale()
    layer.add_weight((2,), "zeros", "count", trainable=False)
    layer(np.ones((3, 2)))
    assert [w.name for w in layer.trainable_weights] == ["scale"]
    assert [w.name for w in layer.non_trainable_weights] == ["count"]


def test_variables_are_arrays():
    variable = Variable(np.arange(3.0), "v")
    np.testing.assert_array_equal(np.asarray(variable) + 1, [1, 2, 3])
    copy = variable.numpy()
    copy[0] = 9
    assert variable.value[0] == 0
    variable.assign([4, 5, 6])
    np.testing.assert_array_equal(variable, [4, 5, 6])
    with pytest.raises(ValueError, match=r"v: got a value of shape \(2,\), expected \(3,\)"):
        variable.assign([1, 2])


def test_assigning_keeps_precision_and_array():
    layer = layers.Dense(2, input_shape=(3,))
    array = layer.kernel.value
    layer.set_weights([np.ones((3, 2), "float64"), np.zeros(2)])
    assert layer.kernel.value is array  # kernels and optimizers hold on to it
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, 1)


# -- precision --------------------------------------------------------------------------------------


def test_the_default_precision():
    assert layers.Dense(1).dtype == "float32"
    config.set_floatx("float64")
    try:
        layer = layers.LSTM(2)
        assert layer(np.ones((2, 3, 4))).dtype == np.float64
    finally:
        config.set_floatx("float32")
    assert layers.LSTM(2)(np.ones((2, 3, 4))).dtype == np.float32


@pytest.mark.parametrize("dtype", ["float64", np.float64, np.dtype("float64")])
def test_precision_may_be_given_as_numpy_does(dtype):
    assert layers.Dense(1, dtype=dtype).dtype == "float64"


# -- a layer of one's own ---------------------------------------------------------------------------


def test_a_layer_of_ones_own_in_a_model():
    model = Sequential([layers.SimpleRNN(3, name="rnn"), Scale(name="scale"), layers.Dense(1, name="head")])
    errors = check_gradients(model, np.random.default_rng(0).normal(size=(4, 5, 2)))
    assert "scale/scale" in errors
    assert max(errors.values()) < 1e-6


def test_a_layer_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"Layer has neither forward\(\) nor call\(\)"):
        Layer()(np.zeros((1, 1)))
    with pytest.raises(NotImplementedError, match=r"Layer has no backward\(\)"):
        Layer().backward(None, None)


def test_unknown_arguments_are_refused():
    with pytest.raises(TypeError, match="unitss"):
        layers.Dense(1, unitss=3)


# -- warnings ---------------------------------------------------------------------------------------


def test_nan_is_pointed_at():
    x = np.zeros((2, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_nan(x, "x")
    x[1, 2] = np.inf
    with pytest.warns(RuntimeWarning, match=r"x holds inf at index \(1, 2\)"):
        warn_nan(x, "x")


def test_a_layer_does_not_hold_the_graphs_that_it_was_in():
    layer = layers.Dense(2)
    x = rnn_ref.Input((3,))
    layer(x)
    assert layer.output.shape == (None, 2)  # of the only call, though nobody holds the tensor
    held = rnn_ref.Model(x, layer(x))
    nodes = [weakref.ref(layer(rnn_ref.Input((3,))).node) for _ in range(5)]
    clone = weakref.ref(rnn_ref.models.clone_model(held))
    gc.collect()
    assert [node() for node in nodes] == [None] * 5
    assert clone() is None
    assert len(list(layer.nodes)) == 2
    with pytest.raises(ValueError, match="called 7 times"):
        _ = layer.output
    for copied in (copy.deepcopy(held), pickle.loads(pickle.dumps(held))):
        data = np.ones((1, 3), "float32")
        np.testing.assert_array_equal(copied(data), held(data))
