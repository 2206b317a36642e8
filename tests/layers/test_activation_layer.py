"""Activation as a layer, and activations by name, against Keras."""

import functools
import pickle

import autograd.numpy as anp
import numpy as np
import pytest

import rnn_ref
from rnn_ref import activations, layers

from ..keras_on_numpy import keras
from ..slopes import check_slopes

pytestmark = pytest.mark.usefixtures("on_numpy")

# Not in Keras; not without its arguments; and one that in Keras gives rows that do not sum to 1.
NOT_BY_NAME = ("hard_sigmoid_legacy", "threshold", "sparsemax")
IN_KERAS = [name for name in (*activations.ALL, "swish", "hard_swish") if name not in NOT_BY_NAME]
TOLERANCE = {"float32": 2e-6, "float64": 1e-12}
SLOPES = {"float32": 5e-6, "float64": 1e-7}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", IN_KERAS)
def test_output_and_gradient_are_those_of_keras(name, dtype, keras_in, assert_close):
    generator = np.random.default_rng(0)
    x, dy = (generator.normal(size=(2, 3, 4), scale=2).astype(dtype) for _ in range(2))
    layer = layers.Activation(name, dtype=dtype)
    y, tape = layer.forward(x)
    dy = dy[..., : y.shape[-1]]  # glu halves
    assert y.shape == layer.compute_output_shape(x.shape)
    dx = layer.backward(tape, dy).inputs
    assert y.dtype == dx.dtype == dtype
    with keras_in("float64"):
        theirs = keras.layers.Activation(name, dtype="float64")
        assert_close(y, theirs(x.astype("float64")), TOLERANCE[dtype], "output")
        check_slopes(lambda x: (theirs(x) * dy).sum(), [x], [dx], SLOPES[dtype])


def test_it_has_no_weights_and_keeps_the_shape():
    layer = layers.Activation("relu")
    assert layer(np.zeros((2, 3))).shape == layer.compute_output_shape((2, 3)) == (2, 3)
    assert layer.weights == []
    assert layer.count_params() == 0


def test_config_round_trip():
    layer = layers.Activation("softmax", name="last")
    again = layers.Activation.from_config(layer.get_config())
    x = np.random.default_rng(0).normal(size=(2, 3))
    np.testing.assert_array_equal(again(x), layer(x))
    assert again.get_config() == layer.get_config()


# -- by name ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IN_KERAS)
def test_names_are_keras_names(name):
    x = np.linspace(-3, 3, 12).reshape(3, 4).astype("float32")
    expected = np.asarray(getattr(keras.activations, name)(x))
    np.testing.assert_allclose(getattr(activations, name)(x), expected, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(activations.get(name)(x), expected, rtol=2e-6, atol=1e-6)


def test_get_serialize_deserialize():
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.silu
    assert activations.get(activations.tanh) is activations.tanh
    for name in activations.ALL:
        assert activations.deserialize(activations.serialize(activations.get(name))).name == name


def test_unknown_names_are_told_what_is_known():
    with pytest.raises(ValueError, match=r"unknown activation 'rleu'\. Did you mean 'relu'\? Known: .*gelu.*tanh"):
        activations.get("rleu")
    with pytest.raises(ValueError, match=r"unknown activation 'xyzzy'. Known: .*gelu.*tanh"):
        activations.get("xyzzy")
    for bad in (3, ["relu"], {"name": "relu"}):
        with pytest.raises((TypeError, ValueError), match="an activation"):
            activations.get(bad)


def test_lists_and_integers_are_accepted():
    np.testing.assert_array_equal(activations.relu([-1, 0, 2]), [0, 0, 2])
    np.testing.assert_allclose(activations.sigmoid(0.0), 0.5)


def test_every_name_of_keras_is_there():
    functions = [name for name in dir(keras.activations) if not name.startswith("_")]
    assert [name for name in functions if not hasattr(activations, name)] == []


# -- options ----------------------------------------------------------------------------------------

OPTIONS = [
    ("relu", {"negative_slope": 0.3}),
    ("relu", {"max_value": 1.5}),
    ("relu", {"threshold": 0.7}),
    ("relu", {"negative_slope": 0.3, "max_value": 1.5, "threshold": 0.7}),
    ("relu", {"negative_slope": 0.3, "max_value": 1.5}),
    ("relu", {"threshold": -0.7}),
    ("relu", {"max_value": 6, "threshold": -0.7}),
    ("leaky_relu", {"negative_slope": 0.01}),
    ("leaky_relu", {"negative_slope": -1.0}),
    ("elu", {"alpha": 0.4}),
    ("elu", {"alpha": -0.4}),
    ("celu", {"alpha": 2.5}),
    ("gelu", {"approximate": True}),
    ("hard_shrink", {"threshold": 1.2}),
    ("soft_shrink", {"threshold": 1.2}),
    ("squareplus", {"b": 0.5}),
    ("threshold", {"threshold": 0.4, "default_value": -2.0}),
    ("softmax", {"axis": 1}),
    ("log_softmax", {"axis": 1}),
    ("glu", {"axis": 0}),
]


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_options_are_those_of_keras(name, options, keras_in):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(4, 3, 6), scale=2).astype("float32")
    theirs = functools.partial(getattr(keras.activations, name), **options)
    expected = theirs(x)
    np.testing.assert_allclose(getattr(activations, name)(x, **options), expected, rtol=2e-6, atol=2e-6)
    activation = functools.partial(getattr(activations, name), **options)
    layer = layers.Activation(activation)
    y, tape = layer.forward(x)
    np.testing.assert_allclose(y, expected, rtol=2e-6, atol=2e-6)
    dy = generator.normal(size=y.shape).astype("float32")
    with keras_in("float64"):
        check_slopes(lambda x: (theirs(x) * dy).sum(), [x], [layer.backward(tape, dy).inputs], 5e-6)
    again = layers.Activation.from_config(layer.get_config())
    np.testing.assert_array_equal(again(x), y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(layer.activation))(x), y)


def test_options_at_their_defaults_are_the_activation_itself():
    assert activations.get(functools.partial(activations.relu, max_value=None)) is activations.relu
    assert activations.leaky_relu.with_options(negative_slope=0.2) is activations.leaky_relu


def test_options_that_do_not_exist_are_refused():
    for wrong in (lambda: activations.relu([1.0], slope=2), lambda: activations.tanh([1.0], 3)):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(ValueError, match="`negative_slope` must be a finite number"):
        activations.relu([1.0], negative_slope="a")
    with pytest.raises(TypeError):
        activations.threshold([1.0], 0.5)
    with pytest.raises(TypeError, match="needs threshold and default_value"):
        layers.Dense(2, "threshold")(np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"axis=3 does not exist"):
        activations.softmax(np.ones((2, 3)), axis=3)
    with pytest.raises(ValueError, match="must have an even size"):
        activations.glu(np.ones((2, 3)))


def projected(z):
    """The point nearest to z whose numbers are at least 0 and sum to 1: tau by bisection."""
    low, high = z.max() - 1, z.max()
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(z - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(z - low, 0)


def test_sparsemax_is_the_nearest_distribution():
    z = np.random.default_rng(0).normal(size=(3, 5, 4))
    a = activations.sparsemax(z, axis=1)
    np.testing.assert_allclose(a, np.apply_along_axis(projected, 1, z), atol=1e-12)
    layer = layers.Activation("sparsemax", dtype="float64")
    dy = np.random.default_rng(1).normal(size=z.shape)
    tape = layer.forward(z)[1]
    h, dx = 1e-6, layer.backward(tape, dy).inputs
    for index in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[index] = h
        slope = ((layer(z + step) - layer(z - step)) * dy).sum() / (2 * h)
        assert dx[index] == pytest.approx(slope, abs=1e-8)
    one = activations.sparsemax([[0.1, 1.1, 0.2], [5.0, 5.0, 5.0], [1.0, 3.0, 2.0]])
    np.testing.assert_allclose(one, [[0.0, 0.95, 0.05], [1 / 3, 1 / 3, 1 / 3], [0.0, 1.0, 0.0]])
    theirs = np.asarray(keras.activations.sparsemax(np.float32([[0.1, 0.4, 0.2]])))
    assert abs(theirs.sum() - 1) > 0.1  # the departure: should Keras be mended, this test will say so


def test_a_halved_output_has_its_shape():
    layer = layers.Dense(6, "glu")
    assert layer(np.ones((2, 5))).shape == layer.compute_output_shape((2, 5)) == (2, 3)
    x = rnn_ref.Input((5,))
    model = rnn_ref.Model(x, layers.Dense(1)(layers.Dense(6, "glu")(x)))
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 5)), np.ones((4, 1)), verbose=0)
    assert layers.Activation("glu").compute_output_shape((None, 4)) == (None, 2)


# -- functions --------------------------------------------------------------------------------------


def test_a_python_function_is_differentiated(keras_in):
    x, dy = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    for function, reference in [
        (lambda z: anp.sin(z) * z, lambda z: np.sin(z) * z),
        (lambda z: activations.relu(z, max_value=0.5) + z, lambda z: keras.activations.relu(z, max_value=0.5) + z),
        (lambda z: activations.softmax(z) * 2, lambda z: keras.activations.softmax(z) * 2),
    ]:
        for layer in (layers.Activation(function), layers.Dense(4, function, kernel_initializer="identity")):
            y, tape = layer.forward(x)
            assert y.dtype == np.float32
            np.testing.assert_allclose(y, reference(x), rtol=1e-5, atol=1e-6)
            with keras_in("float64"):
                dx = layer.backward(tape, dy).inputs
                check_slopes(lambda x, reference=reference: (reference(x) * dy).sum(), [x], [dx], 1e-5)


def test_an_activation_called_on_a_symbolic_tensor_is_a_layer():
    x = rnn_ref.Input((4,))
    model = rnn_ref.Model(x, activations.relu(activations.mish(x), max_value=0.5))
    a = np.linspace(-2, 2, 8).reshape(2, 4).astype("float32")
    np.testing.assert_allclose(
        model(a), keras.activations.relu(keras.activations.mish(a), max_value=0.5), rtol=1e-5, atol=1e-6
    )


# -- in recurrent cells -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["mish", "hard_silu", "leaky_relu", "squareplus", "tanh_shrink", "celu", "log_sigmoid"]
)
def test_cells_run_them(name, keras_in):
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    ours = layers.LSTM(4, activation=name)
    y, tape = ours.forward(x)
    gradients = ours.backward(tape, np.ones_like(y))
    with keras_in("float64"):
        theirs = keras.layers.LSTM(4, activation=name, dtype="float64")
        theirs.build(x.shape)

        def run(x, *weights):
            theirs.set_weights(weights)
            return theirs(x)

        arrays = [x.astype("float64"), *ours.get_weights()]
        np.testing.assert_allclose(y, run(*arrays), rtol=2e-5, atol=2e-6)
        check_slopes(lambda *a: run(*a).sum(), arrays, [gradients.inputs, *gradients.weights.values()], 2e-5)


def test_cells_say_which_they_run():
    for wrong in ("softmax", "glu", "threshold", functools.partial(activations.relu, max_value=1)):
        with pytest.raises(ValueError, match=r"recurrent cell.*these run, compiled: celu, .*tanh"):
            layers.LSTM(2, activation=wrong)
    with pytest.raises(TypeError, match=r"Python function cannot run.*these run, compiled.*layers.RNN"):
        layers.GRU(2, recurrent_activation=lambda z: z)


# -- precision --------------------------------------------------------------------------------------


def test_a_confident_sigmoid_keeps_its_loss():
    """At z = -15 an error of 5e-7 would be a percent and more of the crossentropy."""
    z = np.linspace(-40, 40, 161, dtype="float32")
    exact = 1 / (1 + np.exp(-z.astype(float)))
    np.testing.assert_allclose(activations.sigmoid(z), exact, rtol=5e-7)
    layer = layers.Dense(1, "sigmoid", kernel_initializer="ones")
    np.testing.assert_allclose(layer(z[:, None])[:, 0], exact, rtol=5e-7)
    z = np.float32([[-15.0], [-12.0]])
    loss = rnn_ref.losses.BinaryCrossentropy()(np.zeros((2, 1)), layer(z))
    np.testing.assert_allclose(loss, np.log1p(np.exp([-15.0, -12.0])).mean(), rtol=0.02)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("axis", [(1, 2), [-1, 0], (0, 1, 2)])
def test_softmax_over_several_axes(name, axis):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    from_0 = tuple(k % 3 for k in axis)  # with axes that count from the end, Keras raises inside JAX
    expected = getattr(keras.activations, name)(x.astype("float32"), axis=from_0)
    np.testing.assert_allclose(getattr(rnn_ref.activations, name)(x, axis=axis), expected, atol=1e-6)
    with pytest.raises(ValueError, match="does not exist"):
        getattr(rnn_ref.activations, name)(x, axis=(1, 3))
    with pytest.raises(ValueError, match="must be an integer"):
        rnn_ref.activations.sparsemax(x, axis=axis)
