"""The same bits on any number of BLAS threads: of NumPy's own products they are not."""

import numpy as np
import pytest
import threadpoolctl

from rnn_ref import inspection, layers, optimizers, regularizers
from rnn_ref.training.optimizers.clipping import clipped

draw = np.random.default_rng(0).normal


def sequences(features, count):
    return [draw(size=(16, 130, features)) for _ in range(count)]


CASES = {
    "dense": (lambda dtype: layers.Dense(33, dtype=dtype), draw(size=(1000, 33))),
    "attention": (lambda dtype: layers.Attention(use_scale=True, dtype=dtype), sequences(128, 2)),
    "additive attention": (lambda dtype: layers.AdditiveAttention(dtype=dtype), [x[:, :40] for x in sequences(96, 2)]),
    "multi-head attention": (lambda dtype: layers.MultiHeadAttention(2, 64, dtype=dtype), sequences(64, 2)),
    "dot": (lambda dtype: layers.Dot(axes=2, dtype=dtype), sequences(128, 2)),
}


def on_threads(compute):
    results = []
    for threads in (1, 2, 3):
        with threadpoolctl.threadpool_limits(threads, user_api="blas"):
            results.append(compute())
    return results


def assert_equal(results):
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_layers(case, dtype):
    make, x = CASES[case]
    x = [a.astype(dtype) for a in x] if isinstance(x, list) else x.astype(dtype)
    layer = make(dtype)
    layer.build([a.shape for a in x] if isinstance(x, list) else x.shape)
    dy = draw(size=layer.forward(x)[0].shape).astype(dtype)

    def compute():
        y, tape = layer.forward(x)
        gradients = layer.backward(tape, dy)
        inputs = gradients.inputs if isinstance(gradients.inputs, list) else [gradients.inputs]
        return [y, *inputs, *gradients.weights.values()]

    assert_equal(on_threads(compute))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_regularizer_and_clipping(dtype):
    W = draw(size=(300, 260)).astype(dtype)
    regularizer = regularizers.OrthogonalRegularizer()
    assert_equal(on_threads(lambda: [regularizer(W), regularizer.gradient(W), *clipped([W, W.T], global_clipnorm=0.1)]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lamb(dtype):
    W = draw(size=(300, 260)).astype(dtype)

    def compute():
        layer = layers.Dense(260, dtype=dtype)
        layer.build((None, 300))
        layer.kernel.assign(W)
        optimizers.Lamb(0.1).apply([W, W[0]], layer.trainable_variables)
        return [layer.kernel.numpy()]

    assert_equal(on_threads(compute))


def test_jacobian_products():
    layer = layers.SimpleRNN(256, return_sequences=True, dtype="float64")
    jacobians = inspection.state_jacobians(layer, draw(size=(1, 6, 8)))
    assert_equal(on_threads(lambda: [jacobians.product(0, 5)]))
