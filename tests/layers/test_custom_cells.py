"""Cells and layers written by users: run, masked, stacked, and differentiated."""

import autograd.numpy as anp
import numpy as np
import pytest

import rnn_ref
from rnn_ref.layers import RNN, Dense, GRUCell, Layer, LSTMCell, StackedRNNCells

B, T, F, H = 3, 5, 4, 3


def sigmoid(z):
    return 1 / (1 + anp.exp(-z))


class PeepholeLSTMCell(Layer):
    """An LSTM cell whose gates look at the cell state (Gers and Schmidhuber 2000)."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units
        self.state_size = [units, units]
        self.output_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 4 * self.units), name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, 4 * self.units), name="recurrent_kernel")
        self.peephole = self.add_weight((3, self.units), "random_normal", name="peephole")
        self.bias = self.add_weight((4 * self.units,), "zeros", name="bias")

    def call(self, inputs, states):
        h, c = states
        z = inputs @ self.kernel + anp.dot(h, self.recurrent_kernel) + self.bias
        zi, zf, zc, zo = anp.split(z, 4, axis=1)
        i = sigmoid(zi + c * self.peephole[0])
        f = sigmoid(zf + c * self.peephole[1])
        c = f * c + i * anp.tanh(zc)
        o = sigmoid(zo + c * self.peephole[2])
        h = o * anp.tanh(c)
        return h, [h, c]

    def get_config(self):
        return super().get_config() | {"units": self.units}


class MinimalGatedUnit(Layer):
    """One gate (Zhou et al. 2016): ``f = sigmoid(x W_f + h U_f)``, ``h' = (1 - f) h + f tanh(x W_c + (f h) U_c)``."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.W = self.add_weight((2, input_shape[-1], self.units), name="W")
        self.U = self.add_weight((2, self.units, self.units), name="U")

    def call(self, inputs, states):
        h = states[0]
        f = sigmoid(inputs @ self.W[0] + h @ self.U[0])
        candidate = anp.tanh(inputs @ self.W[1] + (f * h) @ self.U[1])
        h = (1 - f) * h + f * candidate
        return h, [h]

    def get_config(self):
        return super().get_config() | {"units": self.units}


class MinimalGatedUnitByHand(MinimalGatedUnit):
    def backward(self, inputs, states, d_output, d_states):
        h, W, U = states[0], self.W.value, self.U.value
        f = sigmoid(inputs @ W[0] + h @ U[0])
        candidate = np.tanh(inputs @ W[1] + (f * h) @ U[1])
        d = d_output + d_states[0]
        dzc = d * f * (1 - candidate**2)
        dfh = dzc @ U[1].T
        dzf = (d * (candidate - h) + dfh * h) * f * (1 - f)
        dx = dzf @ W[0].T + dzc @ W[1].T
        dh = d * (1 - f) + dfh * f + dzf @ U[0].T
        return (
            dx,
            [dh],
            {
                "W": np.stack([inputs.T @ dzf, inputs.T @ dzc]),
                "U": np.stack([h.T @ dzf, (f * h).T @ dzc]),
            },
        )


class Attending:
    """A plain object: constants, a two-dimensional state, an output that is no state."""

    state_size = ((2, 3), 4)
    output_size = 5

    def call(self, inputs, states, constants, training=False):
        grid, vector = states
        grid = 0.5 * grid + anp.mean(inputs, axis=1)[:, None, None] * (2.0 if training else 1.0)
        vector = anp.tanh(vector + constants[0])
        output = anp.concatenate([vector, anp.sum(grid, axis=(1, 2))[:, None]], axis=1) * constants[1]
        return output, [grid, vector]


def data(shape=(B, T, F), seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def holes(seed=1):
    mask = np.random.default_rng(seed).random((B, T)) > 0.4
    mask[0] = False  # a sample without a single step
    mask[1, 0] = False
    return mask


CELLS = [
    lambda: PeepholeLSTMCell(H),
    lambda: MinimalGatedUnit(H),
    lambda: MinimalGatedUnitByHand(H),
    lambda: [MinimalGatedUnit(H), LSTMCell(2), PeepholeLSTMCell(4)],
]


@pytest.mark.parametrize("make", CELLS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True, "return_state": True},
        {"return_sequences": True, "go_backwards": True},
        {"return_sequences": True, "zero_output_for_mask": True},
        {"return_state": True, "time_major": True, "return_sequences": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("masked", [False, True])
def test_gradients(make, options, masked):
    layer = RNN(make(), **options)
    x, mask = data(), holes() if masked else None
    if options.get("time_major"):
        x, mask = x.swapaxes(0, 1), None if mask is None else mask.T
    layer.ensure_built(x.shape)
    state = [data((B, size), 7 + k) for k, size in enumerate(layer.cell.state_sizes)]
    errors = rnn_ref.check_gradients(layer, x, initial_state=state, mask=mask, samples=6)
    assert max(errors.values()) < 1e-6
    assert set(layer.named_weights()) < set(errors)


@pytest.mark.parametrize("training", [False, True])
def test_autograd_and_hand_written_backward_agree(training):
    by_autograd = RNN(MinimalGatedUnit(H), return_sequences=True, dtype="float64")
    by_hand = RNN(MinimalGatedUnitByHand(H), return_sequences=True, dtype="float64")
    x, mask = data(), holes()
    by_autograd.ensure_built(x.shape)
    by_hand.ensure_built(x.shape)
    by_hand.set_weights(by_autograd.get_weights())
    results = []
    for layer in (by_autograd, by_hand):
        y, tape = layer.forward(x, mask=mask, training=training)
        results.append((y, layer.backward(tape, data(y.shape, 3))))
    (y, one), (y2, two) = results
    np.testing.assert_allclose(y, y2, atol=1e-12)
    np.testing.assert_allclose(one.inputs, two.inputs, atol=1e-12)
    for name in ("W", "U"):
        np.testing.assert_allclose(one.weights[name], two.weights[name], atol=1e-12)
    np.testing.assert_allclose(one.flow.dh, two.flow.dh, atol=1e-12)


def test_a_peephole_of_zero_is_an_lstm():
    custom, lstm = RNN(PeepholeLSTMCell(H), return_state=True), rnn_ref.layers.LSTM(H, return_state=True)
    x = data()
    custom.ensure_built(x.shape)
    lstm.ensure_built(x.shape)
    W, U, peephole, b = custom.get_weights()
    custom.set_weights([W, U, 0 * peephole, b + 0.1])
    lstm.set_weights([W, U, b + 0.1])
    mask = holes()
    ours, built_in = custom.forward(x, mask=mask), lstm.forward(x, mask=mask)
    for a, b in zip(ours[0], built_in[0]):
        np.testing.assert_allclose(a, b, atol=1e-6)
    grads = [data((B, H), k).astype("float32") for k in range(3)]
    one, two = custom.backward(ours[1], grads), lstm.backward(built_in[1], grads)
    np.testing.assert_allclose(one.inputs, two.inputs, atol=1e-5)
    np.testing.assert_allclose(one.weights["recurrent_kernel"], two.weights["recurrent_kernel"], atol=1e-5)
    np.testing.assert_allclose(one.flow.dh, two.flow.dh, atol=1e-5)
    assert one.inputs.dtype == "float32"


def test_constants_states_of_any_shape_and_training():
    layer = RNN(Attending(), return_sequences=True, return_state=True, dtype="float64")
    x, constants, mask = data(), [data((B, 4), 1), data((B, 5), 2)], holes()
    outputs, tape = layer.forward(x, constants=constants, mask=mask)
    assert [y.shape for y in outputs] == [(B, T, 5), (B, 2, 3), (B, 4)]
    assert layer.compute_output_shape((None, T, F)) == ((None, T, 5), (None, 2, 3), (None, 4))
    trained = layer.forward(x, constants=constants, training=True)[0]
    plain = layer.forward(x, constants=constants)[0]
    np.testing.assert_allclose(trained[1], 2 * plain[1])
    grads = [data(y.shape, 5 + k) for k, y in enumerate(outputs)]
    found = layer.backward(tape, grads).constants

    def loss():
        return sum((y * g).sum() for y, g in zip(layer.forward(x, constants=constants, mask=mask)[0], grads))

    for constant, gradient in zip(constants, found):
        before = constant[1, 2]
        constant[1, 2] = before + 1e-5
        above = loss()
        constant[1, 2] = before - 1e-5
        below = loss()
        constant[1, 2] = before
        assert gradient[1, 2] == pytest.approx((above - below) / 2e-5, rel=1e-6, abs=1e-9)
    assert max(rnn_ref.check_gradients(layer, x, constants=constants, mask=mask).values()) < 1e-6


def test_own_backward_with_constants():
    class Shift:
        state_size = F

        def call(self, inputs, states, constants):
            h = states[0] + inputs * constants[0]
            return h, [h]

        def backward(self, inputs, states, d_output, d_states, constants):
            d = d_output + d_states[0]
            return d * constants[0], [d], {}, [d * inputs]

    layer = RNN(Shift(), dtype="float64")
    x, c = data(), data((B, F), 1)
    y, tape = layer.forward(x, constants=c)
    np.testing.assert_allclose(y, (x * c[:, None]).sum(axis=1))
    np.testing.assert_allclose(layer.backward(tape, np.ones_like(y)).constants[0], x.sum(axis=1))


def test_constants_where_none_are_taken_or_needed_ones_are_missing():
    for cell in (MinimalGatedUnit(H), LSTMCell(H), [GRUCell(2), GRUCell(3)]):
        with pytest.raises(ValueError, match="constants"):
            RNN(cell)(data(), constants=[data((B, 2))])
    with pytest.raises(ValueError, match="needs constants"):
        RNN(Attending())(data())


def test_constants_in_a_stack_reach_the_cells_that_take_them():
    layer = RNN([LSTMCell(H), Attending()], dtype="float64")
    constants = [data((B, 4), 1), data((B, 5), 2)]
    assert max(rnn_ref.check_gradients(layer, data(), constants=constants, samples=5).values()) < 1e-6


@pytest.mark.parametrize("form", ["legacy", "keras3", "inputs_too"])
def test_initial_states_of_the_cell(form):
    class Counter:
        state_size = 2

        def call(self, inputs, states):
            return states[0] + 1, states[0] + 1

    def legacy(self, inputs=None, batch_size=None, dtype=None):
        return np.full((batch_size, 2), 10, dtype)

    def keras3(self, batch_size=None):
        return [np.full((batch_size, 2), 10.0)]

    Counter.get_initial_state = {"legacy": legacy, "keras3": keras3, "inputs_too": legacy}[form]
    np.testing.assert_array_equal(RNN(Counter())(data()), np.full((B, 2), 10 + T))


def test_stateful():
    layer = RNN(MinimalGatedUnit(H), stateful=True, dtype="float64")
    whole = RNN(layer.cell, dtype="float64")
    x = data()
    layer(x[:, :2])
    np.testing.assert_allclose(layer(x[:, 2:]), whole(x), atol=1e-12)
    layer.reset_states()
    np.testing.assert_allclose(layer(x), whole(x), atol=1e-12)


def test_config_round_trip():
    layer = RNN([PeepholeLSTMCell(H), GRUCell(2)], return_sequences=True)
    config = layer.get_config()
    classes = {"PeepholeLSTMCell": PeepholeLSTMCell}
    again = RNN.from_config(config, custom_objects=classes)
    assert again.get_config() == config
    x = data()
    y = layer(x)
    again.ensure_built(x.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x), y)
    with pytest.raises(ValueError, match="custom_objects"):
        RNN.from_config(config)
    with pytest.raises(ValueError, match="get_config"):
        RNN(Attending()).get_config()


def test_a_cell_alone_and_its_attributes():
    cell = PeepholeLSTMCell(H)
    layer = RNN(cell)
    layer(data())
    assert layer.units == H
    assert layer.kernel is cell.kernel
    assert layer.count_params() == 4 * H * (F + H + 1) + 3 * H
    output, _states = cell(np.zeros((2, F)), [np.zeros((2, H))] * 2)
    assert output.shape == (2, H)
    output, _ = StackedRNNCells([cell, GRUCell(2)])(np.zeros((2, F)))
    assert output.shape == (2, 2)


def test_what_is_wrong_with_a_cell_is_said():
    class NoSize:
        def call(self, inputs, states):
            return inputs, states

    class BadSize(NoSize):
        state_size = "large"

    class BadOutput(NoSize):
        state_size = F + 1

    class BadStates(NoSize):
        state_size = F

        def call(self, inputs, states):
            return inputs, [inputs, inputs]

    with pytest.raises(ValueError, match="state_size"):
        RNN(NoSize())
    with pytest.raises(ValueError, match="call"):
        RNN(object())
    with pytest.raises(ValueError, match="state_size must be"):
        RNN(BadSize())
    with pytest.raises(ValueError, match="expected"):
        RNN(BadOutput())(data())
    with pytest.raises(ValueError, match="2 states, expected 1"):
        RNN(BadStates())(data())
    layer = RNN(MinimalGatedUnit(H))
    layer(data())
    with pytest.raises(ValueError, match="expected"):
        layer(data((B, T, F + 1)))


def test_plain_numpy_in_call_is_explained():
    class Plain(MinimalGatedUnit):
        def call(self, inputs, states):
            h = np.tanh(np.dot(inputs, self.W[0]) + states[0])
            return h, [h]

    layer = RNN(Plain(H))
    y, tape = layer.forward(data())
    with pytest.raises(TypeError) as caught:
        layer.backward(tape, y)
    assert "autograd.numpy" in "".join(caught.value.__notes__)
    assert isinstance(layer.cell.custom.W.value, np.ndarray)


def test_a_weight_in_plain_numpy_is_refused_while_recording():
    class Plain(MinimalGatedUnit):
        def call(self, inputs, states):
            h = anp.tanh(inputs @ np.asarray(self.W)[0] + states[0])
            return h, [h]

    layer = RNN(Plain(H))
    y, tape = layer.forward(data())
    with pytest.raises(TypeError, match="gradient would be lost"):
        layer.backward(tape, y)


def test_missing_autograd_is_explained(monkeypatch):
    import sys

    layer = RNN(MinimalGatedUnit(H))
    y, tape = layer.forward(data())
    monkeypatch.setitem(sys.modules, "autograd", None)
    with pytest.raises(ImportError, match=r"pip install '.\[custom\]'.*write `backward`"):
        layer.backward(tape, y)


def test_training_a_custom_cell():
    rnn_ref.utils.set_random_seed(0)
    model = rnn_ref.Sequential([rnn_ref.Input((T, F)), RNN(MinimalGatedUnit(8)), Dense(1)])
    model.compile("adam", "mse")
    x = data((32, T, F)).astype("float32")
    history = model.fit(x, x.sum(axis=(1, 2))[:, None], epochs=8, verbose=0).history["loss"]
    assert history[-1] < history[0]


class Scale(Layer):
    """A custom layer: ``tanh(x w) + b``, with noise in training."""

    def build(self, input_shape):
        self.w = self.add_weight((input_shape[-1], 2), "random_normal")
        self.b = self.add_weight((2,), "zeros")

    def call(self, x, training=False):
        noise = np.random.default_rng().normal(size=x.shape) if training else 0.0
        return anp.tanh((x + noise) @ self.w) + self.b


class Pair(Layer):
    def call(self, inputs):
        a, b = inputs
        return [a * b, anp.sum(a, axis=-1)]


def test_custom_layers():
    layer = Scale()
    assert max(rnn_ref.check_gradients(layer, data()).values()) < 1e-6
    assert list(layer.named_weights()) == ["weight", "weight_1"]
    assert layer.compute_output_shape((None, 7, F)) == (None, 7, 2)
    assert layer(data().astype("float32")).dtype == "float32"
    y, tape = layer.forward(data(), training=True)  # recorded at once: back through the same noise
    gradient = layer.backward(tape, np.ones_like(y)).weights["weight_1"]
    np.testing.assert_allclose(gradient, B * T)
    model = rnn_ref.Sequential([rnn_ref.Input((T, F)), Scale(), rnn_ref.layers.LSTM(3), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(data(), np.zeros((B, 1)), verbose=0)


def test_custom_layer_of_several_inputs_and_outputs():
    layer = Pair(dtype="float64")
    a, b = data((B, F)), data((B, F), 1)
    (product, _), tape = layer.forward([a, b])
    np.testing.assert_allclose(product, a * b)
    da, db = layer.backward(tape, [np.ones((B, F)), None]).inputs
    np.testing.assert_allclose(da, b)
    np.testing.assert_allclose(db, a)
    assert layer.compute_output_shape([(None, F), (None, F)]) == ((None, F), (None,))


def test_custom_layer_sees_the_mask_it_names():
    class Mean(Layer):
        def call(self, x, mask=None):
            m = np.ones(x.shape[:2]) if mask is None else mask
            return anp.sum(x * m[..., None], axis=1)

        def compute_mask(self, inputs, mask):
            return None

    mask = holes()
    np.testing.assert_allclose(Mean(dtype="float64")(data(), mask=mask), (data() * mask[..., None]).sum(axis=1))


def test_variables_calculate():
    layer = Dense(3)
    x = np.ones((2, F), "float32")
    layer(x)
    W = layer.kernel
    for ours, theirs in (
        (x @ W, x @ W.value),
        (W @ np.ones(3), W.value @ np.ones(3)),
        (W + W, 2 * W.value),
        (1 - W, 1 - W.value),
        (W - 1, W.value - 1),
        (2 * W, 2 * W.value),
        (1 / (W + 9), 1 / (W.value + 9)),
        (W / 2, W.value / 2),
        (-W, -W.value),
        (W**2, W.value**2),
        (W.T, W.value.T),
        (np.exp(W), np.exp(W.value)),
    ):
        np.testing.assert_array_equal(ours, theirs)
