"""The classic facts about how recurrent networks remember and forget."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Sequential, gradient_flow, layers, state_jacobians

B, T, F, H = 6, 60, 2, 16
GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.normal(size=(B, T, F)), GENERATOR.normal(size=(B, 1))


def model_of(rnn):
    model = Sequential([rnn_ref.Input((T, F)), rnn, layers.Dense(1, dtype="float64", name="head")])
    model.compile(loss="mean_squared_error")
    return model


def rnn_with(U, activation):
    rnn = layers.SimpleRNN(len(U), activation=activation, dtype="float64", name="rnn")
    model = model_of(rnn)
    rnn.recurrent_kernel.assign(U)
    return model


@pytest.mark.parametrize("radius", [0.5, 0.9])
def test_below_spectral_radius_one_the_gradient_norm_is_lost_at_that_rate(radius):
    """Linear: with a normal recurrent kernel of one magnitude, exactly by the radius at every step."""
    orthogonal = np.linalg.qr(GENERATOR.normal(size=(H, H)))[0]
    norm = gradient_flow(rnn_with(radius * orthogonal, "linear"), X, Y)["rnn"].norm
    np.testing.assert_allclose(norm[:-1] / norm[1:], radius, rtol=1e-9)


def test_any_linear_recurrent_kernel_loses_the_norm_at_its_spectral_radius_in_the_end():
    U = GENERATOR.normal(size=(H, H))
    values = np.linalg.eigvals(U)
    U *= 0.8 / np.abs(values).max()
    model = Sequential(
        [layers.SimpleRNN(H, activation="linear", dtype="float64", name="rnn"), layers.Dense(1, dtype="float64")]
    )
    model.build((None, 800, F))
    model.layers[0].recurrent_kernel.assign(U)
    norm = gradient_flow(model, GENERATOR.normal(size=(B, 800, F)), Y)["rnn"].norm
    assert abs(np.log(norm[600] / norm[100]) / 500 - -np.log(0.8)) < 1e-3
    assert rnn_ref.weight_report(model)["rnn"]["candidate"].spectral_radius == pytest.approx(0.8)


def test_with_tanh_the_norm_falls_below_the_linear_rate():
    """tanh only ever shortens: at most ``radius`` a step."""
    orthogonal = np.linalg.qr(GENERATOR.normal(size=(H, H)))[0]
    norm = gradient_flow(rnn_with(0.9 * orthogonal, "tanh"), X, Y)["rnn"].norm
    assert (norm[:-1] / norm[1:] < 0.9).all()


@pytest.mark.parametrize("inputs", [0.0, 0.3])
def test_orthogonal_initialization_holds_longer(inputs):
    """Than small random numbers (Le, Jaitly, Hinton 2015); with nothing fed in tanh' is 1 and nothing is lost."""
    left = {}
    for initializer in ("orthogonal", "random_normal"):
        rnn = layers.SimpleRNN(H, recurrent_initializer=initializer, dtype="float64", name="rnn")
        norm = gradient_flow(model_of(rnn), inputs * X, Y)["rnn"].norm
        left[initializer] = norm[0] / norm[-1]
    assert left["orthogonal"] > 1e20 * left["random_normal"]
    if inputs == 0:
        assert left["orthogonal"] == pytest.approx(1, rel=1e-9)


def lstm_with(forget_bias, recurrent_scale=0.0):
    """Forget gates that depend on their bias alone, or nearly."""
    lstm = layers.LSTM(H, dtype="float64", name="lstm", unit_forget_bias=False)
    model = model_of(lstm)
    W, U, b = lstm.get_weights()
    forget = slice(H, 2 * H)
    W[:, forget] = 0
    U *= recurrent_scale
    U[:, forget] = 0
    b[forget] = forget_bias
    lstm.set_weights([W, U, b])
    return model


def test_a_forget_gate_at_one_carries_the_cell_gradient_unchanged():
    """sigmoid(800) is 1 exactly; without recurrent weights nothing but the cell path leads back."""
    model = lstm_with(forget_bias=800.0)
    flow = gradient_flow(model, X, Y)["lstm"]
    np.testing.assert_allclose(flow.dc, np.repeat(flow.dc[:, -1:], T, axis=1), rtol=1e-12)
    assert np.abs(flow.dc).min() > 0
    path = state_jacobians(model, X).cell_path()
    np.testing.assert_allclose(path.kept, np.sqrt(H), rtol=1e-12)
    np.testing.assert_array_equal(path.share, 1)


@pytest.mark.parametrize("recurrent_scale", [0.0, 0.5])
def test_raising_the_forget_bias_lengthens_memory(recurrent_scale):
    """What is left of the gradient of the cell state at the first step grows with every raise."""
    left, exponents = [], []
    for bias in (-2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 6.0):
        model = lstm_with(bias, recurrent_scale)
        flow = gradient_flow(model, X, Y)["lstm"]
        left.append(np.linalg.norm(flow.dc[:, 0]) / np.linalg.norm(flow.dc[:, -1]))
        exponents.append(state_jacobians(model, X).lyapunov_exponents(skip=20)[0])
        if not recurrent_scale:
            assert left[-1] == pytest.approx((1 + np.exp(-bias)) ** (1 - T), rel=1e-9)
    assert (np.diff(left) > 0).all()
    if not recurrent_scale:  # else the other gates have a say in the exponent
        assert (np.diff(exponents) > 0).all()
