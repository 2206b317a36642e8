"""Exported models compute in onnxruntime what they compute here."""

from dataclasses import replace

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, layers
from rnn_ref.layers import GRU, LSTM, Bidirectional, Dense, SimpleRNN

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from rnn_ref.interop.onnx import export, load

from ..differential import configurations, running
from .onnx_running import feeds, flat, run

T, F = 5, 3


def check(model, arrays, tolerance=2e-6):
    """Every output, relative to the largest number among them."""
    made = export(model)
    expected = flat(model(arrays if len(arrays) > 1 else arrays[0]))
    found = run(made, feeds(made, arrays))
    assert [y.shape for y in found] == [y.shape for y in expected]
    scale = max(np.abs(y).max(initial=0) for y in expected)
    for name, y, z in zip(made.graph.output, expected, found):
        assert np.isfinite(y).all()
        assert np.abs(y - z).max(initial=0) <= tolerance * max(scale, 1e-30), name.name


def random_weights(model, seed=0, scale=0.5):
    g = np.random.default_rng(seed)
    values = [g.normal(size=w.shape, scale=scale) for w in model.weights]
    values = [np.abs(v) if "variance" in w.path else v for v, w in zip(values, model.weights)]
    model.set_weights(values)
    return model


def check_configuration(seed: int) -> bool:
    c = replace(configurations.draw(np.random.default_rng(seed), seed), dtype="float32", stateful=False)
    g = np.random.default_rng(seed)
    model = random_weights(running.build(rnn_ref, c), seed)
    arrays = running.data(c, g)
    y = flat(model(arrays if len(arrays) > 1 else arrays[0]))
    if max(np.abs(array).max() for array in y) > 1e4:
        return False  # what grows without bound overflows in onnxruntime before it does here, or after
    try:
        check(model, arrays)
    except NotImplementedError as error:
        if "ONNX's recurrent operators have no activation" not in str(error):
            raise
        return False
    return True


def test_random_models():
    """Cells, activations, directions, stacks, states, masks with holes, initial states."""
    assert sum(map(check_configuration, range(2000, 2040))) > 20


@pytest.mark.long
def test_300_random_models():
    assert sum(map(check_configuration, range(3000, 3450))) > 300


X = np.random.default_rng(0).normal(size=(2, T, F)).astype("float32")
MASKED = X * (np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0]])[..., None] > 0)
ALONE = [
    *(layers.Activation(name) for name in (
        "relu", "sigmoid", "softmax", "log_softmax", "elu", "selu", "softplus", "softsign", "exponential", "silu",
        "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "relu6", "leaky_relu", "celu", "mish", "log_sigmoid",
        "tanh_shrink", "hard_shrink", "soft_shrink", "squareplus",
    )),
    layers.Activation(rnn_ref.activations.relu.with_options(negative_slope=0.1, max_value=1.0, threshold=0.2)),
    layers.ActivityRegularization(0.1),
    layers.AveragePooling1D(2, padding="same"),
    layers.BatchNormalization(),
    layers.Conv1D(4, 3, padding="same", activation="relu"),
    layers.Conv1D(4, 2, padding="causal", dilation_rate=2),
    layers.Conv1D(6, 2, strides=2, groups=3, use_bias=False),
    layers.Dense(4, "tanh"),
    layers.Dropout(0.5),
    layers.ELU(0.7),
    layers.Flatten(),
    layers.Flatten(data_format="channels_first"),
    layers.GaussianNoise(0.5),
    layers.GlobalAveragePooling1D(keepdims=True),
    layers.GlobalMaxPooling1D(data_format="channels_first"),
    layers.Identity(),
    layers.LayerNormalization(),
    layers.LayerNormalization(axis=[1, 2]),
    layers.LeakyReLU(0.2),
    layers.MaxPooling1D(2, strides=1),
    layers.PReLU(shared_axes=[1]),
    layers.Permute((2, 1)),
    layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.3),
    layers.Reshape((F, -1)),
    layers.Softmax(axis=1),
    layers.SpatialDropout1D(0.5),
    layers.TimeDistributed(Dense(2)),
    layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)]),
    GRU(3, time_major=True, return_sequences=True),
]  # fmt: skip


@pytest.mark.parametrize("layer", ALONE, ids=lambda layer: layer.name)
def test_a_layer_alone(layer):
    x = Input((T, F))
    check(random_weights(Model(x, layer(x))), [X])


def test_sizes_stay_open(tmp_path):
    x = Input((None, F), name="x")
    h = layers.TimeDistributed(Dense(4, "relu"))(Bidirectional(LSTM(3, return_sequences=True))(layers.Masking()(x)))
    model = random_weights(Model(x, [layers.GlobalAveragePooling1D()(h), h]))
    made = export(model)
    assert [d.dim_param for d in made.graph.input[0].type.tensor_type.shape.dim][:2] == ["batch", "x_axis_1"]
    for x in (X, X[:1, :2], MASKED[:1]):
        for found, expected in zip(run(made, {"x": x}), model(x)):
            np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)
    path = tmp_path / "model.onnx"
    assert export(model, path).SerializeToString() == path.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


def test_a_model_exports_itself(tmp_path):
    x = Input((T, F))
    model = Model(x, Dense(1)(x))
    model.export(tmp_path / "model.onnx", format="onnx")
    np.testing.assert_array_equal(load(tmp_path / "model.onnx")(X), model(X))
    with pytest.raises(NotImplementedError, match="format='onnx' is"):
        model.export(tmp_path / "model")


def test_merging_and_operators():
    a, b = Input((T, F), name="a"), Input((T, F), name="b")
    m = layers.Masking()(a)
    outputs = [
        layers.Add()([a, b]), layers.Subtract()([a, b]), layers.Average()([a, b]), layers.Maximum()([a, b]),
        layers.Minimum()([a, b]), layers.Multiply()([m, layers.Masking()(b)]), layers.Multiply()([m, b]),
        layers.Concatenate()([a, b]), layers.Dot(axes=(2, 2), normalize=True)([a, b]), layers.Dot(axes=1)([a, b]),
        layers.Dot(axes=1)([a[:, 0], b[:, 1]]),
        (1 - a) * 2 / (abs(b) + 1), -a[:, ::-1, 1:], a[:, -1], a[..., None, 0], a[:, 1:3] @ np.ones((F, 2)),
        abs(a) ** 2.0,
        GRU(2)(layers.Concatenate(axis=1)([m, b])), LSTM(2)(layers.Concatenate()([m, layers.Masking()(b)])),
        layers.RepeatVector(3)(layers.GlobalAveragePooling1D()(m)),
    ]  # fmt: skip
    check(random_weights(Model([a, b], outputs)), [MASKED[:1], X[:1]])


def test_attention():
    q, v = Input((4, F), name="q"), Input((T, F), name="v")
    mq, mv = layers.Masking()(q), layers.Masking()(v)
    mask = Input((4, T), dtype="bool", name="mask")
    outputs = [
        layers.Attention()([q, v]), *layers.Attention(use_scale=True)([mq, mv], return_attention_scores=True),
        layers.Attention(score_mode="concat", use_scale=True)([q, v, v], use_causal_mask=True),
        layers.AdditiveAttention()([mq, mv]), layers.AdditiveAttention(use_scale=False)([q, v]),
        *layers.MultiHeadAttention(2, 3)(mq, mv, return_attention_scores=True),
        layers.MultiHeadAttention(2, 3, value_dim=2, output_shape=4, use_gate=True)(q, v, use_causal_mask=True),
        layers.MultiHeadAttention(1, 2, sliding_window=2, use_bias=False)(v, v),
        layers.MultiHeadAttention(2, 2)(q, v, attention_mask=mask),
        layers.MultiHeadAttention(2, 2)(q, v, value_mask=mask[:, 0], query_mask=mask[:, :, 0]),
        layers.Attention()([q, v], mask=[mask[:, :, 0], mask[:, 1]]),
    ]  # fmt: skip
    given = np.random.default_rng(1).random((2, 4, T)) < 0.5
    check(random_weights(Model([q, v, mask], outputs)), [MASKED[:, :4], X * (MASKED != 0), given])


def test_a_language_model_and_a_decoder():
    tokens = Input((None,), dtype="int32", name="tokens")
    _, h, c = LSTM(4, return_state=True)(layers.Embedding(7, F, mask_zero=True)(tokens))
    target = Input((None, F), name="target")
    y = LSTM(4, return_sequences=True)(target, initial_state=[h, c])
    inner = rnn_ref.Sequential([Input((None, 4)), layers.Dropout(0.3), Dense(7, "softmax")])
    model = random_weights(Model({"tokens": tokens, "target": target}, {"words": inner(y), "state": h}))
    names = [tensor.name for tensor in model.inputs]
    arrays = {"tokens": np.array([[1, 3, 0, 0], [6, 0, 2, 5]], "int32"), "target": X}
    made = export(model)
    found = dict(zip([o.name for o in made.graph.output], run(made, {name: arrays[name] for name in names})))
    for name, y in model(arrays).items():
        np.testing.assert_allclose(found[name], y, rtol=0, atol=2e-6)


def test_tokens_may_come_as_floats():
    model = rnn_ref.Sequential([Input((3,)), layers.Embedding(5, 2), SimpleRNN(2)])
    check(model, [np.array([[1, 4, 0]], "float32")])


def test_float64():
    x = Input((T, F), dtype="float64")
    model = Model(x, Dense(2, "tanh", dtype="float64")(layers.LayerNormalization(dtype="float64")(x)))
    check(random_weights(model), [X.astype("float64")], tolerance=1e-14)


class Own(layers.Layer):
    def call(self, x):
        return 2 * x


class OwnDense(Dense):
    def call(self, x):
        return 2 * super().call(x)


class OwnCell(layers.LSTMCell):
    def run(self, x, states, **options):
        return super().run(2 * x, states, **options)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: layers.Lambda(lambda x: x, name="odd"), "odd"),
        (lambda: Own(name="odd"), "odd.*cannot be written to ONNX"),
        (lambda: OwnDense(2, name="odd"), "odd.*something else than Dense"),
        (lambda: layers.RNN(OwnCell(2), name="odd"), "odd: the cell OwnCell"),
        (lambda: LSTM(2, activation="selu", name="odd"), "odd.*no activation 'selu'"),
        (lambda: layers.Activation("sparsemax", name="odd"), "odd.*'sparsemax'"),
        (lambda: layers.Activation(lambda x: x, name="odd"), "odd"),
        (lambda: layers.Softmax(axis=[1, 2], name="odd"), "odd.*several axes"),
        (lambda: layers.GroupNormalization(1, name="odd"), "odd.*cannot be written"),
    ],
)
def test_what_onnx_does_not_have(layer, message):
    x = Input((T, F))
    model = Model(x, layer()(x))
    with pytest.raises(NotImplementedError, match=message):
        export(model)


def test_what_is_no_graph():
    x = Input(batch_shape=(2, T, F))
    with pytest.raises(NotImplementedError, match="stateful=True; a graph keeps nothing"):
        export(Model(x, LSTM(2, stateful=True)(x)))
    with pytest.raises(NotImplementedError, match="training=True"):
        export(Model(x, layers.Dropout(0.5)(x, training=True)))
    y = Input((2, T, F))
    with pytest.raises(NotImplementedError, match="more than three axes"):
        export(Model(y, layers.Attention()([y, y])))
    with pytest.raises(ValueError, match="needs to know the graph"):
        export(rnn_ref.Sequential([LSTM(2)]))
    with pytest.raises(TypeError, match="got LSTM"):
        export(LSTM(2))

    class Called(Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="needs to know the graph"):
        export(Called())


def check_back(seed: int) -> bool:
    """Exported and read again, without masks, whose computation is read by nobody here."""
    c = configurations.draw(np.random.default_rng(seed), seed)
    front = None if c.front == "masking" else c.front
    c = replace(c, dtype="float32", stateful=False, mask=None, front=front)
    model, arrays = random_weights(running.build(rnn_ref, c), seed), running.data(c, np.random.default_rng(seed))
    try:
        made = export(model)
    except NotImplementedError:
        return False
    expected, found = (m(arrays if len(arrays) > 1 else arrays[0]) for m in (model, load(made.SerializeToString())))
    found = [found[place.name] for place in made.graph.output] if isinstance(found, dict) else [found]
    scale = max(np.abs(y).max() for y in flat(expected))
    for y, z in zip(flat(expected), found, strict=True):
        assert y.shape == z.shape, c
        assert np.abs(y - z).max() <= 2e-6 * scale, c
    return True


def test_random_models_there_and_back():
    assert sum(map(check_back, range(5000, 5020))) > 10


@pytest.mark.long
def test_many_random_models_there_and_back():
    assert sum(map(check_back, range(6000, 6300))) > 150
