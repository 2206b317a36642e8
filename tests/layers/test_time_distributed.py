"""TimeDistributed against Keras and against a loop over the steps."""

import autograd.numpy as anp
import numpy as np
import pytest

import rnn_ref
from rnn_ref.layers import GRU, LSTM, Bidirectional, Dense, Flatten, Layer, TimeDistributed, Wrapper

from ..keras_on_numpy import keras
from ..slopes import check_slopes

pytestmark = pytest.mark.usefixtures("on_numpy")

B, T, F = 3, 5, 4


def data(shape=(B, T, F), seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_dense_against_keras(keras_in):
    ours = TimeDistributed(Dense(3, activation="tanh", dtype="float64"))
    x = data()
    y, tape = ours.forward(x)
    dy = data(y.shape, 1)
    gradients = ours.backward(tape, dy)
    with keras_in("float64"):
        inner = keras.layers.Dense(3, activation="tanh", dtype="float64")
        theirs = keras.layers.TimeDistributed(inner, dtype="float64")
        theirs.build(x.shape)

        def run(x, *weights):
            theirs.set_weights(weights)
            return theirs(x)

        arrays = [x, *ours.get_weights()]
        np.testing.assert_allclose(y, run(*arrays), rtol=1e-12)
        check_slopes(lambda *a: (run(*a) * dy).sum(), arrays, [gradients.inputs, *gradients.weights.values()])


@pytest.mark.parametrize(
    "make", [lambda: LSTM(2), lambda: GRU(2, return_sequences=True), lambda: Flatten(), lambda: Dense(3)]
)
def test_is_a_loop_over_the_steps(make):
    inner = make()
    layer = TimeDistributed(inner)
    x = data((B, T, 6, F)).astype("float32")
    y = layer(x)
    for t in range(T):
        np.testing.assert_allclose(y[:, t], inner(x[:, t]), atol=1e-6)
    assert layer.compute_output_shape(x.shape) == y.shape
    assert max(rnn_ref.check_gradients(layer, x, samples=8).values()) < 1e-6


def test_several_outputs():
    layer = TimeDistributed(LSTM(2, return_state=True))
    x = data((B, T, 6, F))
    assert [y.shape for y in layer(x)] == [(B, T, 2)] * 3
    assert layer.compute_output_shape((None, T, 6, F)) == ((None, T, 2),) * 3
    assert layer.compute_mask(x, "mask") == ["mask"] * 3
    assert max(rnn_ref.check_gradients(layer, x, samples=8).values()) < 1e-6


def test_published_count():
    model = rnn_ref.Sequential(
        [rnn_ref.Input((10, 5)), LSTM(64, return_sequences=True), TimeDistributed(Dense(1, name="head"), name="each")]
    )
    assert model.layers[1].count_params() == 65
    assert "each/head/kernel" in model.named_weights()
    model.compile("adam", "mse")
    model.fit(data((4, 10, 5)), np.zeros((4, 10, 1)), verbose=0)


def test_masks():
    class Masked(Layer):
        takes_mask = True

        def forward(self, x, *, mask=None, training=False):
            return x * mask[..., None], None

    mask = np.random.default_rng(0).random((B, T)) > 0.5
    x = data().astype("float32")
    np.testing.assert_array_equal(TimeDistributed(Masked())(x, mask=mask), x * mask[..., None])
    layer = TimeDistributed(Dense(2))
    assert layer.run(x, mask=mask)[2] is mask
    inside = data((B, T, 6, F)).astype("float32")
    steps = np.random.default_rng(0).random((B, T, 6)) > 0.5
    lstm = LSTM(2)
    y = TimeDistributed(lstm)(inside, mask=steps)
    np.testing.assert_allclose(y[:, 1], lstm(inside[:, 1], mask=steps[:, 1]), atol=1e-6)
    with pytest.raises(ValueError, match="mask has shape"):
        layer(x, mask=mask[:, :2])


def test_config_round_trip():
    layer = TimeDistributed(LSTM(2, return_sequences=True), name="each")
    again = TimeDistributed.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


def test_bad_input():
    with pytest.raises(ValueError, match="takes a layer"):
        TimeDistributed(3)
    with pytest.raises(ValueError, match="time"):
        TimeDistributed(Dense(2))(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="zero time steps"):
        TimeDistributed(Dense(2))(np.zeros((2, 0, 3)))
    with pytest.raises(ValueError, match="stateful"):
        TimeDistributed(LSTM(2, stateful=True))


def test_wrapper_holds_the_weights_of_its_layer():
    wrapper = Wrapper(Dense(2, name="inside"))
    wrapper.ensure_built((None, 3))
    assert list(wrapper.named_weights()) == ["inside/kernel", "inside/bias"]


class Forgets(Dense):
    def compute_mask(self, inputs, mask):
        return None


class Masked(LSTM):
    def compute_mask(self, inputs, mask):
        return None


def test_a_mask_of_ones_own_inside_is_refused():
    """Keras never asks; one that answers as the wrapper does may stay."""
    x, mask = np.ones((2, 3, 4), "float32"), np.ones((2, 3), bool)
    TimeDistributed(Forgets(2))(x)
    Bidirectional(Masked(2))(x, mask=mask)
    for wrapper in (TimeDistributed(Forgets(2)), Bidirectional(Masked(2, return_sequences=True))):
        with pytest.raises(NotImplementedError, match=r"compute_mask of .*subclass of (TimeDist|Bidir)"):
            wrapper(x, mask=mask)


class MeanOfBatch(rnn_ref.layers.Layer):
    def call(self, x):
        return x - anp.mean(x, axis=0)


@pytest.mark.parametrize(
    "make",
    [
        MeanOfBatch,
        lambda: rnn_ref.Sequential([Dense(3), MeanOfBatch()]),
        lambda: rnn_ref.Sequential([Dense(3), rnn_ref.layers.BatchNormalization()]),
    ],
)
def test_what_mixes_samples_runs_step_by_step(make):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    inner = make()
    found = TimeDistributed(inner)(x, training=True)
    expected = np.stack([inner(x[:, t], training=True) for t in range(3)], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_call_that_says_so_runs_at_once():
    seen = []

    class Double(rnn_ref.layers.Layer):
        mixes_samples = False

        def call(self, x):
            seen.append(x.shape)
            return 2 * x

    y = TimeDistributed(Double())(np.ones((2, 7, 4), "float32"))
    assert y.shape == (2, 7, 4)
    assert (14, 4) in seen
