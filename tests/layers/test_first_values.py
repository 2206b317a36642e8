"""Where a weight's first values come from: whatever is given, the weight is of the layer's precision and its own."""

import numpy as np
import pytest

from rnn_ref import initializers, layers

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

X = np.ones((2, 4, 3), "float32")


def drawn(shape, dtype=None):
    return np.random.default_rng(0).normal(size=shape)


def of_shape_alone(shape):
    return np.full(shape, 0.25)


class Kept(initializers.Initializer):
    """Keeps what it returns."""

    def __call__(self, shape, dtype="float32"):
        self.array = np.zeros(shape, dtype)
        return self.array


@pytest.mark.parametrize("initializer", [drawn, of_shape_alone, lambda shape, **_: np.ones(shape).tolist()])
@pytest.mark.parametrize("make", [layers.SimpleRNN, layers.GRU, layers.LSTM, layers.Dense])
def test_a_function_may_be_an_initializer(make, initializer):
    layer = make(2, kernel_initializer=initializer, bias_initializer=initializer, dtype="float32")
    assert layer(X).dtype == np.float32
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    layer.backward(layer.forward(X)[1], np.ones_like(layer(X)))
    expected = np.asarray(initializer(layer.weights[0].shape), "float32")
    np.testing.assert_array_equal(layer.get_weights()[0], expected)


def test_a_function_of_a_wrong_shape_is_told_so():
    with pytest.raises(ValueError, match=r"fc/kernel: .* returned shape \(3,\), expected numbers of shape \(3, 2\)"):
        layers.Dense(2, kernel_initializer=lambda shape: np.ones(3), name="fc")(X)
    with pytest.raises(ValueError, match="returned NoneType"):
        layers.Dense(2, kernel_initializer=lambda shape: None)(X)


def test_a_weight_is_not_the_array_that_the_initializer_returned():
    kept = Kept()
    layer = layers.Dense(2, kernel_initializer=kept)
    layer(X)
    layer.kernel.value[...] = 5
    assert not kept.array.any()
    table = np.arange(6, dtype="float32").reshape(3, 2)
    embedding = layers.Embedding(3, 2, embeddings_initializer=table)
    embedding.build()
    embedding.embeddings.value[...] = 0
    np.testing.assert_array_equal(table.reshape(-1), range(6))


@pytest.mark.parametrize("value", [np.arange(6.0).reshape(3, 2), [1.0, 2.0], [[1], [2], [3]], 7])
def test_constant_takes_arrays_as_keras_does(value):
    ours, theirs = initializers.Constant(value), keras.initializers.Constant(value)
    given = np.asarray(theirs((3, 2)))
    np.testing.assert_array_equal(ours((3, 2)), given)
    again = initializers.deserialize(initializers.serialize(ours))
    np.testing.assert_array_equal(again((3, 2)), given)
    layer = layers.Embedding(3, 2, embeddings_initializer=ours)
    np.testing.assert_array_equal(layer([[0, 1, 2]])[0], given)
    same = layers.Embedding.from_config(layer.get_config())
    np.testing.assert_array_equal(same([[0, 1, 2]])[0], given)


def test_constant_reads_what_keras_writes():
    config = keras.initializers.serialize(keras.initializers.Constant(np.array([[1.0, 2.0]], "float32")))
    np.testing.assert_array_equal(initializers.deserialize(config)((1, 2)), [[1, 2]])
    with pytest.raises(ValueError, match=r"shape \(3,\), which cannot be repeated to a weight of shape \(2,\)"):
        initializers.Constant([1, 2, 3])((2,))
    with pytest.raises(ValueError, match="number or an array of numbers"):
        initializers.Constant("x")


class Weights(layers.Layer):
    """Makes a weight of whatever it is told."""

    def __init__(self, *more, **options):
        super().__init__()
        self.w = self.add_weight(*more, **options)


class InKeras(keras.layers.Layer):
    def __init__(self, *more, **options):
        super().__init__()
        self.w = self.add_weight(*more, **options)


@pytest.mark.parametrize(
    ("more", "options"),
    [
        ((), {}),
        ((), {"initializer": "ones"}),
        (((2, 3), "ones", "float16"), {"trainable": False}),
        (((np.int64(2),), "zeros"), {"dtype": "int32", "trainable": False}),
        (([2, 3],), {"trainable": False, "dtype": "int32"}),
    ],
)
def test_add_weight_takes_what_keras_takes(more, options):
    ours, theirs = Weights(*more, **options).w, InKeras(*more, **options).w
    assert (ours.shape, ours.dtype, ours.trainable) == (tuple(theirs.shape), theirs.dtype, theirs.trainable)
    if not np.issubdtype(ours.dtype, np.floating) or "ones" in (*more, *options.values()):
        np.testing.assert_array_equal(ours.numpy(), np.asarray(theirs))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "int32"}, "cannot be trained"),
        ({"shape": 3}, "tuple of non-negative integers"),
        ({"shape": (None, 2)}, "tuple of non-negative integers"),
        ({"trainable": "no"}, "True or False"),
        ({"dtype": "complex64", "name": "w"}, "use one of float16"),
    ],
)
def test_add_weight_refuses_the_rest(options, message):
    with pytest.raises(ValueError, match=message):
        Weights(**options)
    with pytest.raises(NotImplementedError, match="autocast=True"):
        Weights(autocast=False)


def test_sizes_may_be_numpys_integers():
    n = np.int64(2)
    assert layers.LSTM(n, input_shape=(np.int32(4), np.int64(3)))(X).shape == (2, 2)
    assert layers.Embedding(np.int64(5), n)([[1]]).shape == (1, 1, 2)
    assert layers.Reshape((n, np.int64(6)))(X).shape == (2, 2, 6)


def test_add_weight_as_in_keras_2_says_where_the_name_goes():
    with pytest.raises(ValueError, match=r"add_weight\(shape=\(...\), name='matrix'\)"):
        layers.Dense(2).add_weight("matrix", shape=(3, 4))
    with pytest.raises(ValueError, match="a shape twice"):
        layers.Dense(2).add_weight((3, 4), shape=(3, 4))


def test_a_weight_made_in_every_call_is_refused():
    class Own(layers.Layer):
        def call(self, x):
            return x + self.add_weight((), "zeros")

    with pytest.raises(ValueError, match="every call would make another weight"):
        Own()(np.ones((2, 3)))


def test_build_asks_for_shapes_by_the_names_of_call():
    class Own(layers.Layer):
        def build(self, a_shape, c_shape):
            pass

        def call(self, a, b):
            return a + b

    with pytest.raises(
        ValueError, match=r"build asks for a_shape, c_shape, but the call has tensors for a_shape, b_shape"
    ):
        Own()(np.ones((2, 3)), np.ones((2, 3)))


@pytest.mark.parametrize("value", [None, "yes"])
def test_trainable_is_true_or_false(value):
    with pytest.raises(ValueError, match="`trainable` must be True or False"):
        layers.Dense(2, trainable=value)
