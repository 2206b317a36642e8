"""Reshape, Permute, RepeatVector, pooling, merging, masking, normalization: bad inputs, and what Keras leaves open."""

import warnings

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

X = np.random.default_rng(0).standard_normal((3, 4, 5))


@pytest.mark.parametrize(
    ("make", "inputs", "what"),
    [
        (lambda: layers.Reshape((3, 3)), X, r"reshape.*\(4, 5\) holds 20 numbers.*target_shape=\(3, 3\)"),
        (lambda: layers.Reshape((-1, 3)), X, "does not fit"),
        (lambda: layers.Reshape((-1, -1)), X, "at most one of them -1"),
        (lambda: layers.Permute((0, 1)), X, r"counted from 1.*got \(0, 1\)"),
        (lambda: layers.Permute((2, 1)), X[0], r"expected an array with 3 axes, got shape \(4, 5\)"),
        (lambda: layers.RepeatVector(0), X, "n must be a positive integer, got 0"),
        (lambda: layers.RepeatVector(2), X, "expected an array with 2 axes"),
        (lambda: layers.GlobalAveragePooling1D("first"), X, "channels_first"),
        (lambda: layers.GlobalMaxPooling1D(), X[0], "expected an array with 3 axes"),
        (lambda: layers.Add(), X, r"add.*a list of inputs, got an array of shape"),
        (lambda: layers.Add(), [X, X[:2]], "different batch sizes"),
        (lambda: layers.Add(), [X, X[:, :2]], "do not fit together"),
        (lambda: layers.Subtract(), [X, X, X], "merges a list of 2 inputs; got 3"),
        (lambda: layers.Concatenate(), [X, X[:, :2]], "differ on axis 1"),
        (lambda: layers.Concatenate(axis=3), [X, X], "along axis 3"),
        (lambda: layers.Concatenate(axis=0), [X, X], "other than 0"),
        (lambda: layers.Dot(axes=(1, 2)), [X, X], r"axis 1 of \(3, 4, 5\) and axis 2.*got 4 and 5"),
        (lambda: layers.Dot(axes=0), [X, X], "it is the batch"),
        (lambda: layers.Dot(axes=(1, 2, 3)), [X, X], "pair of integers"),
        (lambda: layers.LayerNormalization(axis=3), X, "axis=3 does not exist"),
    ],
)
def test_bad_inputs(make, inputs, what):
    with pytest.raises(ValueError, match=what):
        make()(inputs)


def test_other_errors():
    with pytest.raises(NotImplementedError, match="rms_scaling"):
        layers.LayerNormalization(rms_scaling=True)
    with pytest.raises(TypeError, match="axis must be an integer"):
        layers.LayerNormalization(axis="last")
    with pytest.raises(TypeError, match="mask_value must be a number"):
        layers.Masking("pad")
    layer = layers.LayerNormalization()
    layer(X)
    with pytest.raises(ValueError, match=r"expected sizes \(5,\).*got \(4,\)"):
        layer(X[..., :4])
    with pytest.raises(ValueError, match="expected a list of 2 masks"):
        layers.Add().run([X, X], mask=[None])


def test_later_inputs_of_another_length():
    layer = layers.Add()
    assert layer([X, X]).shape == (3, 4, 5)
    assert layer([X[:, :2], X[:, :2]]).shape == (3, 2, 5)
    with pytest.raises(ValueError, match="do not fit"):
        layer([X, X[:, :2]])


def test_unknown_sizes():
    assert layers.Reshape((-1, 5)).compute_output_shape((None, None, 10)) == (None, None, 5)
    assert layers.Add().compute_output_shape([(None, None, 5), (None, 5)]) == (None, None, 5)
    assert layers.Concatenate(axis=1).compute_output_shape([(None, None, 5), (None, 2, 5)]) == (None, None, 5)
    assert layers.Concatenate().compute_output_shape([(None, None, 5), (None, 4, 5)]) == (None, 4, 10)
    assert layers.Dot(axes=2).compute_output_shape([(None, None, 5), (None, 4, 5)]) == (None, None, 4)


def test_symbolic_call():
    a, b = rnn_ref.Input((4, 5)), rnn_ref.Input((4, 5))
    assert layers.concatenate([a, b]).shape == (None, 4, 10)
    assert layers.Flatten()(layers.add([a, b])).shape == (None, 20)


def test_mean_of_nothing_warns():
    mask = np.ones((3, 4), bool)
    mask[1] = False
    with pytest.warns(UserWarning, match="every step of sample 1 is masked"):
        y = layers.GlobalAveragePooling1D()(X, mask=mask)
    assert np.isnan(y[1]).all()
    assert np.isfinite(y[[0, 2]]).all()


def test_zero_vectors_have_no_direction():
    zero = np.zeros((3, 5))
    layer = layers.Dot(axes=1, normalize=True, dtype="float64")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, tape = layer.forward([zero, X[:, 0]])
        gradients = layer.backward(tape, np.ones((3, 1))).inputs
    assert not y.any()
    assert all(np.isfinite(dx).all() for dx in gradients)


def test_masking_reaches_the_recurrent_layer():
    x = X.copy()
    x[:, 3] = -1
    model = rnn_ref.Sequential([layers.Masking(-1.0, input_shape=(4, 5)), layers.GRU(2)])
    np.testing.assert_allclose(model(x), model.layers[1](x[:, :3]), rtol=1e-5, atol=1e-6)
