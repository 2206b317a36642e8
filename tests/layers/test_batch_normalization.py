"""BatchNormalization where its statistics matter: in fit, at every step of TimeDistributed, and frozen."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

import rnn_ref

X = np.random.default_rng(0).normal(2.0, 3.0, size=(8, 3, 2)).astype("float32")
Y = np.random.default_rng(1).normal(size=(8, 1)).astype("float32")


def fitted(library, wrap, trainable=True):
    layers = library.layers
    norm = layers.BatchNormalization(momentum=0.5, trainable=trainable)
    model = library.Sequential(
        [library.Input((3, 2)), layers.TimeDistributed(norm) if wrap else norm, layers.Flatten(), layers.Dense(1)]
    )
    model.set_weights([np.random.default_rng(k).uniform(0.5, 1, w.shape) for k, w in enumerate(model.get_weights())])
    model.compile(library.optimizers.SGD(0.01), "mse")
    model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize(("wrap", "trainable"), [(False, True), (True, True), (False, False)])
def test_weights_after_fit_are_those_of_keras(wrap, trainable):
    ours, theirs = fitted(rnn_ref, wrap, trainable), fitted(keras, wrap, trainable)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), rtol=1e-3, atol=1e-4)


def test_masked_steps_may_hold_anything():
    layer, x = rnn_ref.layers.BatchNormalization(dtype="float64"), X.astype("float64")
    mask = np.ones(x.shape[:2], bool)
    mask[2, 1:] = False
    garbage = np.where(mask[..., None], x, np.nan)
    y, _ = layer.forward(garbage, mask=mask, training=True)
    expected, _ = layer.forward(np.where(mask[..., None], x, 0), mask=mask, training=True)
    np.testing.assert_array_equal(y[mask], expected[mask])
    assert np.isfinite(layer.moving_mean.numpy()).all()


@pytest.mark.parametrize("how", ["set", "inside", "given"])
def test_a_frozen_model_freezes_its_layers(how):
    """Otherwise the moving statistics of a pretrained model would go on."""
    start = rnn_ref.Input((3, 2))
    end = rnn_ref.layers.TimeDistributed(rnn_ref.layers.BatchNormalization())(start)
    model = rnn_ref.Model(start, end, trainable=how != "given")
    if how == "set":
        model.trainable = False
    elif how == "inside":
        outer = rnn_ref.Sequential([rnn_ref.Input((3, 2)), model])
        outer.trainable = False
    before = model.get_weights()
    model(X, training=True)
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)
    assert model.trainable_weights == []
    model.trainable = True
    model(X, training=True)
    assert not np.array_equal(model.get_weights()[2], before[2])
    with pytest.raises(ValueError, match="`trainable` must be True or False"):
        model.trainable = "no"


def test_refusals():
    layers = rnn_ref.layers
    with pytest.raises(ValueError, match="synchronized=True"):
        layers.BatchNormalization(synchronized=True)
    with pytest.raises(NotImplementedError, match="renorm"):
        layers.BatchNormalization(renorm=True)
    with pytest.raises(ValueError, match=r"mask has shape \(8, 2\), expected \(8, 3\)"):
        layers.BatchNormalization()(X, mask=np.ones((8, 2), bool))
    with pytest.raises(ValueError, match="5 features cannot be divided into 2 equal groups"):
        layers.GroupNormalization(2)(np.ones((2, 5)))
    with pytest.raises(ValueError, match=r"shared_axes=\[1\]"):
        layers.PReLU(input_shape=(None, 3))
