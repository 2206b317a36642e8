"""State Jacobians against autograd, JAX and finite differences, their products, and facts with known answers."""

import autograd.numpy as anp
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from autograd import elementwise_grad, jacobian
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group

from rnn_ref import Input, Model, Sequential, layers, state_jacobians

B, T, F, H = 3, 7, 2, 4
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(B, T, F))
CASES = [("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"reset_after": False})]
ACTIVATIONS = {
    "tanh": anp.tanh,
    "sigmoid": lambda z: 1 / (1 + anp.exp(-z)),
    "silu": lambda z: z / (1 + anp.exp(-z)),
    "softsign": lambda z: z / (1 + anp.abs(z)),
    "hard_sigmoid": lambda z: anp.clip(z / 6 + 0.5, 0, 1),
}


def make(cell, units=H, scale=0.7, **options):
    layer = getattr(layers, cell)(units, dtype="float64", name="rnn", **options)
    layer.ensure_built((B, T, F))
    generator = np.random.default_rng(1)
    layer.set_weights([generator.normal(size=w.shape, scale=scale) for w in layer.weights])
    return layer


def own_step(layer, x, s):
    """One step of a cell for autograd: ``s`` (S,) -> (S,)."""
    W, U, b = layer.get_weights()
    f = ACTIVATIONS[layer.activation.name]
    if isinstance(layer, layers.SimpleRNN):
        return f(x @ W + s @ U + b)
    gate = ACTIVATIONS[layer.recurrent_activation.name]
    h = s[:H]
    if isinstance(layer, layers.LSTM):
        i, forget, g, o = anp.split(x @ W + h @ U + b, 4)
        c = gate(forget) * s[H:] + gate(i) * f(g)
        return anp.concatenate([gate(o) * f(c), c])
    b, b2 = b if layer.reset_after else (b, np.zeros(3 * H))
    x_z, x_r, x_h = anp.split(x @ W + b, 3)
    z, r = gate(x_z + h @ U[:, :H] + b2[:H]), gate(x_r + h @ U[:, H : 2 * H] + b2[H : 2 * H])
    U_h = U[:, 2 * H :]
    q = r * (h @ U_h + b2[2 * H :]) if layer.reset_after else (r * h) @ U_h
    return z * h + (1 - z) * f(x_h + q)


def states_before(layer, x):
    """State before each step, ``(T, S)``, from runs over the first steps only."""
    layer.return_state = True
    zeros = np.zeros((len(x), H * len(layer.cell.STATES)))
    states = [zeros] + [np.concatenate(layer(x[:, :t])[1:], axis=-1) for t in range(1, x.shape[1])]
    layer.return_state = False
    return np.stack(states, axis=1)


@given(
    case=st.sampled_from(CASES),
    activation=st.sampled_from(["tanh", "silu", "softsign"]),
    gate=st.sampled_from(["sigmoid", "hard_sigmoid"]),
    sample=st.integers(0, B - 1),
    go_backwards=st.booleans(),
)
def test_every_step_is_autograds(case, activation, gate, sample, go_backwards):
    cell, options = case
    gates = {} if cell == "SimpleRNN" else {"recurrent_activation": gate}
    layer = make(cell, activation=activation, **gates, **options)
    x = X[:, ::-1] if go_backwards else X
    states = states_before(layer, x)[sample]
    layer.go_backwards = go_backwards
    jacobians = state_jacobians(layer, X, sample=sample)
    expected = [jacobian(lambda s, t=t: own_step(layer, x[sample, t], s))(states[t]) for t in range(T)]
    np.testing.assert_allclose(jacobians.steps, np.stack(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("cell", "options"), CASES)
def test_products_are_finite_differences_of_the_layer_itself(cell, options):
    layer = make(cell, **options)
    jacobians = state_jacobians(layer, X, sample=1)
    start, stop, e = 2, 6, 1e-5
    before = states_before(layer, X)[1, start]
    columns = []
    layer.return_state = True
    for k in range(len(before)):
        ends = []
        for sign in (1, -1):
            moved = before.copy()
            moved[k] += sign * e
            initial = [part[None] for part in np.split(moved, len(layer.cell.STATES))]
            ends.append(np.concatenate(layer.forward(X[1:2, start:stop], initial_state=initial)[0][1:], axis=-1)[0])
        columns.append((ends[0] - ends[1]) / (2 * e))
    np.testing.assert_allclose(jacobians.product(start, stop), np.stack(columns, axis=1), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("cells", [["LSTMCell"], ["GRUCell"], ["SimpleRNNCell", "LSTMCell"], ["LSTMCell", "GRUCell"]])
def test_stacked_cells_have_one_joint_jacobian(cells):
    """By the cells' own backward; a stack of one cell agrees with the formulas."""
    made = [getattr(layers, cell)(H, name=f"cell{k}") for k, cell in enumerate(cells)]
    layer = layers.RNN(layers.StackedRNNCells(made), dtype="float64", name="rnn")
    layer.ensure_built((B, T, F))
    generator = np.random.default_rng(1)
    layer.set_weights([generator.normal(size=w.shape, scale=0.7) for w in layer.weights])
    joint = state_jacobians(layer, X)
    alone = state_jacobians(layer, X, layer="rnn/cell0")
    S = alone.size
    np.testing.assert_allclose(joint.steps[:, :S, :S], alone.steps, rtol=1e-9, atol=1e-12)
    assert not joint.steps[:, :S, S:].any()  # nothing goes down a stack
    assert joint.size == sum(len(cell.STATES) * H for cell in made)
    if len(cells) == 2:
        np.testing.assert_allclose(
            joint.steps[:, S:, S:], state_jacobians(layer, X, layer="rnn/cell1").steps, rtol=1e-9, atol=1e-12
        )


def test_a_custom_cell():
    class Squash:
        state_size = (2, F)

        def call(self, inputs, states):
            a, b = states
            new = anp.tanh(b + inputs)
            return new, [anp.tanh(a * new * 0.5), new * 0.3 + b]

    jacobians = state_jacobians(layers.RNN(Squash(), dtype="float64", name="squash"), X)

    def step(s, x):
        new = jnp.tanh(s[2:] + x)
        return jnp.concatenate([jnp.tanh(s[:2] * new * 0.5), new * 0.3 + s[2:]])

    s = jnp.zeros(4)
    for t in range(T):
        np.testing.assert_allclose(jacobians[t], jax.jacobian(step)(s, X[0, t]), rtol=1e-9, atol=1e-12)
        s = step(s, X[0, t])


def test_masked_steps_are_the_identity():
    layer = make("LSTM")
    x = X.copy()
    x[0, 3:5] = 0
    model = Sequential([layers.Masking(dtype="float64"), layer])
    jacobians = state_jacobians(model, x)
    short = state_jacobians(layer, x[:1, [0, 1, 2, 5, 6]])
    np.testing.assert_array_equal(jacobians[3], np.eye(2 * H))
    np.testing.assert_allclose(jacobians.product(), short.product(), rtol=1e-12)
    np.testing.assert_allclose(jacobians.lyapunov_exponents(3), short.lyapunov_exponents(3), rtol=1e-12)
    np.testing.assert_allclose(jacobians.cell_path().share[-1], short.cell_path().share[-1], rtol=1e-12)
    rnn = Sequential([layers.Masking(dtype="float64"), make("SimpleRNN")])
    masked, plain = state_jacobians(rnn, x), state_jacobians(rnn.layers[1], x[:1, [0, 1, 2, 5, 6]])
    np.testing.assert_allclose(masked.decay().bound[-1], plain.decay().bound[-1], rtol=1e-12)


# -- over intervals and distances ----------------------------------------------------------------------


def test_products_singular_values_and_radii_are_those_of_explicit_products():
    jacobians = state_jacobians(make("LSTM"), X)
    J = jacobians.steps
    explicit = J[4] @ J[3] @ J[2]
    np.testing.assert_allclose(jacobians.product(2, 5), explicit, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(jacobians.singular_values(2, 5), np.linalg.svd(explicit)[1], rtol=1e-9, atol=1e-14)
    assert abs(jacobians.spectral_radius(2, 5) - np.abs(np.linalg.eigvals(explicit)).max()) < 1e-12
    np.testing.assert_array_equal(jacobians.product(3, 3), np.eye(2 * H))
    distances, values = jacobians.by_distance(stop=5)
    np.testing.assert_array_equal(distances, [1, 2, 3, 4, 5])
    for d, row in zip(distances, values):
        np.testing.assert_allclose(row, jacobians.singular_values(5 - d, 5), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(jacobians.decay(5).norm, values[:, 0])
    assert jacobians.decay().bound is None
    distances, some = jacobians.by_distance(stop=5, distances=[2, 5])
    np.testing.assert_array_equal(some, values[[1, 4]])
    assert len(state_jacobians(make("GRU"), GENERATOR.normal(size=(1, 450, F))).by_distance()[0]) == 100


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "silu", "softsign"])
def test_the_norm_stays_below_the_bound_of_pascanu_et_al(activation):
    layer = make("SimpleRNN", activation=activation)
    decay = state_jacobians(layer, X).decay()
    slopes = elementwise_grad(ACTIVATIONS[activation])(np.linspace(-9, 9, 200001))
    rate = np.linalg.norm(layer.get_weights()[1], 2) * float(np.abs(slopes).max())
    np.testing.assert_allclose(decay.bound, rate ** decay.distance.astype(float), rtol=1e-6)
    assert (decay.norm <= decay.bound).all()


def test_the_cell_path_is_the_product_of_the_forget_gates():
    layer = make("LSTM")
    jacobians = state_jacobians(layer, X, sample=2)
    path = jacobians.cell_path(stop=6, distances=[1, 4])
    W, U, b = layer.get_weights()
    h = states_before(layer, X)[2, :, :H]  # no gate sees the cell state
    forget = 1 / (1 + np.exp(-(X[2] @ W + h @ U + b)[:, H : 2 * H]))
    for k, start in enumerate((5, 2)):
        kept = np.diag(np.prod(forget[start:6], axis=0))
        whole = jacobians.product(start, 6)[H:, H:]
        np.testing.assert_allclose(path.kept[k], np.linalg.norm(kept), rtol=1e-12)
        np.testing.assert_allclose(path.rest[k], np.linalg.norm(whole - kept), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(path.share[k], path.kept[k] / (path.kept[k] + path.rest[k]))


def test_products_beyond_floating_point():
    """1e-3 and 1e3 to the power of 200, in which the ratio of singular values stays right."""
    for factor, end in ((1e-3, 0.0), (1e3, np.inf)):
        layer = linear(np.diag([factor, factor / 2]))
        _, values = state_jacobians(layer, np.zeros((1, 200, F))).by_distance(distances=[20, 200])
        np.testing.assert_allclose(values[0], [factor**20, (factor / 2) ** 20], rtol=1e-9)
        assert values[1, 0] == end


# -- known answers -------------------------------------------------------------------------------------


def linear(U):
    """SimpleRNN without an activation: every Jacobian is Uᵀ."""
    layer = layers.SimpleRNN(len(U), activation="linear", dtype="float64", name="linear")
    layer.ensure_built((1, None, F))
    layer.set_weights([np.zeros((F, len(U))), U, np.zeros(len(U))])
    return layer


def test_lyapunov_exponents_of_a_linear_map_are_the_logarithms_of_its_eigenvalues():
    """Eigenvectors far from orthogonal: the singular values of one step are others."""
    eigenvalues = np.array([1.3, 0.8, 0.4, 0.1])
    basis = GENERATOR.normal(size=(4, 4))
    U = basis @ np.diag(eigenvalues) @ np.linalg.inv(basis)
    jacobians = state_jacobians(linear(U), np.zeros((1, 400, F)))
    np.testing.assert_allclose(jacobians.lyapunov_exponents(4, skip=200), np.log(eigenvalues), atol=1e-9)
    np.testing.assert_allclose(jacobians.lyapunov_exponents(skip=200), np.log(1.3), atol=1e-9)
    assert abs(jacobians.spectral_radius(0, 1) - 1.3) < 1e-9


def test_lyapunov_exponents_of_a_rotation_are_zero():
    U = ortho_group.rvs(5, random_state=0)
    jacobians = state_jacobians(linear(U), np.zeros((1, 300, F)))
    np.testing.assert_allclose(jacobians.lyapunov_exponents(5), 0, atol=1e-12)
    np.testing.assert_allclose(jacobians.singular_values(), 1, atol=1e-12)
    assert np.allclose(np.abs(jacobians.eigenvalues(0, 1)), 1, atol=1e-12)


def test_lyapunov_exponents_of_a_chaotic_map():
    """h -> tanh(g h U): two close trajectories drift apart at the largest exponent."""
    U = np.random.default_rng(3).normal(size=(60, 60)) * 2.5 / np.sqrt(60)
    layer = layers.SimpleRNN(60, dtype="float64", return_sequences=True, name="chaos")
    layer.ensure_built((1, None, F))
    start = np.random.default_rng(4).normal(size=(1, 60))
    x = np.zeros((1, 1500, F))
    x[0, 0] = 1
    layer.set_weights([np.random.default_rng(5).normal(size=(F, 60)), U, np.zeros(60)])
    exponent = state_jacobians(layer, x).lyapunov_exponents(skip=200)[0]
    rates, h = [], layer(x)[:, 199]
    moved = h + 1e-9 * start / np.linalg.norm(start)
    zero = np.zeros((1, 20, F))
    for _ in range(65):  # renormalized every 20 steps
        h, moved = (layer.forward(zero, initial_state=[s])[0][:, -1] for s in (h, moved))
        gap = np.linalg.norm(moved - h)
        rates.append(np.log(gap / 1e-9) / 20)
        moved = h + (moved - h) * 1e-9 / gap
    assert exponent > 0.1
    assert abs(np.mean(rates) - exponent) < 0.02


def test_a_direction_that_vanishes_has_exponent_minus_infinity():
    jacobians = state_jacobians(linear(np.diag([0.5, 0.0])), np.zeros((1, 5, F)))
    assert jacobians.lyapunov_exponents(2)[1] == -np.inf


# -- asking ----------------------------------------------------------------------------------------------


def test_layers_are_chosen_by_name():
    both = layers.Bidirectional(make("GRU", return_sequences=True), name="both")
    x = Input((T, F), dtype="float64")
    model = Model(x, layers.LSTM(H, dtype="float64", name="rnn")(both(x)))
    with pytest.raises(
        ValueError, match=r"has 3 recurrent layers; choose one with layer=: both/forward_rnn, both/backward_rnn, rnn"
    ):
        state_jacobians(model, X)
    with pytest.raises(ValueError, match="no recurrent layer is named 'gru'; there are both/forward_rnn"):
        state_jacobians(model, X, layer="gru")
    jacobians = state_jacobians(model, X, layer="both/backward_rnn")
    assert jacobians.name == "both/backward_rnn"
    turned = state_jacobians(both.backward_layer, X)  # reads from the end, like its steps
    np.testing.assert_array_equal(jacobians.steps, turned.steps)
    assert repr(state_jacobians(model, X, layer="rnn")) == f"<StateJacobians rnn: hidden, cell; T={T}, S={2 * H}>"


def test_float32_layers_are_looked_at_in_float64():
    layer = layers.LSTM(H, name="rnn")
    jacobians = state_jacobians(layer, X)
    assert jacobians[0].dtype == jacobians.product().dtype == np.float64


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda j: j[T], f"rnn: there is no step {T}; there are {T}"),
        (lambda j: j.product(3, 2), "0 <= start <= stop <= 7 must hold, got start=3, stop=2"),
        (lambda j: j.by_distance(stop=0), "stop=0, but a state after a step is one after 1 to 7 steps"),
        (lambda j: j.by_distance(stop=3, distances=[4]), "distances must lie between 1 and 3"),
        (lambda j: j.cell_path(), "cell_path needs a cell state and forget gates, which only an LSTM has"),
        (lambda j: j.lyapunov_exponents(9), "k=9, but there are 1 to 4 exponents"),
        (lambda j: j.lyapunov_exponents(skip=7), "skip=7 leaves nothing of 7 steps"),
    ],
)
def test_what_is_not_there(ask, message):
    with pytest.raises((ValueError, IndexError), match=message):
        ask(state_jacobians(make("GRU"), X))


def test_bad_requests():
    with pytest.raises(ValueError, match="sample=3, but the data hold samples 0 to 2"):
        state_jacobians(make("GRU"), X, sample=3)
    with pytest.raises(ValueError, match="has no recurrent layer"):
        state_jacobians(Sequential([layers.Dense(1)]), X)
    with pytest.raises(TypeError, match="expected a model or a layer, got str"):
        state_jacobians("lstm", X)
