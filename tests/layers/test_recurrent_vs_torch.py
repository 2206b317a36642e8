"""LSTM, GRU and SimpleRNN against PyTorch: outputs, final states, and all gradients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_ref import Sequential, layers

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

TOLERANCE = {"float32": 2e-5, "float64": 1e-10}
# PyTorch's blocks in Keras's order: LSTM has i, f, c, o in both; GRU has r, z, h there and z, r, h here.
BLOCKS = {"RNN": [0], "LSTM": [0, 1, 2, 3], "GRU": [1, 0, 2]}


def reordered(kind, array):
    """``(G*H, ...)`` with the blocks of one framework in the order of the other (both ways the same)."""
    blocks = np.split(array, len(BLOCKS[kind]))
    return np.concatenate([blocks[g] for g in BLOCKS[kind]])


def weights_from_torch(kind, W, U, b, b2):
    """``weight_ih (G*H, F), weight_hh (G*H, H), bias_ih, bias_hh (G*H,)`` -> kernel, recurrent_kernel, bias."""
    W, U, b, b2 = (reordered(kind, array) for array in (W, U, b, b2))
    return [W.T, U.T, np.stack([b, b2]) if kind == "GRU" else b + b2]


def parameters(theirs, layer, what=lambda p: p.detach()):
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return [what(getattr(theirs, f"{name}_l{layer}")).numpy() for name in names]


def make(kind, H, dtype, **options):
    if kind == "RNN":
        return layers.SimpleRNN(H, dtype=dtype, **options)
    return getattr(layers, kind)(H, dtype=dtype, **options)


def compare_gradients(kind, ours, theirs, layer, tolerance, assert_close):
    """dL/dW, dL/dU, dL/db of one layer; the two bias gradients of PyTorch are equal where Keras has one bias."""
    W, U, b, b2 = (reordered(kind, g) for g in parameters(theirs, layer, lambda p: p.grad))
    assert_close(ours["kernel"], W.T, tolerance, "kernel")
    assert_close(ours["recurrent_kernel"], U.T, tolerance, "recurrent_kernel")
    assert_close(ours["bias"], np.stack([b, b2]) if kind == "GRU" else b, tolerance, "bias")


sizes = st.integers(1, 12)


@given(
    kind=st.sampled_from(["RNN tanh", "RNN relu", "LSTM", "GRU"]),
    B=sizes, T=sizes, F=sizes, H=sizes,
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 10_000),
)  # fmt: skip
def test_one_layer(assert_close, kind, B, T, F, H, dtype, seed):
    kind, *nonlinearity = kind.split()
    options = {"activation": nonlinearity[0]} if nonlinearity else {}
    torch.manual_seed(seed)
    generator, real = np.random.default_rng(seed), getattr(torch, dtype)
    arguments = {"nonlinearity": nonlinearity[0]} if nonlinearity else {}
    theirs = getattr(torch.nn, kind)(F, H, batch_first=True, dtype=real, **arguments)
    ours = make(kind, H, dtype, return_sequences=True, return_state=True, input_shape=(None, F), **options)
    ours.set_weights(weights_from_torch(kind, *parameters(theirs, 0)))

    x = generator.normal(size=(B, T, F)).astype(dtype)
    states = [generator.normal(size=(B, H)).astype(dtype) for _ in range(2 if kind == "LSTM" else 1)]
    outputs, tape = ours.forward(x, initial_state=states)
    cotangents = [generator.normal(size=y.shape).astype(dtype) for y in outputs]
    gradients = ours.backward(tape, cotangents)

    their_x = torch.tensor(x, requires_grad=True)
    their_states = [torch.tensor(s[None], requires_grad=True) for s in states]
    y, last = theirs(their_x, tuple(their_states) if kind == "LSTM" else their_states[0])
    expected = [y, *(s[0] for s in (last if kind == "LSTM" else [last]))]
    sum((e * torch.tensor(c)).sum() for e, c in zip(expected, cotangents, strict=True)).backward()

    tolerance = TOLERANCE[dtype]
    for k, (actual, wanted) in enumerate(zip(outputs, expected, strict=True)):
        assert_close(actual, wanted.detach().numpy(), tolerance, f"output {k}")
    assert_close(gradients.inputs, their_x.grad.numpy(), tolerance, "inputs")
    compare_gradients(kind, gradients.weights, theirs, 0, tolerance, assert_close)
    for actual, wanted in zip(gradients.initial_state, their_states, strict=True):
        assert_close(actual, wanted.grad[0].numpy(), tolerance, "initial state")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_two_stacked_layers(assert_close, kind, dtype):
    B, T, F, H = 9, 13, 4, 6
    torch.manual_seed(0)
    generator, real = np.random.default_rng(0), getattr(torch, dtype)
    theirs = getattr(torch.nn, kind)(F, H, num_layers=2, batch_first=True, dtype=real)
    stack = [make(kind, H, dtype, return_sequences=k == 0, name=f"layer_{k}") for k in range(2)]
    ours = Sequential(stack)
    x, dy = generator.normal(size=(B, T, F)).astype(dtype), generator.normal(size=(B, H)).astype(dtype)
    ours.build(x.shape)
    for k, layer in enumerate(stack):
        layer.set_weights(weights_from_torch(kind, *parameters(theirs, k)))

    y, tape = ours.forward(x)
    gradients = ours.backward(tape, dy)
    their_x = torch.tensor(x, requires_grad=True)
    expected = theirs(their_x)[0][:, -1]
    (expected * torch.tensor(dy)).sum().backward()

    tolerance = TOLERANCE[dtype]
    assert_close(y, expected.detach().numpy(), tolerance, "output")
    assert_close(gradients.inputs, their_x.grad.numpy(), tolerance, "inputs")
    for k in range(2):
        own = {key.split("/")[1]: g for key, g in gradients.weights.items() if key.startswith(f"layer_{k}/")}
        compare_gradients(kind, own, theirs, k, tolerance, assert_close)
