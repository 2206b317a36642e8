"""Nothing reaches a kernel that it would read beyond, and kernels stay within what they are given."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnn_ref import layers
from rnn_ref.layers.variable import Variable

B, T, F, H = 4, 3, 2, 5
X = np.linspace(-1, 1, B * T * F).reshape(B, T, F).astype("float32")


@pytest.mark.skipif(sys.platform != "linux", reason="pages are protected by a call of Linux")
def test_kernels_stay_between_unreadable_pages():
    command = [sys.executable, str(Path(__file__).with_name("guarded.py")), "0", "150"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert done.stdout.split() == ["done", "150"]


@pytest.fixture(params=["SimpleRNN", "LSTM", "GRU"])
def layer(request):
    layer = getattr(layers, request.param)(H, return_sequences=True, name="layer")
    layer.ensure_built(X.shape)
    return layer


def test_masks_of_one_row_stand_for_all(layer):
    G, generator = layer.cell.blocks, np.random.default_rng(0)
    x_drop, h_drop = generator.random((1, 1, F)), generator.random((1, B, H))
    expected = layer.forward(X, x_drop=np.repeat(x_drop, B, 1), h_drop=np.repeat(h_drop, G, 0))[0]
    np.testing.assert_array_equal(layer.forward(X, x_drop=x_drop, h_drop=h_drop)[0], expected)
    fortran = np.asfortranarray(np.repeat(h_drop, G, 0))
    np.testing.assert_array_equal(layer.forward(X, x_drop=x_drop, h_drop=fortran)[0], expected)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("x_drop", (B, F)),
        ("x_drop", (1, B, F + 1)),
        ("x_drop", (2, B, F)),
        ("h_drop", (B, H)),
        ("h_drop", (1, B - 1, H)),
    ],
)
def test_masks_of_another_shape_are_refused(layer, name, shape):
    with pytest.raises(ValueError, match=f"{name} has shape .* expected"):
        layer.forward(X, **{name: np.ones(shape)})


def test_masks_must_be_numbers(layer):
    with pytest.raises(TypeError, match="h_drop must hold real numbers, got complex"):
        layer.forward(X, h_drop=np.ones((1, B, H), complex))


@pytest.mark.parametrize("name", ["kernel", "recurrent_kernel", "bias"])
def test_a_weight_keeps_its_shape_and_may_lie_anyhow(layer, name):
    weight, expected = getattr(layer.cell, name), layer(X)
    with pytest.raises(ValueError, match=f"{name}: a new value has shape"):
        weight.value = np.ones((3, 3, 3), "float32")
    weight.value = np.asfortranarray(weight.value)
    np.testing.assert_array_equal(layer(X), expected)
    weight.value = weight.value[::-1, ...][::-1, ...]
    np.testing.assert_array_equal(layer(X), expected)
    weight.value = weight.value.astype("float64")  # another precision is converted where kernels begin
    np.testing.assert_array_equal(layer(X), expected)


def test_an_axis_of_one_stands_for_all():
    weight = Variable(np.zeros((2, 3)), "w")
    weight.value = np.arange(3.0)[None]
    np.testing.assert_array_equal(weight.value, [[0, 1, 2], [0, 1, 2]])


def test_gradients_of_another_shape_are_refused(layer):
    tape = layer.forward(X)[1]
    with pytest.raises(ValueError, match="the gradient of the outputs has shape"):
        layer.cell.run_back(tape, np.ones((T, B, H + 1)), [None] * len(layer.cell.STATES))
    wider = type(layer)(H + 3, return_sequences=True)
    wider.ensure_built(X.shape)
    with pytest.raises(ValueError, match="was left by another layer"):
        wider.cell.run_back(tape, np.ones((T, B, H + 3)), [None] * len(layer.cell.STATES))


def test_dense_refuses_other_gradients_and_tapes():
    dense, other = layers.Dense(H, "tanh"), layers.Dense(H + 1, "tanh")
    for layer in (dense, other):
        layer.ensure_built(X.shape)
    tape = dense.forward(X)[1]
    with pytest.raises(ValueError, match="the gradient of the output has shape"):
        dense.backward(tape, np.ones((B, T, H + 1)))
    with pytest.raises(ValueError, match="the tape holds z of shape"):
        other.backward(tape, np.ones((B, T, H + 1)))
