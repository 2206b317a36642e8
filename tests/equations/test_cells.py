"""The cells' scalar equations in plain Python: forward against PyTorch and Keras, backward against differences."""

import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_ref.equations import gru, lstm, simple_rnn
from rnn_ref.equations.activations import CODES, SIGMOID, TANH

F, H, T = 3, 2, 4
SMOOTH = [CODES[name] for name in ("tanh", "sigmoid", "linear", "softplus", "silu", "gelu")]

numbers = st.floats(-2, 2)
codes = st.sampled_from(SMOOTH)


def sequence():
    generator = np.random.default_rng(0)
    return generator.normal(size=(T, F)), generator.normal(size=H), generator.normal(size=H)


def torch_cell(kind, **options):
    """A PyTorch cell in float64 with its four weight arrays as NumPy arrays, biases away from zero."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.manual_seed(0)
    cell = getattr(torch.nn, kind)(F, H, dtype=torch.float64, **options)
    return torch, cell, [getattr(cell, n).detach().numpy() for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


def dot(row, vector):
    return sum(float(a) * float(b) for a, b in zip(row, vector))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_simple_rnn_forward_is_pytorch(activation):
    torch, cell, (W, U, b, b2) = torch_cell("RNNCell", nonlinearity=activation)
    xs, h, _ = sequence()
    expected = torch.tensor(h)[None]
    for x in xs:
        z = [dot(W[k], x) + dot(U[k], h) + b[k] + b2[k] for k in range(H)]
        h = [simple_rnn.forward.py_func(z[k], CODES[activation]) for k in range(H)]
        expected = cell(torch.tensor(x)[None], expected)
        np.testing.assert_allclose(h, expected[0].detach().numpy(), rtol=1e-12)


def test_lstm_forward_is_pytorch():
    torch, cell, (W, U, b, b2) = torch_cell("LSTMCell")
    xs, h, c = sequence()
    states = torch.tensor(h)[None], torch.tensor(c)[None]
    for x in xs:
        z = [dot(W[k], x) + dot(U[k], h) + b[k] + b2[k] for k in range(4 * H)]  # PyTorch's order is i, f, g, o too
        steps = [lstm.forward.py_func(*z[k::H], c[k], TANH, SIGMOID) for k in range(H)]
        c, h = [step[4] for step in steps], [step[5] for step in steps]
        states = cell(torch.tensor(x)[None], states)
        np.testing.assert_allclose(h, states[0][0].detach().numpy(), rtol=1e-12)
        np.testing.assert_allclose(c, states[1][0].detach().numpy(), rtol=1e-12)


def test_gru_forward_is_pytorch():
    torch, cell, (W, U, b, b2) = torch_cell("GRUCell")
    xs, h, _ = sequence()
    expected = torch.tensor(h)[None]
    for x in xs:
        new_h = []
        for k in range(H):
            rows = k, H + k, 2 * H + k  # PyTorch's order is r, z, n
            z_r, z_z = (dot(W[row], x) + dot(U[row], h) + b[row] + b2[row] for row in rows[:2])
            r, z = gru.gate.py_func(z_r, SIGMOID), gru.gate.py_func(z_z, SIGMOID)
            z_h = gru.reset_projection.py_func(dot(W[rows[2]], x) + b[rows[2]], r, dot(U[rows[2]], h) + b2[rows[2]])
            new_h.append(gru.forward.py_func(z, z_h, h[k], TANH)[1])
        h = new_h
        expected = cell(torch.tensor(x)[None], expected)
        np.testing.assert_allclose(h, expected[0].detach().numpy(), rtol=1e-12)


def test_gru_with_the_reset_gate_before_the_product_is_keras(keras_in):
    cell = keras.layers.GRUCell(H, reset_after=False, bias_initializer="random_normal", dtype="float64")
    cell.build((None, F))
    W, U, b = cell.get_weights()
    xs, h, _ = sequence()
    for x in xs:
        with keras_in("float64"):
            expected = np.asarray(cell(jnp.asarray(x)[None], [jnp.asarray(h)[None]])[0])[0]
        z_z, z_r = (
            [dot(W[:, g * H + k], x) + dot(U[:, g * H + k], h) + b[g * H + k] for k in range(H)] for g in range(2)
        )
        z = [gru.gate.py_func(value, SIGMOID) for value in z_z]
        rh = [gru.reset_state.py_func(gru.gate.py_func(z_r[k], SIGMOID), h[k]) for k in range(H)]
        z_h = [dot(W[:, 2 * H + k], x) + b[2 * H + k] + dot(U[:, 2 * H + k], rh) for k in range(H)]
        h = [gru.forward.py_func(z[k], z_h[k], h[k], TANH)[1] for k in range(H)]
        np.testing.assert_allclose(h, expected, rtol=1e-12)


# -- backward ---------------------------------------------------------------------------------------


def differences(f, *arguments, epsilon=1e-5):
    """Central differences of a function of several numbers."""
    slopes = []
    for k, value in enumerate(arguments):
        above, below = list(arguments), list(arguments)
        above[k], below[k] = value + epsilon, value - epsilon
        slopes.append((f(*above) - f(*below)) / (2 * epsilon))
    return slopes


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-7, atol=1e-8)


@given(dh=numbers, z=numbers, activation=codes)
def test_simple_rnn_backward(dh, z, activation):
    h = simple_rnn.forward.py_func(z, activation)
    close(
        [simple_rnn.backward.py_func(dh, z, h, activation)],
        differences(lambda z: dh * simple_rnn.forward.py_func(z, activation), z),
    )


@given(dh=numbers, dc=numbers, z=st.tuples(*[numbers] * 4), c_prev=numbers, activation=codes, recurrent=codes)
def test_lstm_backward(dh, dc, z, c_prev, activation, recurrent):
    def loss(*inputs):
        *_, c, h = lstm.forward.py_func(*inputs, activation, recurrent)
        return dc * c + dh * h

    *gates, c, _h = lstm.forward.py_func(*z, c_prev, activation, recurrent)
    *d_inputs, dc_total = lstm.backward.py_func(dh, dc, *z, *gates, c, c_prev, activation, recurrent)
    close(d_inputs, differences(loss, *z, c_prev))
    # the whole of dL/dc: change c alone, and h with it
    o = gates[3]
    through_h = differences(lambda c: dh * o * simple_rnn.forward.py_func(c, activation), c)[0]
    close([dc_total], [dc + through_h])


@given(dh=numbers, z_z=numbers, z_h=numbers, h_prev=numbers, activation=codes, recurrent=codes)
def test_gru_backward(dh, z_z, z_h, h_prev, activation, recurrent):
    def loss(z_z, z_h, h_prev):
        return dh * gru.forward.py_func(gru.gate.py_func(z_z, recurrent), z_h, h_prev, activation)[1]

    z = gru.gate.py_func(z_z, recurrent)
    g, _h = gru.forward.py_func(z, z_h, h_prev, activation)
    dz, dz_h, dh_prev = gru.backward.py_func(dh, z_h, z, g, h_prev, activation)
    dz_z = gru.d_gate.py_func(dz, z_z, z, recurrent)
    close([dz_z, dz_h, dh_prev], differences(loss, z_z, z_h, h_prev))


@given(d=numbers, r=numbers, z_h=numbers, other=numbers)
def test_gru_reset_backward(d, r, z_h, other):
    close(
        gru.d_reset_projection.py_func(d, r, other),
        differences(lambda r, q: d * gru.reset_projection.py_func(z_h, r, q), r, other),
    )
    close(
        gru.d_reset_state.py_func(d, r, other),
        differences(lambda r, h: d * gru.reset_state.py_func(r, h), r, other),
    )
