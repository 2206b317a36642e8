"""Dense gives the same bits on any number of BLAS threads."""

import numpy as np
import threadpoolctl

from rnn_ref.layers import Dense


def test_same_bits_with_one_and_two_threads():
    generator = np.random.default_rng(0)
    x, dy = generator.normal(size=(1000, 33)).astype("float32"), generator.normal(size=(1000, 33)).astype("float32")
    layer = Dense(33)
    layer(x)
    results = []
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads, user_api="blas"):
            y, tape = layer.forward(x)
            gradients = layer.backward(tape, dy)
            results.append((y, gradients.inputs, gradients.weights["kernel"], gradients.weights["bias"]))
    for one, two in zip(*results):
        np.testing.assert_array_equal(one, two)
