"""Classes that users write on top of built-in layers: values and gradients against Keras, and finite differences."""

import autograd.numpy as anp
import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

from ..keras_that_trains import keras

pytestmark = pytest.mark.usefixtures("that_trains")

B, T, F, H = 4, 3, 3, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(B, T, F))
IDS = RNG.integers(0, 5, size=(B, T))


class Ours:
    """What a class below needs of a library."""

    layers, Sequential = layers, staticmethod(rnn_ref.Sequential)
    Input, Model = staticmethod(rnn_ref.Input), staticmethod(rnn_ref.Model)
    exp, sum, tanh, repeat, matmul = anp.exp, anp.sum, anp.tanh, anp.repeat, anp.matmul
    registered = staticmethod(lambda cls: cls)


class Theirs:
    layers, Sequential = keras.layers, staticmethod(keras.Sequential)
    Input, Model = staticmethod(keras.Input), staticmethod(keras.Model)
    exp, sum, tanh, repeat, matmul = keras.ops.exp, keras.ops.sum, keras.ops.tanh, keras.ops.repeat, keras.ops.matmul
    registered = keras.saving.register_keras_serializable()


def scaled_dense(k):
    class ScaledDense(k.layers.Dense):
        def build(self, shape):
            super().build(shape)
            self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")

        def call(self, x):
            return super().call(x) * self.scale + x

    return lambda x: ScaledDense(F, "tanh")(x)


def doubled_lstm(k):
    class DoubledLSTM(k.layers.LSTM):
        def build(self, shape):
            super().build(shape)
            self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")

        def call(self, sequences, initial_state=None, mask=None, training=False):
            y = super().call(sequences, initial_state, mask, training)
            return y * self.scale * 2.0

    return lambda x: DoubledLSTM(H)(x)


def both_directions(k):
    @k.registered
    class Squared(k.layers.GRU):
        def call(self, sequences, initial_state=None, mask=None, training=False):
            return super().call(sequences, mask=mask, training=training) ** 2

    return lambda x: k.layers.Bidirectional(Squared(H))(x)


def learned_start(k):
    class Learned(k.layers.GRU):
        def build(self, shape):
            super().build(shape)
            self.first = self.add_weight(shape=(1, self.units), initializer="ones", name="first")

        def get_initial_state(self, batch_size):
            return [k.repeat(self.first + 0.0, batch_size, axis=0)]

    return lambda x: Learned(H)(x)


def started_cell(k):
    class Started(k.layers.SimpleRNNCell):
        def get_initial_state(self, batch_size=None):
            return [k.repeat(self.bias[None] + 1.0, batch_size, axis=0)]

    return lambda x: k.layers.RNN(Started(H), return_sequences=True)(x)


def pool(k):
    class Pool(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts = [k.layers.Dense(H, "tanh"), k.layers.Dense(1)]

        def build(self, shape):
            self.parts[0].build(shape)
            self.parts[1].build((*shape[:-1], H))

        def call(self, x):
            a = k.exp(self.parts[1](self.parts[0](x)))
            return k.sum(a / k.sum(a, axis=1, keepdims=True) * x, axis=1)

    return lambda x: Pool()(k.layers.LSTM(H, return_sequences=True)(x))


def residual_cell(k):
    class Residual(k.layers.Layer):
        def __init__(self, cell):
            super().__init__()
            self.cell, self.state_size = cell, cell.state_size

        def build(self, shape):
            self.cell.build(shape)

        def call(self, x, states):
            y, states = self.cell(x, states)
            return y + x, states

    return lambda x: k.layers.RNN(Residual(k.layers.LSTMCell(F)), return_sequences=True)(x)


def dictionary(k):
    class Product(k.layers.Layer):
        def call(self, d):
            return {"product": d["a"] * d["b"], "rest": [d["a"] - d["b"]]}

    def body(x):
        y = Product()({"a": k.layers.GRU(F, return_sequences=True)(x), "b": x})
        return k.layers.Add()([y["product"], y["rest"][0]])

    return body


def inside_each_other(k):
    class Inner(k.layers.Layer):
        def __init__(self, dense):
            super().__init__()
            self.dense = dense

        def build(self, shape):
            self.dense.build(shape)

        def call(self, x, training=False):
            return k.tanh(self.dense(x)) + (1.0 if training else 0.0)

    class Outer(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Inner(k.layers.Dense(F))
            self.rnn = k.layers.Bidirectional(k.layers.SimpleRNN(2, return_sequences=True))

        def build(self, shape):
            self.inner.build(shape)
            self.rnn.build(shape)

        def call(self, x):
            return self.rnn(self.inner(x) * x)

    return lambda x: k.layers.TimeDistributed(k.layers.Dense(2))(Outer()(x))


def tensors_as_arguments(k):
    class Gate(k.layers.Layer):
        def call(self, x, gate, *, power=1):
            return x * k.tanh(gate) ** power

    return lambda x: Gate()(x, k.layers.Dense(F)(x), power=2)


def two_shapes(k):
    class Gate(k.layers.Layer):
        def build(self, x_shape, gate_shape):
            self.w = self.add_weight(shape=(x_shape[-1], gate_shape[-1]), name="w")

        def call(self, x, gate):
            return k.matmul(x, self.w + 0.0) * gate

    return lambda x: Gate()(x, k.layers.GRU(2, return_sequences=True)(x))


def halved_cell(k):
    class Halved(k.layers.GRUCell):
        def call(self, inputs, states, training=False):
            y, states = super().call(inputs, states, training)
            return y / 2, [states[0] / 2]

    return lambda x: k.layers.RNN(Halved(H))(x)


def network_inside(k):
    class Residual(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.net = k.Sequential([k.layers.Dense(4, "tanh"), k.layers.Dense(F)])

        def build(self, shape):
            self.net.build(shape)

        def call(self, x):
            return x + self.net(x)

    return lambda x: Residual()(x)


def wrapper(k):
    class Twice(k.layers.TimeDistributed):
        def call(self, inputs, training=None, mask=None):
            return 2 * super().call(inputs, training, mask)

    return lambda x: Twice(k.layers.Dense(2))(x)


BODIES = [
    two_shapes,
    halved_cell,
    network_inside,
    wrapper,
    scaled_dense,
    doubled_lstm,
    both_directions,
    learned_start,
    started_cell,
    pool,
    residual_cell,
    dictionary,
    inside_each_other,
    tensors_as_arguments,
]


def make(k, body, dtype=None):
    inputs = k.Input((T, F), **({"dtype": dtype} if dtype else {}))
    return k.Model(inputs, k.layers.Dense(1)(body(k)(inputs)))


def aligned(ours, theirs):
    """The weights of both by shape and place, for libraries list cells and added weights in orders of their own."""

    def key(weight):
        return weight.path.rpartition("/")[2], tuple(weight.shape)

    places = {}
    for weight in theirs.weights:
        places.setdefault(key(weight), []).append(weight)
    return [(weight, places[key(weight)].pop(0)) for weight in ours.weights]


@pytest.mark.parametrize("body", BODIES)
def test_values_and_gradients_are_those_of_keras(body):
    ours, theirs = make(Ours, body), make(Theirs, body)
    pairs = aligned(ours, theirs)
    assert len(ours.weights) == len(theirs.weights)
    for mine, keras_s in pairs:
        value = RNG.normal(size=mine.shape) * 0.5
        mine.assign(value)
        keras_s.assign(value)
    x, y = X.astype("float32"), RNG.normal(size=tuple(theirs(X).shape)).astype("float32")
    np.testing.assert_allclose(ours(x), keras.ops.convert_to_numpy(theirs(x)), atol=2e-5, rtol=1e-5)
    for model, library in ((ours, rnn_ref), (theirs, keras)):  # a step of size 1 shows the gradient
        model.compile(library.optimizers.SGD(1.0), "mse")
        model.train_on_batch(x, y)
    for mine, keras_s in pairs:
        np.testing.assert_allclose(
            mine.numpy(), keras.ops.convert_to_numpy(keras_s.value), atol=1e-4, err_msg=mine.path
        )


@pytest.fixture
def double():
    rnn_ref.config.set_floatx("float64")
    yield
    rnn_ref.config.set_floatx("float32")


def differences(model, weight, x, y, step=1e-5):
    """dL/dw of the mean squared error, number by number."""
    found = np.zeros(weight.shape)
    for place in np.ndindex(*weight.shape):
        losses = []
        for sign in (1, -1):
            value = weight.numpy()
            value[place] += sign * step
            before = weight.numpy()
            weight.assign(value)
            losses.append(np.mean((model(x) - y) ** 2))
            weight.assign(before)
        found[place] = (losses[0] - losses[1]) / (2 * step)
    return found


def check_against_differences(model, x, y=None):
    model(x)
    y = RNG.normal(size=np.shape(model(x))) if y is None else y
    model.compile("sgd", "mse")
    _, gradients = model.gradients(x, y, training=False)
    named = model.trainable_named_weights()
    assert set(gradients) == set(named)
    for name, weight in named.items():
        np.testing.assert_allclose(gradients[name], differences(model, weight, x, y), atol=1e-8, err_msg=name)


@pytest.mark.parametrize("body", BODIES)
def test_gradients_are_those_of_finite_differences(body, double):
    check_against_differences(make(Ours, body), X)


class Unembed(layers.Layer):
    """Scores of tokens by the table of an embedding, held as a layer, as a weight, or known from elsewhere."""

    def __init__(self, embedding, how):
        super().__init__()
        self.how = how
        if how == "layer":
            self.embedding = embedding
        elif how == "weight":
            self.table = embedding.embeddings
        else:
            self.read = lambda: embedding.embeddings

    def call(self, h):
        if self.how == "elsewhere":
            return anp.dot(h, self.read().T)
        return h @ (self.table if self.how == "weight" else self.embedding.embeddings).T


@pytest.mark.parametrize("how", ["layer", "weight", "elsewhere"])
def test_a_tied_weight_has_the_sum_of_its_gradients_and_is_listed_once(how, double):
    table = layers.Embedding(5, H)
    inputs = rnn_ref.Input((T,))
    h = layers.GRU(H)(table(inputs))
    model = rnn_ref.Model(inputs, Unembed(table, how)(h))
    assert len(model.weights) == len({id(w) for w in model.weights}) == 4
    check_against_differences(model, IDS)


def test_a_tied_weight_used_inside_wrappers(double):
    table = layers.Embedding(5, H)
    inputs = rnn_ref.Input((T,))
    h = layers.GRU(H, return_sequences=True)(table(inputs))
    model = rnn_ref.Model(inputs, layers.TimeDistributed(Unembed(table, "elsewhere"))(h))
    check_against_differences(model, IDS)


class MCDropout(layers.Dropout):
    def call(self, x, training=None):
        return super().call(x, training=True)


def test_dropout_that_always_drops_and_its_gradient():
    model = rnn_ref.Sequential([rnn_ref.Input((50,)), layers.Dense(50, use_bias=False), MCDropout(0.5, seed=1)])
    x = np.ones((40, 50), "float32")
    y = model.predict(x, verbose=0)
    assert 0.4 < np.mean(y == 0) < 0.6
    out, tape = model.forward(x)  # the mask of the way forward is that of the way back
    dx = model.layers[1].backward(tape.steps[1].tape, np.ones_like(out)).inputs
    np.testing.assert_array_equal(dx == 0, out == 0)


class Counting(layers.Layer):
    """Assigns to a variable while it runs, and uses what it has assigned."""

    def build(self, shape):
        self.calls = self.add_weight((), "zeros", "calls", trainable=False)
        self.w = self.add_weight((shape[-1],), "ones", "w")

    def call(self, x):
        self.calls.assign(self.calls + 1.0)
        return x * self.w * self.calls


def test_a_variable_assigned_in_call_changes_once_for_each_call():
    model = rnn_ref.Sequential([rnn_ref.Input((F,)), Counting()])
    layer = model.layers[0]
    assert layer.calls.numpy() == 0  # finding the shape was no call
    x = X[:, 0].astype("float32")
    model.compile(rnn_ref.optimizers.SGD(0.0), "mse")
    model.train_on_batch(x, x)
    assert layer.calls.numpy() == 1
    np.testing.assert_allclose(model.predict(x, verbose=0), x * 2, rtol=1e-6)
    layer.calls.assign(1)
    _, gradients = model.gradients(x, 0 * x, training=False)  # of mean (2 w x)²
    np.testing.assert_allclose(gradients["counting/w"], (8 * x**2).sum(0) / x.size, rtol=1e-5)


def test_plain_numpy_predicts_and_says_why_it_cannot_be_trained():
    class Plain(layers.Layer):
        def call(self, x):
            return np.asarray(np.cumsum(np.array(x, float), axis=1), "float32")

    model = rnn_ref.Sequential([rnn_ref.Input((T, F)), layers.Dense(2), Plain()])
    x = X.astype("float32")
    assert model.predict(x, verbose=0).shape == (B, T, 2)
    model.compile("sgd", "mse")
    with pytest.raises(
        ValueError, match=r"autograd was recording Plain.call: it must compute with .import autograd.numpy"
    ):
        model.train_on_batch(x, np.zeros((B, T, 2)))


def test_masks_go_on_to_layers_inside(double):
    class Reader(layers.Layer):
        def __init__(self):
            super().__init__()
            self.table, self.rnn = layers.Embedding(5, F, mask_zero=True), layers.GRU(H)

        def call(self, ids):
            return self.rnn(self.table(ids))

    reader = Reader()
    model = rnn_ref.Sequential([rnn_ref.Input((T,), dtype="int32"), reader])
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    short = reader.rnn(reader.table.embeddings.value[ids[1:, :1]])
    np.testing.assert_allclose(model(ids)[1:], short)
    _, tape = model.forward(ids, training=True)
    np.testing.assert_allclose(tape.steps[0].outputs.value[1:], short)
    check_against_differences(model, ids)


def test_a_lambda_that_reads_a_weight_gives_its_gradient(double):
    table = layers.Embedding(5, H)
    inputs = rnn_ref.Input((T,))
    h = layers.GRU(H)(table(inputs))
    model = rnn_ref.Model(inputs, layers.Lambda(lambda x: anp.dot(x, table.embeddings.T))(h))
    check_against_differences(model, IDS)
    by_hand = layers.Lambda(lambda x: anp.dot(x, table.embeddings.T), gradient=lambda x, y, dy: dy)
    with pytest.raises(ValueError, match="uses a weight, and gradient= cannot say"):
        by_hand(np.ones((2, H)))


def test_what_could_not_take_part_is_refused():
    class Stack(layers.StackedRNNCells):
        def call(self, x, states=None, training=False):
            return x, states

    with pytest.raises(TypeError, match="overrides call of StackedRNNCells"):
        layers.RNN(Stack([layers.GRUCell(2)]))
    first, second = layers.Dense(3, input_shape=(3,)), layers.Dense(3, input_shape=(3,))
    with pytest.raises(AttributeError, match="gradients would go to the wrong one"):
        second.kernel = first.kernel

    class Shapes(layers.Layer):
        def build(self, x_shape, other_shape):
            pass

        def call(self, x, gate):
            return x

    with pytest.raises(ValueError, match="build asks for x_shape, other_shape, but the call has tensors for x_shape"):
        Shapes()(np.ones((2, 3)), np.ones((2, 3)))


def test_a_tied_kernel_set_in_build_of_a_subclass(double):
    dense = layers.Dense(F)

    class Tied(layers.Dense):
        def build(self, shape):
            self.kernel, self.bias = dense.kernel, None

    inputs = rnn_ref.Input((T, F))
    model = rnn_ref.Model(inputs, Tied(F)(dense(inputs)))
    assert len(model.weights) == 2
    check_against_differences(model, X)


STATELESS = {
    "Reshape": ((12,),),
    "Permute": ((2, 1),),
    "Flatten": (),
    "RepeatVector": (2,),
    "MaxPooling1D": (2,),
    "AveragePooling1D": (2,),
    "GlobalMaxPooling1D": (),
    "Conv1D": (3, 2),
    "LeakyReLU": (),
    "PReLU": (),
    "Softmax": (),
    "UnitNormalization": (),
    "GroupNormalization": (3,),
    "LayerNormalization": (),
    "Masking": (),
    "Rescaling": (2.0,),
}


@pytest.mark.parametrize("kind", [kind for kind in STATELESS if hasattr(layers, kind)])
def test_a_call_around_that_of_any_layer(kind):
    base = getattr(layers, kind)

    class Around(base):
        def call(self, x):
            return 2 * super().call(x) + x.mean()

    x = np.random.default_rng(0).normal(size=(2, 3) if kind == "RepeatVector" else (2, 4, 3))
    layer, plain = Around(*STATELESS[kind], dtype="float64"), base(*STATELESS[kind], dtype="float64")
    assert layer(rnn_ref.Input(x.shape[1:])).shape == plain(rnn_ref.Input(x.shape[1:])).shape
    layer.set_weights(plain.get_weights())
    np.testing.assert_allclose(layer(x), 2 * plain(x) + x.mean())
    assert max(rnn_ref.check_gradients(layer, x, samples=8).values()) < 1e-6
