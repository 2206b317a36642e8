import os

os.environ.setdefault("JAX_ENABLE_X64", "1")

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

TOKENS = np.array([[1, 4, 0, 0], [2, 2, 3, 1]])


@pytest.mark.parametrize("shape", [(2,), (2, 4), (2, 2, 2)])
def test_output_equals_keras(shape):
    x = TOKENS.reshape(-1)[: np.prod(shape)].reshape(shape)
    ours, theirs = layers.Embedding(5, 3), keras.layers.Embedding(5, 3)
    y = ours(x)
    theirs.build(shape)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_array_equal(y, theirs(x))
    assert y.dtype == np.float32
    assert ours.compute_output_shape((None, *shape[1:])) == theirs.compute_output_shape((None, *shape[1:]))


def test_gradient():
    layer = layers.Embedding(5, 3, dtype="float64")
    assert rnn_ref.check_gradients(layer, TOKENS, samples=None)["embeddings"] < 1e-6
    _, tape = layer.forward(TOKENS)
    dy = np.random.default_rng(0).standard_normal((2, 4, 3))
    expected = np.zeros((5, 3))
    np.add.at(expected, TOKENS, dy)
    gradients = layer.backward(tape, dy)
    np.testing.assert_allclose(gradients.weights["embeddings"], expected, rtol=1e-14)
    assert gradients.inputs is None


def test_mask():
    assert not layers.Embedding(5, 3).supports_masking
    assert layers.Embedding(5, 3).compute_mask(TOKENS, None) is None
    layer = layers.Embedding(5, 3, mask_zero=True)
    _, _, mask = layer.run(TOKENS)
    np.testing.assert_array_equal(mask, TOKENS != 0)
    theirs = keras.layers.Embedding(5, 3, mask_zero=True)
    np.testing.assert_array_equal(mask, theirs.compute_mask(TOKENS))


def test_ways_to_build():
    table = np.arange(15.0).reshape(5, 3)
    for weights in (table, [table]):
        layer = layers.Embedding(5, 3, weights=weights)
        np.testing.assert_array_equal(layer(TOKENS), table[TOKENS])
    model = rnn_ref.Sequential([layers.Embedding(5, 3, input_length=4, mask_zero=True), layers.LSTM(2)])
    assert model.built
    assert model.layers[0].input_shape == (None, 4)
    assert model.count_params() == 15 + 4 * (3 * 2 + 2 * 2 + 2)
    # Through a mask: what follows the padding's place changes nothing.
    model.layers[0].embeddings.value[0] = 1e3
    y = model(TOKENS[:1])
    model.layers[0].embeddings.value[0] = -1e3
    np.testing.assert_array_equal(y, model(TOKENS[:1]))


def test_config():
    layer = layers.Embedding(5, 3, "zeros", "l2", "non_neg", mask_zero=True, name="words")
    again = layers.Embedding.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    config = layer.get_config()
    assert keras.layers.Embedding.from_config(config).mask_zero


@pytest.mark.parametrize(
    ("tokens", "what"),
    [
        ([[1, 5]], r"words: token 5 at index \(0, 1\).* from 0 to 4"),
        ([[-1, 0]], r"token -1 at index \(0, 0\)"),
        ([[0.0, 1.5]], r"token 1.5 at index \(0, 1\)"),
        ([[0.0, np.nan]], "token nan"),
        ([[0, 2**40]], "token 1099511627776"),
    ],
)
def test_tokens_out_of_range(tokens, what):
    with pytest.raises(ValueError, match=what):
        layers.Embedding(5, 3, name="words")(tokens)


def test_whole_floats_are_tokens():
    layer = layers.Embedding(5, 3)
    np.testing.assert_array_equal(layer(TOKENS.astype("float32")), layer(TOKENS))


def test_bad_arguments():
    with pytest.raises(ValueError, match="input_dim must be a positive integer, got 0"):
        layers.Embedding(0, 3)
    with pytest.raises(ValueError, match=r"output_dim must be a positive integer, got 2.5"):
        layers.Embedding(3, 2.5)
    with pytest.raises(ValueError, match="input_length says the same"):
        layers.Embedding(3, 2, input_length=4, input_shape=(4,))
    with pytest.raises(ValueError, match=r"embeddings: got a value of shape \(2, 2\), expected \(3, 2\)"):
        layers.Embedding(3, 2, weights=np.ones((2, 2)))
