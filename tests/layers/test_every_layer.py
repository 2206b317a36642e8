"""Every layer class there is: gradients against central differences, and an equal layer from its configuration.

A new layer without an entry here fails.
"""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

B, T, F = 2, 4, 3


class Minimal(layers.Layer):
    """A cell of one's own, its backward left to autograd."""

    def __init__(self, units=3, **options):
        super().__init__(**options)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.leak = self.add_weight((), "ones", name="leak")

    def call(self, inputs, states):
        import autograd.numpy as np

        h = 0.5 * self.leak * states[0] + np.tanh(inputs @ self.kernel)
        return h, [h]

    def get_config(self):
        return super().get_config() | {"units": self.units}


class Scale(layers.Layer):
    """A layer of one's own with a backward of its own."""

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "random_normal", name="scale")

    def forward(self, x, *, training=False):
        x = self.as_input(x)
        return x * self.scale.value, x

    def backward(self, tape, grads, *, input_gradient=True):
        weights = {"scale": (grads * tape).sum(axis=tuple(range(tape.ndim - 1)))}
        return layers.layer.LayerGradients(grads * self.scale.value, weights)


class Half(layers.Wrapper):
    """A wrapper of one's own: half of what the layer inside gives."""

    def forward(self, x, **options):
        y, tape = self.layer.forward(x, **options)
        return y / 2, tape

    def backward(self, tape, grads, **options):
        gradients = self.layer.backward(tape, grads / 2, **options)
        gradients.weights = {f"{self.layer.name}/{name}": dw for name, dw in gradients.weights.items()}
        return gradients


SEQUENCE, OTHER, STEP = (B, T, F), (B, 5, F), (B, F)
CUSTOM = {"Half": Half, "Minimal": Minimal, "Scale": Scale}

# How to make it, and the shapes of its inputs.
EVERY = {
    "Activation": [(lambda: layers.Activation("elu"), [SEQUENCE])],
    "ActivityRegularization": [(lambda: layers.ActivityRegularization(l2=0.1), [SEQUENCE])],
    "Add": [(layers.Add, [SEQUENCE] * 3)],
    "AdditiveAttention": [
        (lambda s=s: layers.AdditiveAttention(use_scale=s), [SEQUENCE, OTHER]) for s in (True, False)
    ],
    "Attention": [
        (lambda: layers.Attention(use_scale=True), [SEQUENCE, OTHER]),
        (lambda: layers.Attention(use_scale=True, score_mode="concat"), [SEQUENCE, OTHER, OTHER]),
    ],
    "Average": [(layers.Average, [SEQUENCE] * 3)],
    "AveragePooling1D": [(lambda: layers.AveragePooling1D(3, 2, "same"), [SEQUENCE])],
    "BatchNormalization": [(lambda a=a: layers.BatchNormalization(a), [SEQUENCE]) for a in (-1, 1)],
    "Bidirectional": [
        *[
            (lambda m=m: layers.Bidirectional(layers.LSTM(3), merge_mode=m), [SEQUENCE])
            for m in ("concat", "mul", None)
        ],
        (
            lambda: layers.Bidirectional(
                layers.GRU(3, return_state=True),
                backward_layer=layers.SimpleRNN(3, go_backwards=True, return_state=True),
            ),
            [SEQUENCE],
        ),
    ],
    "Concatenate": [(lambda: layers.Concatenate(axis=1), [SEQUENCE, OTHER])],
    "Conv1D": [
        (lambda p=p: layers.Conv1D(4, 2, padding=p, activation="tanh"), [SEQUENCE]) for p in ("valid", "causal")
    ],
    "CustomCell": [(lambda: layers.CustomCell(Minimal()), [STEP])],
    "Dense": [(lambda: layers.Dense(4, activation="softmax"), [SEQUENCE])],
    "Dot": [(lambda: layers.Dot((1, 1), normalize=True), [SEQUENCE, SEQUENCE])],
    "Dropout": [(lambda: layers.Dropout(0.5, seed=1), [SEQUENCE])],
    "ELU": [(layers.ELU, [SEQUENCE])],
    "Embedding": [(lambda: layers.Embedding(7, 4, mask_zero=True), [(B, T)])],
    "Flatten": [(layers.Flatten, [SEQUENCE])],
    "GRU": [
        (lambda a=a: layers.GRU(3, reset_after=a, return_sequences=True, return_state=True), [SEQUENCE])
        for a in (True, False)
    ],
    "GRUCell": [(lambda a=a: layers.GRUCell(3, reset_after=a), [STEP]) for a in (True, False)],
    "GaussianNoise": [(lambda: layers.GaussianNoise(0.3, seed=1), [SEQUENCE])],
    "GlobalAveragePooling1D": [(layers.GlobalAveragePooling1D, [SEQUENCE])],
    "GlobalMaxPooling1D": [(lambda: layers.GlobalMaxPooling1D(data_format="channels_first"), [SEQUENCE])],
    "GroupNormalization": [(lambda: layers.GroupNormalization(3), [SEQUENCE])],
    "Identity": [(layers.Identity, [SEQUENCE])],
    "InputLayer": [(lambda: layers.InputLayer(shape=SEQUENCE[1:]), [SEQUENCE])],
    "LSTM": [(lambda: layers.LSTM(3, return_sequences=True, return_state=True), [SEQUENCE])],
    "LSTMCell": [(lambda: layers.LSTMCell(3), [STEP])],
    "Lambda": [(lambda: layers.Lambda(np.tanh, gradient=lambda x, y, dy: dy * (1 - y * y)), [SEQUENCE])],
    "Layer": [(Scale, [SEQUENCE])],
    "LayerNormalization": [(lambda: layers.LayerNormalization([1, 2]), [SEQUENCE])],
    "LeakyReLU": [(layers.LeakyReLU, [SEQUENCE])],
    "Masking": [(lambda: layers.Masking(0.5), [SEQUENCE])],
    "MaxPooling1D": [(lambda: layers.MaxPooling1D(2, 1), [SEQUENCE])],
    "Maximum": [(layers.Maximum, [SEQUENCE] * 3)],
    "Minimum": [(layers.Minimum, [SEQUENCE] * 2)],
    "MultiHeadAttention": [
        (lambda: layers.MultiHeadAttention(2, 3, value_dim=2), [SEQUENCE, OTHER, OTHER]),
        (lambda: layers.MultiHeadAttention(1, 2, output_shape=(2, 2)), [SEQUENCE, OTHER]),
    ],
    "Multiply": [(layers.Multiply, [SEQUENCE] * 3)],
    "PReLU": [(lambda: layers.PReLU(shared_axes=[1]), [SEQUENCE])],
    "Permute": [(lambda: layers.Permute((2, 1)), [SEQUENCE])],
    "RMSNormalization": [(layers.RMSNormalization, [SEQUENCE])],
    "RNN": [
        (lambda: layers.RNN(layers.GRUCell(3), go_backwards=True), [SEQUENCE]),
        (lambda: layers.RNN([layers.LSTMCell(3), layers.SimpleRNNCell(2)], return_state=True), [SEQUENCE]),
        (lambda: layers.RNN(Minimal(), return_sequences=True), [SEQUENCE]),
    ],
    "ReLU": [(lambda: layers.ReLU(1.0, 0.25, 0.125), [SEQUENCE])],
    "RepeatVector": [(lambda: layers.RepeatVector(3), [STEP])],
    "Reshape": [(lambda: layers.Reshape((-1, 2)), [SEQUENCE])],
    "SimpleRNN": [(lambda: layers.SimpleRNN(3, return_sequences=True), [SEQUENCE])],
    "SimpleRNNCell": [(lambda: layers.SimpleRNNCell(3), [STEP])],
    "Softmax": [(lambda: layers.Softmax([1, 2]), [SEQUENCE])],
    "SpatialDropout1D": [(lambda: layers.SpatialDropout1D(0.5, seed=1), [SEQUENCE])],
    "StackedRNNCells": [(lambda: layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(2)]), [STEP])],
    "Subtract": [(layers.Subtract, [SEQUENCE] * 2)],
    "TimeDistributed": [
        (lambda: layers.TimeDistributed(layers.Dense(4, activation="tanh")), [SEQUENCE]),
        (lambda: layers.TimeDistributed(layers.LSTM(3)), [(B, 2, T, F)]),
    ],
    "UnitNormalization": [(layers.UnitNormalization, [SEQUENCE])],
    "Wrapper": [(lambda: Half(layers.Dense(4)), [SEQUENCE])],
}
CASES = [
    pytest.param(make, shapes, id=f"{name}-{k}") for name, of in EVERY.items() for k, (make, shapes) in enumerate(of)
]
CELLS = ("CustomCell", "GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells")


def draw(shapes, kind):
    drawn = np.random.default_rng(0)
    arrays = [drawn.integers(0, 7, s) if kind == "Embedding" else drawn.normal(size=s) for s in shapes]
    return arrays if len(arrays) > 1 else arrays[0]


def flat(outputs):
    return [leaf for y in outputs for leaf in flat(y)] if isinstance(outputs, (list, tuple)) else [np.asarray(outputs)]


def kind_of(layer):
    """The class; for one of those above, the class it is made from."""
    return next(c.__name__ for c in type(layer).__mro__ if c.__name__ not in CUSTOM)


def test_every_class_has_an_entry():
    classes = {c.__name__ for c in vars(layers).values() if isinstance(c, type) and issubclass(c, layers.Layer)}
    assert set(EVERY) == classes
    assert all(name == kind_of(make()) for name, cases in EVERY.items() for make, _ in cases)


@pytest.mark.parametrize(("make", "shapes"), CASES)
def test_gradients(make, shapes):
    layer = make()
    x = draw(shapes, kind_of(layer))
    if kind_of(layer) in CELLS:  # a cell is what a recurrent layer does at each step
        layer, x = layers.RNN(layer, return_state=True, dtype="float64"), draw([SEQUENCE], None)
    layer.ensure_built([a.shape for a in x] if isinstance(x, list) else x.shape)
    drawn = [np.random.default_rng(k).normal(size=w.shape) for k, w in enumerate(layer.weights)]
    layer.set_weights([abs(value) if w.name == "moving_variance" else value for value, w in zip(drawn, layer.weights)])
    errors = rnn_ref.check_gradients(layer, x, samples=12, seed=5)  # not the numbers of x again
    inputs = 0 if kind_of(layer) == "Embedding" else len(x) if isinstance(x, list) else 1
    assert len(errors) == inputs + len(layer.trainable_weights)
    assert max(errors.values()) < 1e-6


@pytest.mark.parametrize(("make", "shapes"), CASES)
def test_config_round_trip(make, shapes):
    layer = make()
    x = draw(shapes, kind_of(layer))
    if kind_of(layer) == "CustomCell":  # has the configuration of the cell inside, and none without a recurrent layer
        layer, x = layers.RNN(layer), draw([SEQUENCE], None)
    custom = {"RNN": {"custom_objects": CUSTOM}, "Lambda": {"custom_objects": {"tanh": np.tanh}, "safe_mode": False}}
    custom = custom.get(kind_of(layer), {})
    called = x if kind_of(layer) == "MultiHeadAttention" else [x]  # side by side
    y = layer(*called)
    again = type(layer).from_config(layer.get_config(), **custom)
    if kind_of(layer) != "Lambda":  # marshal writes the same code in several ways
        assert again.get_config() == layer.get_config()
    again.ensure_built([a.shape for a in x] if isinstance(x, list) else x.shape)
    assert [w.name for w in again.weights] == [w.name for w in layer.weights]
    again.set_weights(layer.get_weights())
    for a, b in zip(flat(again(*called)), flat(y), strict=True):
        np.testing.assert_array_equal(a, b)
    if kind_of(layer) in ("Dropout", "GaussianNoise", "SpatialDropout1D"):  # the seed is in the configuration
        np.testing.assert_array_equal(make()(x, training=True), again(x, training=True))
