"""Nothing reaches a kernel that it would read beyond, and kernels stay within what they are given."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_ref import layers
from rnn_ref.layers.affine import affine, d_affine
from rnn_ref.layers.variable import Variable
from rnn_ref.training.optimizers import SGD, Adam, AdamW

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


@pytest.mark.parametrize("name", ["c", "gates", "z", "q", "mask", "x_drop", "h_drop"])
def test_arrays_of_the_tape_keep_their_shapes_and_may_lie_anyhow(layer, name):
    """The tape is there to be looked at; the way back reads what stands on it then."""
    G, generator = layer.cell.blocks, np.random.default_rng(0)
    given = {
        "x_drop": generator.random((1, B, F)),
        "h_drop": generator.random((G, B, H)),
        "mask": np.ones((B, T), bool),
    }
    tape = layer.forward(X, **given, keep_z=True)[1]
    array = getattr(tape, name)
    if array is None:
        return
    expected = layer.backward(tape, np.ones((B, T, H)))
    setattr(tape, name, np.asfortranarray(array) if name == "mask" else np.asfortranarray(array).astype("float64"))
    for key, gradient in layer.backward(tape, np.ones((B, T, H))).weights.items():
        np.testing.assert_array_equal(gradient, expected.weights[key])
    for wrong in (np.concatenate([array, array], -1), np.concatenate([array] * 5), array[None]):
        setattr(tape, name, wrong)
        with pytest.raises(ValueError, match=f"the tape's {name} has shape"):
            layer.cell.run_back(tape, np.ones((T, B, H)), [None] * len(layer.cell.STATES))


def test_a_tape_of_another_precision_or_without_gates_is_refused(layer):
    other = type(layer)(H, return_sequences=True, dtype="float64")
    with pytest.raises(TypeError, match="the tape's x is float64, expected float32"):
        layer.backward(other.forward(X)[1], np.ones((B, T, H)))
    tape = layer.forward(X)[1]
    setattr(tape, "z" if layer.cell.blocks == 1 else "gates", None)
    with pytest.raises(ValueError, match="kept no more than the states"):
        layer.backward(tape, np.ones((B, T, H)))


def test_dense_refuses_other_gradients_and_tapes():
    dense, other = layers.Dense(H, "tanh"), layers.Dense(H + 1, "tanh")
    for layer in (dense, other):
        layer.ensure_built(X.shape)
    tape = dense.forward(X)[1]
    with pytest.raises(ValueError, match="the gradient of the output has shape"):
        dense.backward(tape, np.ones((B, T, H + 1)))
    with pytest.raises(ValueError, match="the tape holds z of shape"):
        other.backward(tape, np.ones((B, T, H + 1)))


@pytest.mark.parametrize("shape", [(B + 40, T, H), (B, T, H + 3), (B, T + 1, H)])
def test_layers_made_of_products_refuse_other_gradients(shape):
    made = (layers.Conv1D(H, 1), X), (layers.MultiHeadAttention(1, 2, output_shape=H), [X, X])
    for layer, inputs in made:
        layer(inputs) if isinstance(layer, layers.Conv1D) else layer(*inputs)
        tape = layer.forward(inputs)[1]
        with pytest.raises(ValueError, match=f"{layer.name}.*gradient"):
            layer.backward(tape, np.ones(shape, "float32"))


def test_products_look_at_shapes_and_precision():
    x, W, b, dz = (np.ones(shape, "float32") for shape in [(B, F), (F, H), H, (B, H)])
    expected = affine(x, W, b)
    np.testing.assert_array_equal(affine(x, np.asfortranarray(W.astype("float64")), b.astype("float64")), expected)
    for arguments in ((x[:, :1], W, b), (x, W, b[:3]), (x, W, np.ones(H + 1, "float32"))):
        with pytest.raises(ValueError, match="layer: "):
            affine(*arguments, owner="layer")
    for arguments in ((x[:, :1], W, dz), (x, W, dz[:3]), (x, W, np.ones((B + 9, H), "float32"))):
        with pytest.raises(ValueError, match="layer: "):
            d_affine(*arguments, owner="layer")


# -- optimizers --------------------------------------------------------------------------------------


def weight_of(value):
    return SimpleNamespace(value=value, name="w", constraint=None)


@pytest.mark.parametrize("make", [Adam, AdamW, SGD])
def test_an_optimizer_refuses_a_weight_that_changed_its_shape(make):
    optimizer, weight = make(0.1), weight_of(np.ones(3, "float32"))
    optimizer.apply([np.ones(3)], [weight])
    weight.value = np.ones(4000, "float32")  # the kernel would write beyond what it remembers for three
    with pytest.raises(ValueError, match=r"'w' has shape \(4000,\), and had \(3,\)"):
        optimizer.apply([np.ones(4000)], [weight])
    assert (weight.value == 1).all()


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("gradient", np.ones(3)),
        ("gradient", np.ones((2, 3, 1))),
        ("momentum", np.ones(6)),
        ("velocity", np.ones((3, 2))),
    ],
)
def test_the_kernel_of_adam_is_given_arrays_of_one_shape(name, array):
    arrays = {key: np.ones((2, 3)) for key in ("gradient", "value", "momentum", "velocity")} | {name: array}
    slots = {key: arrays[key] for key in ("momentum", "velocity")}
    with pytest.raises(ValueError, match=f"{name} has shape .* expected"):
        Adam().update_step(arrays["gradient"], arrays["value"], 0.1, slots, np.ones((2, 3)))


VALUE = np.linspace(1, 2, 6).reshape(2, 3)


@pytest.mark.parametrize(
    ("value", "m", "gradient"),
    [
        (VALUE.astype("float32"), VALUE, VALUE),  # precisions mixed
        (VALUE, VALUE.astype("float32"), VALUE),
        (np.asfortranarray(VALUE), VALUE, VALUE),
        (VALUE, np.repeat(VALUE, 2, 1)[:, ::2], VALUE),
        (VALUE, VALUE, np.asfortranarray(VALUE)),
        (VALUE, VALUE, np.repeat(VALUE, 2, 1)[:, ::2]),
        (VALUE, VALUE, VALUE.astype("float32")),
        (VALUE.astype(">f8"), VALUE, VALUE),
        (VALUE, VALUE, VALUE.astype(">f4")),
        (VALUE, VALUE, 1 + np.arange(6).reshape(2, 3) // 9),
    ],
)
def test_adam_takes_arrays_that_lie_anyhow(value, m, gradient):
    """Steps of the kernel, or of NumPy where the kernel cannot write."""
    value, m, v, expected = value.copy("K"), m.copy("K"), VALUE.copy(), VALUE.copy()
    Adam().update_step(gradient, value, 0.1, {"momentum": m, "velocity": v}, np.ones((2, 3)))
    slots = {"momentum": VALUE.copy(), "velocity": VALUE.copy()}
    Adam(amsgrad=True).update_step(  # is NumPy's
        np.array(gradient, float), expected, 0.1, slots | {"velocity_hat": np.zeros((2, 3))}, np.ones((2, 3))
    )
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    assert not np.array_equal(value, VALUE)


def test_adam_refuses_gradients_that_are_no_real_numbers():
    slots = {"momentum": VALUE.copy(), "velocity": VALUE.copy()}
    with pytest.raises(TypeError, match="gradient must hold real numbers, got complex"):
        Adam().update_step(VALUE * 1j, VALUE.copy(), 0.1, slots, VALUE.copy())
