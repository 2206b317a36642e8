"""Contributions of steps to weight gradients add up to them, and each is autograd's for that step alone."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from hypothesis import given
from hypothesis import strategies as st

from rnn_ref import Input, Model, Sequential, gradient_flow, layers, plot

B, T, F, H = 3, 6, 2, 3
GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.normal(size=(B, T, F)), GENERATOR.normal(size=(B, 1))
CASES = [("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"reset_after": False})]


def randomize(model):
    generator = np.random.default_rng(1)
    model.set_weights([generator.normal(size=w.shape, scale=0.5) for w in model.weights])
    return model


def make(cell, *before, **options):
    rnn = getattr(layers, cell)(H, dtype="float64", name="rnn", **options)
    model = Sequential(
        [
            Input(batch_shape=(len(X) if options.get("stateful") else None, T, F)),
            *before,
            rnn,
            layers.Dense(1, dtype="float64", name="head"),
        ]
    )
    model.compile(loss="mean_squared_error")
    return randomize(model)


def assert_sums(flow, grads, prefix):
    """Every weight of a layer: sum over time, norms, shares."""
    norms, shares = flow.contribution_norms(), flow.contribution_shares()
    assert set(norms) == set(shares) == set(flow.weights)
    for weight in flow.weights:
        parts = flow.contribution(weight)
        gradient = grads[f"{prefix}/{weight}"]
        assert parts.shape == (flow.dh.shape[1], *gradient.shape)
        np.testing.assert_allclose(parts.sum(axis=0), gradient, rtol=1e-9, atol=1e-12, err_msg=weight)
        np.testing.assert_allclose(norms[weight], [np.sqrt((p**2).sum()) for p in parts], rtol=1e-12)
        np.testing.assert_allclose(
            shares[weight], (parts * gradient).reshape(len(parts), -1).sum(1) / (gradient**2).sum()
        )
        assert abs(shares[weight].sum() - 1) < 1e-9


@given(
    case=st.sampled_from(CASES),
    go_backwards=st.booleans(),
    return_sequences=st.booleans(),
    use_bias=st.booleans(),
    masked=st.booleans(),
    dropout=st.sampled_from([0.0, 0.4]),
    recurrent_dropout=st.sampled_from([0.0, 0.4]),
    implementation=st.sampled_from([1, 2]),
)
def test_contributions_add_up_to_the_gradient(
    case, go_backwards, return_sequences, use_bias, masked, dropout, recurrent_dropout, implementation
):
    cell, options = case
    if cell != "SimpleRNN":
        options = options | {"implementation": implementation}
    options = options | {"go_backwards": go_backwards, "return_sequences": return_sequences, "use_bias": use_bias}
    options |= {"dropout": dropout, "recurrent_dropout": recurrent_dropout, "seed": 4}
    before = [layers.Masking(dtype="float64")] if masked else []
    x = X.copy()
    x[0, 2] = x[1, 3:] = x[2, 0] = 0
    y = GENERATOR.normal(size=(B, T, 1)) if return_sequences else Y
    flow = gradient_flow(make(cell, *before, **options), x, y, training=True)
    loss, grads = make(cell, *before, **options).gradients(x, y, training=True)  # a twin draws the same dropout
    assert abs(flow.loss - loss) < 1e-12
    assert_sums(flow["rnn"], grads, "rnn")
    assert set(flow["rnn"].weights) == {"kernel", "recurrent_kernel"} | ({"bias"} if use_bias else set())
    if masked:
        assert (flow["rnn"].contribution("recurrent_kernel")[0] != 0).any() or not go_backwards


def sigmoid(z):
    return 1 / (1 + anp.exp(-z))


def own_loss(cell, weights, head, x, reset_after=True):
    """The model with weights of its own at every step: ``weights`` (T, ...)."""
    h = c = anp.zeros((B, H))
    for t in range(T):
        W, U, b = (w[t] for w in weights)
        if cell == "SimpleRNN":
            h = anp.tanh(x[:, t] @ W + h @ U + b)
        elif cell == "LSTM":
            i, f, g, o = anp.split(x[:, t] @ W + h @ U + b, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * anp.tanh(g)
            h = sigmoid(o) * anp.tanh(c)
        else:
            b, b2 = b if reset_after else (b, anp.zeros(3 * H))
            x_z, x_r, x_h = anp.split(x[:, t] @ W + b, 3, axis=1)
            U_z, U_r, U_h = anp.split(U, 3, axis=1)
            z = sigmoid(x_z + h @ U_z + b2[:H])
            r = sigmoid(x_r + h @ U_r + b2[H : 2 * H])
            q = r * (h @ U_h + b2[2 * H :]) if reset_after else (r * h) @ U_h
            h = z * h + (1 - z) * anp.tanh(x_h + q)
    return ((h @ head[0] + head[1] - Y) ** 2).mean()


@pytest.mark.parametrize(("cell", "options"), CASES)
@pytest.mark.parametrize("go_backwards", [False, True])
def test_each_step_is_the_gradient_of_weights_used_at_that_step_alone(cell, options, go_backwards):
    model = make(cell, go_backwards=go_backwards, **options)
    flow = gradient_flow(model, X, Y)["rnn"]
    *weights, V, d = [np.asarray(w) for w in model.get_weights()]
    repeated = [np.repeat(w[None], T, axis=0) for w in weights]
    x = X[:, ::-1] if go_backwards else X
    grads = grad(lambda w: own_loss(cell, w, (V, d), x, **options))(repeated)
    for name, expected in zip(("kernel", "recurrent_kernel", "bias"), grads):
        expected = expected[::-1] if go_backwards else expected  # in the order of the data
        np.testing.assert_allclose(flow.contribution(name), expected, rtol=1e-9, atol=1e-12)


def test_layers_in_wrappers_stacks_and_models_inside():
    """Every cell's contributions add up to the gradient of its own weights."""
    shared = layers.GRU(H, dtype="float64", name="shared", return_sequences=True)
    x = Input((T, F), dtype="float64")
    inner_in = Input((T, F), dtype="float64")
    inner = Model(inner_in, layers.LSTM(H, dtype="float64", name="deep", return_sequences=True)(inner_in), name="inner")
    both = layers.Bidirectional(layers.GRU(H, return_sequences=True, name="gru", dtype="float64"), name="both")
    cells = [layers.LSTMCell(H, name="low"), layers.SimpleRNNCell(H, name="high")]
    stack = layers.RNN(cells, dtype="float64", name="stack")

    y = layers.Dense(1, dtype="float64")(stack(shared(shared(inner(x)))))
    side = layers.Dense(1, dtype="float64")(layers.LSTM(H, dtype="float64", name="after")(both(x)))
    model = Model(x, layers.Add(dtype="float64")([y, side]))
    model.compile(loss="mean_squared_error")
    randomize(model)
    flow = gradient_flow(model, X, Y)
    _, grads = model.gradients(X, Y)
    names = {"inner/deep", "shared", "shared#2", "both/forward_gru", "both/backward_gru", "stack/low", "stack/high"}
    assert set(flow) == names | {"after"}
    for name in names - {"shared", "shared#2"}:
        assert_sums(flow[name], grads, name)
    for weight in ("kernel", "recurrent_kernel", "bias"):  # two runs of one layer share the gradient
        total = flow["shared"].contribution(weight).sum(0) + flow["shared#2"].contribution(weight).sum(0)
        np.testing.assert_allclose(total, grads[f"shared/{weight}"], rtol=1e-9, atol=1e-12)


def test_a_layer_the_loss_does_not_depend_on_keeps_its_number():
    """The first of two runs of a layer leads to an output without a loss: the second is still the second."""
    x = Input((T, F), dtype="float64")
    rnn = layers.GRU(H, dtype="float64", name="rnn")
    flipped = layers.Lambda(lambda a: -a, dtype="float64", name="minus")
    first, second = rnn(x), rnn(flipped(x))
    model = Model(x, {"ignored": first, "used": layers.Dense(1, dtype="float64")(second)})
    model.compile(loss={"ignored": None, "used": "mean_squared_error"})
    assert list(gradient_flow(model, X, {"ignored": np.zeros((B, H)), "used": Y})) == ["rnn#2"]


def test_several_models_in_one_call():
    models = {"LSTM": make("LSTM"), "GRU": make("GRU")}
    flows = gradient_flow(models, X, Y)
    assert list(flows) == ["LSTM", "GRU"]
    for label, model in models.items():
        np.testing.assert_array_equal(flows[label]["rnn"].dh, gradient_flow(model, X, Y)["rnn"].dh)
    shown = repr(flows)
    for label in models:
        assert f"{label}, loss {flows[label].loss:.4g}" in shown
    with pytest.raises(KeyError, match="no model was labelled 'RNN'; there are LSTM, GRU"):
        flows["RNN"]
    with pytest.raises(ValueError, match="the dict of models is empty"):
        gradient_flow({}, X, Y)


def test_looking_changes_nothing():
    model = make("LSTM", stateful=True)
    model(X)
    before = [s.copy() for s in model.layers[0].states]
    gradient_flow(model, X, Y)
    for state, old in zip(model.layers[0].states, before):
        np.testing.assert_array_equal(state, old)


def test_bad_names():
    flow = gradient_flow(make("LSTM"), X, Y)["rnn"]
    with pytest.raises(KeyError, match="rnn: no weight is named 'U'; there are kernel, recurrent_kernel, bias"):
        flow.contribution("U")
    with pytest.raises(TypeError, match="takes a model or a dict of models, got the layer lone"):
        gradient_flow(layers.LSTM(3, name="lone"), X, Y)


class Decay:
    """Without weights, and so with nothing to take apart."""

    state_size = F

    def call(self, inputs, states):
        h = 0.5 * states[0] + inputs
        return h, [h]

    def backward(self, inputs, states, d_output, d_states):
        d = d_output + d_states[0]
        return d, [0.5 * d], {}


@pytest.mark.parametrize("before", [[], [layers.Dense(F, dtype="float64")]])
def test_a_layer_without_weights_is_seen_wherever_it_stands(before):
    decay = layers.RNN(Decay(), dtype="float64", name="decay")
    flow = gradient_flow(Sequential([*before, decay, layers.Dense(1, dtype="float64")]), X, Y)["decay"]
    np.testing.assert_allclose(flow.norm[:-1] / flow.norm[1:], 0.5)
    assert flow.contribution_norms() == {}
    with pytest.raises(KeyError, match="decay: no weight is named 'kernel'; there are none"):
        flow.contribution("kernel")


def test_a_layer_without_weights_in_a_model_inside():
    inner = Sequential([Input((T, F)), layers.RNN(Decay(), dtype="float64", name="decay")], name="inner")
    assert list(gradient_flow(Sequential([inner, layers.Dense(1, dtype="float64")]), X, Y)) == ["inner/decay"]


class Leaky(layers.Layer):
    """``h' = a h + tanh(x W + b)``; differentiated by autograd, or as written."""

    state_size = H

    def build(self, input_shape):
        self.W = self.add_weight((input_shape[-1], H), name="W")
        self.b = self.add_weight((H,), "random_normal", name="b")
        self.a = self.add_weight((H,), "random_normal", name="a")

    def call(self, inputs, states):
        h = states[0] * self.a + anp.tanh(anp.dot(inputs, self.W) + self.b)
        return h, [h]


class WrittenLeaky(Leaky):
    def backward(self, inputs, states, d_output, d_states):
        d = d_output + d_states[0]
        dz = d * (1 - np.tanh(inputs @ self.W.value + self.b.value) ** 2)
        weights = {"W": inputs.T @ dz, "b": dz.sum(0), "a": (d * states[0]).sum(0)}
        return dz @ self.W.value.T, [d * self.a.value], weights


@pytest.mark.parametrize("cell", [Leaky, WrittenLeaky])
@pytest.mark.parametrize("training", [False, True])
def test_custom_cells_give_each_steps_part_too(cell, training):
    x = X.copy()
    x[0, 2] = x[1, 3:] = x[2, 0] = 0
    model = Sequential(
        [
            Input((T, F)),
            layers.Masking(dtype="float64"),
            layers.Bidirectional(layers.RNN(cell(), return_sequences=True, dtype="float64", name="own"), name="both"),
            layers.RNN([layers.GRUCell(H, name="low"), cell(name="high")], dtype="float64", name="stack"),
            layers.Dense(1, dtype="float64", name="head"),
        ]
    )
    model.compile(loss="mean_squared_error")
    randomize(model)
    flow = gradient_flow(model, x, Y, training=training)
    _, grads = model.gradients(x, Y)
    assert set(flow) == {"both/forward_own", "both/backward_own", "stack/low", "stack/high"}
    for name in flow:
        assert_sums(flow[name], grads, name)
    own = flow["both/backward_own"]
    np.testing.assert_array_equal(own.contribution("W")[:, 0, 0] == 0, [False] * T)
    before = own.contribution("W")
    model.set_weights([2 * w for w in model.get_weights()])  # parts are those of the weights of then
    np.testing.assert_array_equal(own.contribution("W"), before)
    figure = plot.contributions(own)
    assert [line.get_label() for line in figure.axes[0].lines] == ["W", "b", "a"]
