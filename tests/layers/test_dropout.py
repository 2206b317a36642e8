import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

X = np.random.default_rng(0).standard_normal((4, 50, 10))
EACH = [layers.Dropout(0.3, seed=1), layers.SpatialDropout1D(0.3, seed=1), layers.GaussianNoise(0.3, seed=1)]
each = pytest.mark.parametrize("layer", EACH, ids=lambda layer: type(layer).__name__)


@each
def test_off_at_inference(layer):
    np.testing.assert_array_equal(layer(X), X.astype("float32"))


@each
def test_same_seed_same_numbers(layer):
    config = layer.get_config()
    one, two = (type(layer).from_config(config) for _ in range(2))
    first = one(X, training=True)
    np.testing.assert_array_equal(first, two(X, training=True))
    assert (first != one(X, training=True)).any()
    assert (first != type(layer).from_config(config | {"seed": 2})(X, training=True)).any()


def test_seed_may_be_a_generator():
    layer = layers.Dropout(0.5, seed=np.random.default_rng(3))
    again = layers.Dropout.from_config(layer.get_config())
    np.testing.assert_array_equal(layer(X, training=True), again(X, training=True))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_rate_and_scale(rate):
    y = layers.Dropout(rate, seed=0)(np.ones((100, 1000)), training=True)
    assert np.mean(y == 0) == pytest.approx(rate, abs=0.005)
    np.testing.assert_allclose(np.unique(y), [0, 1 / (1 - rate)], rtol=1e-6)
    assert y.mean() == pytest.approx(1, abs=0.02)


def test_all_or_nothing():
    assert not layers.Dropout(1.0)(X, training=True).any()
    np.testing.assert_array_equal(layers.Dropout(0.0)(X, training=True), X.astype("float32"))


def test_noise_shape():
    y = layers.Dropout(0.5, noise_shape=(None, 1, None), seed=0)(np.ones((4, 5, 6)), training=True)
    assert (y == y[:, :1]).all()
    assert 0 < (y == 0).mean() < 1
    with pytest.raises(ValueError, match=r"noise_shape=\(3, 1, 1\) cannot be repeated.* \(4, 5, 6\)"):
        layers.Dropout(0.5, noise_shape=(3, 1, 1))(np.ones((4, 5, 6)), training=True)
    with pytest.raises(ValueError, match="noise_shape must be"):
        layers.Dropout(0.5, noise_shape=(0, 1))


def test_spatial_drops_whole_features():
    y = layers.SpatialDropout1D(0.5, seed=0)(np.ones((4, 5, 6)), training=True)
    assert (y == y[:, :1]).all()
    with pytest.raises(ValueError, match="expected an array with 3 axes"):
        layers.SpatialDropout1D(0.5)(np.ones((4, 5)))


@pytest.mark.parametrize("layer", [layers.Dropout(0.5), layers.SpatialDropout1D(0.5)])
def test_gradient_with_a_given_mask(layer):
    x, drop = X[:2, :3, :4], np.array([0.0, 2.0, 2.0, 0.0])
    np.testing.assert_allclose(layer(x, drop=drop), x * drop, rtol=1e-6)
    assert rnn_ref.check_gradients(layer, x, drop=drop)["inputs"] < 1e-6


def test_gradient_of_a_drawn_mask():
    layer = layers.Dropout(0.5, seed=0, dtype="float64")
    y, tape = layer.forward(X, training=True)
    np.testing.assert_array_equal(layer.backward(tape, X).inputs, y)


def test_noise():
    layer = layers.GaussianNoise(0.5, seed=0)
    noise = layer(np.zeros((100, 1000)), training=True)
    assert noise.std() == pytest.approx(0.5, abs=0.01)
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.dtype == np.float32
    np.testing.assert_array_equal(layer.backward(None, X).inputs, X.astype("float32"))


def test_bad_rates():
    for make in (layers.Dropout, layers.SpatialDropout1D, layers.GaussianNoise, lambda r: layers.Attention(dropout=r)):
        for rate in (-0.1, 1.1, "much", None):
            with pytest.raises(ValueError, match="between 0 and 1"):
                make(rate)


def test_activity_regularization():
    layer = layers.ActivityRegularization(l1=0.5, l2=0.25, input_shape=(3,))
    assert layer.activity_regularizer(np.array([[2.0, -2.0]])) == 0.5 * 4 + 0.25 * 8
    config = layer.get_config()
    assert (config["l1"], config["l2"]) == (0.5, 0.25)
    assert layers.ActivityRegularization.from_config(config).get_config() == config
