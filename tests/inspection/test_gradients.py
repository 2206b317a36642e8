"""Gradient flow against finite differences of a model continued from the middle, and against PyTorch's autograd."""

import numpy as np
import pytest
from scipy.special import expit as sigmoid

from rnn_ref import Input, Sequential, gradient_flow, layers

B, T, F, H = 4, 6, 2, 3
GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.normal(size=(B, T, F)), GENERATOR.normal(size=(B, 1))
EPSILON = 1e-5

CASES = [("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"reset_after": False})]


def make(cell, **options):
    rnn = getattr(layers, cell)(H, dtype="float64", name="rnn", **options)
    head = layers.Dense(1, dtype="float64", name="head")
    model = Sequential([rnn, head])
    model.build((None, T, F))
    generator = np.random.default_rng(1)
    for layer in (rnn, head):
        layer.set_weights([generator.normal(size=w.shape, scale=0.5) for w in layer.weights])
    return model, rnn, head


def mean_squared_error(head, h):
    return float(((head(h) - Y) ** 2).mean())


def slopes(loss, array):
    """Central differences of ``loss(array)`` by every entry."""
    result = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        for sign in (1, -1):
            moved = array.copy()
            moved[place] += sign * EPSILON
            result[place] += sign * loss(moved) / (2 * EPSILON)
    return result


def states_after(rnn, x):
    """``[h, c]`` after every step, from runs over the first steps only."""
    rnn.return_state = True
    states = [rnn(x[:, : t + 1])[1:] for t in range(T)]
    rnn.return_state = False
    return states


@pytest.mark.parametrize(("cell", "options"), CASES)
def test_hidden_state_gradient_is_the_effect_of_moving_that_state(cell, options):
    model, rnn, head = make(cell, **options)
    flow = gradient_flow(model, X, Y)
    assert abs(flow.loss - mean_squared_error(head, rnn(X))) < 1e-14
    assert flow["rnn"].dh.shape == (B, T, H)
    for t, (h, *others) in enumerate(states_after(rnn, X)):

        def loss(h, t=t, others=others):
            if t < T - 1:
                h = rnn.forward(X[:, t + 1 :], initial_state=[h, *others])[0]
            return mean_squared_error(head, h)

        np.testing.assert_allclose(flow["rnn"].dh[:, t], slopes(loss, h), rtol=1e-6, atol=1e-10)


def test_cell_state_gradient_counts_what_goes_through_the_hidden_state():
    model, rnn, head = make("LSTM")
    flow = gradient_flow(model, X, Y)["rnn"]
    W, U, b = rnn.get_weights()
    states = states_after(rnn, X)
    for t, (_h, c) in enumerate(states):
        h_prev = states[t - 1][0] if t else np.zeros((B, H))
        o = sigmoid(X[:, t] @ W + h_prev @ U + b)[:, 3 * H :]

        def loss(c, t=t, o=o):
            h = o * np.tanh(c)
            if t < T - 1:
                h = rnn.forward(X[:, t + 1 :], initial_state=[h, c])[0]
            return mean_squared_error(head, h)

        np.testing.assert_allclose(flow.dc[:, t], slopes(loss, c), rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize(("cell", "options"), CASES)
def test_preactivation_gradients_add_up_to_the_bias_gradient(cell, options):
    """Moving a bias moves that pre-activation of all samples and steps at once."""
    model, rnn, head = make(cell, **options)
    flow = gradient_flow(model, X, Y)["rnn"]
    bias = rnn.bias.value

    def loss(value):
        before = bias.copy()
        bias[...] = value
        try:
            return mean_squared_error(head, rnn(X))
        finally:
            bias[...] = before

    numeric = slopes(loss, bias.copy())
    numeric = numeric[0] if numeric.ndim == 2 else numeric  # GRU: the input bias
    sums = np.concatenate([dz.sum(axis=(0, 1)) for dz in flow.dz.values()])
    np.testing.assert_allclose(sums, numeric, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize(("cell", "options"), CASES)
def test_a_layer_that_reads_backwards_is_shown_in_the_order_of_the_data(cell, options):
    model, rnn, _head = make(cell, **options)
    forward = gradient_flow(model, X[:, ::-1], Y)["rnn"]
    rnn.go_backwards = True
    backward = gradient_flow(model, X, Y)["rnn"]
    np.testing.assert_array_equal(backward.dh, forward.dh[:, ::-1])
    for name, dz in backward.dz.items():
        np.testing.assert_array_equal(dz, forward.dz[name][:, ::-1])
    assert np.abs(forward.dh[:, 0]).max() < np.abs(forward.dh[:, -1]).max()


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_hidden_state_gradients_are_pytorchs(kind):
    """Cells stepped by hand, with ``retain_grad`` on every state."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    model, rnn, head = make({"RNN": "SimpleRNN"}.get(kind, kind))
    cell = getattr(torch.nn, f"{kind}Cell")(F, H, dtype=torch.float64)
    W, U, b = rnn.get_weights()
    if kind == "GRU":  # z, r, h here and r, z, h there
        order = np.concatenate([np.arange(H, 2 * H), np.arange(H), np.arange(2 * H, 3 * H)])
        W, U, b, b2 = W[:, order], U[:, order], b[0, order], b[1, order]
    else:
        b2 = np.zeros_like(b)
    with torch.no_grad():
        for name, value in (("weight_ih", W.T), ("weight_hh", U.T), ("bias_ih", b), ("bias_hh", b2)):
            getattr(cell, name).copy_(torch.tensor(np.ascontiguousarray(value)))
    state, hs, cs = None, [], []
    for t in range(T):
        state = cell(torch.tensor(X[:, t]), state)
        h, *c = state if kind == "LSTM" else [state]
        h.retain_grad()
        hs.append(h)
        for each in c:
            each.retain_grad()
            cs.append(each)
    V, d = (torch.tensor(w) for w in head.get_weights())
    loss = ((hs[-1] @ V + d - torch.tensor(Y)) ** 2).mean()
    loss.backward()
    flow = gradient_flow(model, X, Y)
    assert abs(flow.loss - loss.item()) < 1e-14
    np.testing.assert_allclose(flow["rnn"].dh, np.stack([h.grad for h in hs], axis=1), rtol=1e-10, atol=1e-14)
    if cs:
        np.testing.assert_allclose(flow["rnn"].dc, np.stack([c.grad for c in cs], axis=1), rtol=1e-10, atol=1e-14)
    else:
        assert flow["rnn"].dc is None


def test_norm_is_that_of_every_step():
    model, *_ = make("GRU")
    flow = gradient_flow(model, X, Y)["rnn"]
    by_hand = [np.mean([np.sqrt((flow.dh[s, t] ** 2).sum()) for s in range(B)]) for t in range(T)]
    np.testing.assert_allclose(flow.norm, by_hand, rtol=1e-14)


def test_two_recurrent_layers_and_another_loss():
    first, second = (layers.GRU(H, dtype="float64", name=n, return_sequences=n == "first") for n in ("first", "second"))
    head = layers.Dense(1, dtype="float64")
    model = Sequential([first, second, head])
    flow = gradient_flow(model, X, Y, loss="mean_absolute_error")
    assert list(flow) == ["first", "second"]

    def loss(h):
        return float(np.abs(head(second(h)) - Y).mean())

    h = first(X)
    assert abs(flow.loss - loss(h)) < 1e-14
    # the last step of the first layer reaches the loss through the second only
    np.testing.assert_allclose(flow["first"].dh[:, -1], slopes(loss, h)[:, -1], rtol=1e-6, atol=1e-10)
    with pytest.raises(KeyError, match="no recurrent layer is named 'third'; there are first, second"):
        flow["third"]


def test_the_loss_of_compile_is_taken():
    model, rnn, head = make("SimpleRNN")
    model.compile(loss="mean_absolute_error")
    assert abs(gradient_flow(model, X, Y).loss - np.abs(head(rnn(X)) - Y).mean()) < 1e-14


def test_a_model_without_recurrent_layers():
    with pytest.raises(ValueError, match="has no recurrent layer"):
        gradient_flow(Sequential([layers.Dense(1)]), X[:, 0], Y)


def test_a_compiled_model_brings_its_loss():
    x, y = np.ones((2, 5, 3)), np.full((2, 1), 3.0)
    model = Sequential([Input((5, 3)), layers.GRU(4), layers.Dense(1)])
    model.compile("sgd", "mean_absolute_error")
    compiled = gradient_flow(model, x, y)
    given = gradient_flow(model, x, y, loss="mean_absolute_error")
    assert compiled.loss == given.loss == model.evaluate(x, y, verbose=0)
