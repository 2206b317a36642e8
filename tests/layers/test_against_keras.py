"""The layers without a recurrence: outputs, masks, gradients and configs against Keras's layers.

Outputs are those of Keras on NumPy, which compiles nothing; gradients are differences of outputs. Where there is no
derivative, at ties and at what a layer masks by value, Keras's on JAX decide.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_ENABLE_X64", "1")

import warnings

import jax
import keras
import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

from .. import keras_on_numpy

B, T, F = 3, 4, 5
S, V = (B, T, F), (B, 6, F)  # a sequence, and one of another length


def draw(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def mask(*shape, seed=1):
    drawn = np.random.default_rng(seed).random(shape) < 0.6
    drawn[:, 0] = True
    return drawn


M, N = mask(B, T), mask(B, T, seed=2)
MQ, MV, N6 = mask(B, T, seed=3), mask(B, 6, seed=4), mask(B, 6, seed=5)

# (class, arguments, shapes of the inputs, masks of the inputs, arguments of the call)
CASES = [
    ("Masking", {}, [S], [M], {}),
    ("Masking", {"mask_value": 0.1}, [S], [None], {}),
    ("Add", {}, [S, S, S], [M, N, M], {}),
    ("Add", {}, [S, (B, F)], [None, None], {}),
    ("Add", {}, [S, (B, 1, F), (B, T, 1)], [None] * 3, {}),
    ("Subtract", {}, [S, S], [M, None], {}),
    ("Subtract", {}, [(B, 1, F), S], [None, None], {}),
    ("Average", {}, [S, S, (B, T, 1)], [None] * 3, {}),
    ("Multiply", {}, [S, S, S], [None] * 3, {}),
    ("Multiply", {}, [S, S, S], [M, N, N], {}),
    ("Multiply", {}, [S, S, S], [M, None, N], {}),
    ("Multiply", {}, [S, (B, F)], [M, None], {}),
    ("Maximum", {}, [S, S, S], [None] * 3, {}),
    ("Maximum", {}, [S, S, S], [M, N, N], {}),
    ("Maximum", {}, [S, S, S], [M, None, N], {}),
    ("Maximum", {}, [S, S, S], [None, M, N], {}),
    ("Minimum", {}, [S, (B, 1, F)], [None, None], {}),
    ("Minimum", {}, [S, S], [M, N], {}),
    ("Concatenate", {}, [S, (B, T, 2)], [M, N], {}),
    ("Concatenate", {}, [S, (B, T, 2)], [M, None], {}),
    ("Concatenate", {"axis": 1}, [S, V], [M, MV], {}),
    ("Concatenate", {"axis": 1}, [S, V], [None, MV], {}),
    ("Concatenate", {"axis": -2}, [S, V], [None, None], {}),
    ("Dot", {"axes": 2}, [S, V], [M, None], {}),
    ("Dot", {"axes": -1, "normalize": True}, [S, V], [None, None], {}),
    ("Dot", {"axes": 1}, [(B, F), (B, F)], [None, None], {}),
    ("Dot", {"axes": (1, 2)}, [S, (B, 6, T)], [None, None], {}),
    ("Dot", {"axes": (2, 1), "normalize": True}, [S, (B, F)], [None, None], {}),
    ("Dot", {"axes": (1, 2)}, [(B, F), S], [None, None], {}),
    ("Dot", {"axes": (2, 3)}, [(B, 2, F, 3), (B, 2, 2, F)], [None, None], {}),
    ("Attention", {}, [S, V], [None, None], {}),
    ("Attention", {"use_scale": True}, [S, V], [MQ, MV], {}),
    ("Attention", {"use_scale": True}, [S, V, V], [MQ, MV, None], {"return_attention_scores": True}),
    ("Attention", {}, [S, S], [None, M], {"use_causal_mask": True}),
    ("Attention", {}, [S, (B, 6, 2), V], [None, None, None], {}),
    ("Attention", {"score_mode": "concat"}, [S, V], [None, MV], {"return_attention_scores": True}),
    ("Attention", {"score_mode": "concat", "use_scale": True}, [S, V, V], [None, MV, None], {}),
    ("AdditiveAttention", {}, [S, V], [MQ, MV], {"return_attention_scores": True}),
    ("AdditiveAttention", {}, [S, S, S], [None, None, None], {"use_causal_mask": True}),
    ("AdditiveAttention", {"use_scale": False}, [S, V], [None, None], {}),
    ("LayerNormalization", {}, [S], [M], {}),
    ("LayerNormalization", {"axis": 1, "epsilon": 1e-5}, [S], [None], {}),
    ("LayerNormalization", {"axis": [2, 1], "center": False}, [S], [None], {}),
    ("LayerNormalization", {"axis": [-1], "scale": False}, [(B, F)], [None], {}),
    ("LayerNormalization", {"scale": False, "center": False}, [S], [None], {}),
    ("Reshape", {"target_shape": (10, -1)}, [S], [M], {}),
    ("Reshape", {"target_shape": (20,)}, [S], [None], {}),
    ("Permute", {"dims": (2, 1)}, [S], [M], {}),
    ("Permute", {"dims": (3, 1, 2)}, [(B, 2, 3, 4)], [None], {}),
    ("RepeatVector", {"n": 3}, [(B, F)], [None], {}),
    ("GlobalAveragePooling1D", {}, [S], [M], {}),
    ("GlobalAveragePooling1D", {"keepdims": True}, [S], [None], {}),
    ("GlobalAveragePooling1D", {"data_format": "channels_first"}, [(B, F, T)], [M], {}),
    ("GlobalAvgPool1D", {"data_format": "channels_first", "keepdims": True}, [(B, F, T)], [M], {}),
    ("GlobalMaxPooling1D", {}, [S], [M], {}),
    ("GlobalMaxPool1D", {"keepdims": True, "data_format": "channels_first"}, [S], [None], {}),
    ("Dropout", {"rate": 0.5}, [S], [M], {}),
    ("Dropout", {"rate": 1.0}, [S], [M], {"training": True}),
    ("SpatialDropout1D", {"rate": 0.5}, [S], [M], {}),
    ("GaussianNoise", {"stddev": 0.5}, [S], [M], {}),
    ("ActivityRegularization", {"l1": 0.1}, [S], [M], {}),
    ("Identity", {}, [S], [M], {}),
    ("ReLU", {}, [S], [M], {}),
    ("ReLU", {"max_value": 0.8, "negative_slope": 0.25, "threshold": 0.3}, [S], [None], {}),
    ("LeakyReLU", {"negative_slope": 0.25}, [S], [M], {}),
    ("ELU", {"alpha": 0.5}, [S], [M], {}),
    ("PReLU", {}, [S], [M], {}),
    ("PReLU", {"shared_axes": [1]}, [S], [None], {}),
    ("Softmax", {"axis": 1}, [S], [None], {}),
    ("Softmax", {"axis": (1, 2)}, [S], [None], {}),  # a list is too much for Keras on NumPy
    ("Softmax", {}, [(B, T)], [M], {}),
    ("UnitNormalization", {}, [S], [M], {}),
    ("UnitNormalization", {"axis": [1, 2]}, [S], [None], {}),
    ("RMSNormalization", {}, [S], [M], {}),
    ("RMSNormalization", {"axis": [1, 2], "epsilon": 0.1}, [S], [None], {}),
    ("GroupNormalization", {"groups": -1}, [S], [M], {}),
    ("GroupNormalization", {"groups": 2, "axis": 1, "epsilon": 0.1}, [S], [None], {}),
    ("GroupNormalization", {"groups": 1, "center": False, "axis": -2}, [S], [None], {}),
    ("GroupNormalization", {"groups": 3, "scale": False, "epsilon": 0.1}, [(B, 6)], [None], {}),
    ("BatchNormalization", {}, [S], [M], {}),
    ("BatchNormalization", {}, [S], [None], {"training": True}),
    ("BatchNormalization", {"axis": 1, "scale": False}, [S], [None], {"training": True}),
    ("BatchNormalization", {"center": False, "epsilon": 0.1, "momentum": 0.5}, [S], [M], {"training": True}),
    ("BatchNormalization", {"axis": 1}, [S], [M], {"training": True}),
    ("BatchNormalization", {}, [(B, F)], [None], {"training": True}),
    ("BatchNormalization", {"trainable": False}, [S], [M], {"training": True}),
    ("Conv1D", {"filters": 3, "kernel_size": 2}, [S], [M], {}),
    ("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, [S], [None], {}),
    ("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "same", "strides": 2, "use_bias": False}, [V], [None], {}),
    (
        "Conv1D",
        {"filters": 4, "kernel_size": 2, "padding": "causal", "strides": 2, "groups": 2},
        [(B, T, 6)],
        [None],
        {},
    ),
    ("Conv1D", {"filters": 5, "kernel_size": 4, "padding": "same", "groups": 5, "activation": "tanh"}, [S], [None], {}),
    ("Conv1D", {"filters": 3, "kernel_size": 2, "dilation_rate": 2, "data_format": "channels_first"}, [S], [None], {}),
    ("MaxPooling1D", {}, [S], [M], {}),
    ("MaxPooling1D", {"pool_size": 3, "strides": 1, "padding": "same"}, [S], [None], {}),
    ("MaxPool1D", {"pool_size": 2, "strides": 3, "data_format": "channels_first"}, [S], [None], {}),
    ("AveragePooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}, [S], [None], {}),
    ("AveragePooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}, [V], [M], {}),
    ("AvgPool1D", {"pool_size": 2, "strides": 1, "data_format": "channels_first"}, [S], [None], {}),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, [S, S], [None, None], {}),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, [S, S], [None, M], {"use_causal_mask": True}),
    (
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "value_dim": 2, "output_shape": 4, "use_bias": False},
        [S, (B, 6, 2), V],
        [MQ, MV, N6],
        {"return_attention_scores": True},
    ),
    (
        "MultiHeadAttention",
        {"num_heads": 3, "key_dim": 2, "output_shape": (2, 3)},
        [S, V],
        [None, None],
        {"attention_mask": mask(B, T, 6, seed=7)},
    ),
]
NAMES = ("name", "arguments", "shapes", "masks", "call")
each_case = pytest.mark.parametrize(NAMES, CASES, ids=[f"{c[0]}-{k}" for k, c in enumerate(CASES)])
CLOSE = {"rtol": 1e-9, "atol": 1e-11}
JUMPS = ("Masking", "Maximum", "Minimum", "GlobalMaxPooling1D", "GlobalMaxPool1D", "MaxPooling1D", "MaxPool1D")


@pytest.fixture
def k(keras_in):
    """Keras on NumPy, in float64 throughout."""
    with keras_on_numpy.imported(), keras_in("float64"):
        yield keras_on_numpy.keras


def make(k, name, arguments, shapes):
    inputs = [draw(shape, seed) for seed, shape in enumerate(shapes)]
    if name == "Masking":
        inputs[0][:, 2] = arguments.get("mask_value", 0.0)
    if name in ("Maximum", "GlobalMaxPooling1D"):
        inputs[0][:, 1] = inputs[-1][:, 2]  # ties
        inputs[-1][:, 1] = inputs[-1][:, 2]
    ours = getattr(layers, name)(**arguments, dtype="float64")
    ours.ensure_built([x.shape for x in inputs] if len(inputs) > 1 else inputs[0].shape)
    theirs = getattr(k.layers, name)(**arguments, dtype="float64")
    shapes = [x.shape for x in inputs]
    theirs.build(*shapes) if name == "MultiHeadAttention" else theirs.build(shapes if len(shapes) > 1 else shapes[0])
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    drawn = [draw(w.shape, 9 + k) for k, w in enumerate(ours.weights)]
    ours.set_weights([abs(value) if w.name == "moving_variance" else value for value, w in zip(drawn, ours.weights)])
    theirs.set_weights(ours.get_weights())
    return ours, theirs, inputs


def keras_call(k, layer, inputs, masks, call):
    inputs = [k.ops.convert_to_tensor(x) for x in inputs]
    for x, m in zip(inputs, masks):
        if m is not None:
            k.src.backend.set_keras_mask(x, k.ops.convert_to_tensor(m))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if type(layer).__name__ == "MultiHeadAttention":
            return layer(*inputs, **call)
        return layer(inputs if len(inputs) > 1 else inputs[0], **call)


def flat(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


@each_case
def test_outputs_and_masks(k, name, arguments, shapes, masks, call):
    ours, theirs, inputs = make(k, name, arguments, shapes)
    expected = flat(keras_call(k, theirs, inputs, masks, call))
    expected_mask = k.src.backend.get_keras_mask(expected[0])
    several = len(inputs) > 1
    x, mask = (inputs, masks) if several else (inputs[0], masks[0])
    assert ours.supports_masking == theirs.supports_masking
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outputs, _, out_mask = ours.run(x, mask=mask, **{"training": False} | call)
    lost = not ours.supports_masking and any(m is not None for m in masks)
    assert any("does not hand on the mask" in str(w.message) for w in caught) == lost

    assert len(expected) == len(flat(outputs))
    for y, e in zip(flat(outputs), expected):
        # Keras scales the scores of several heads in float32.
        np.testing.assert_allclose(y, e, **({"rtol": 1e-5, "atol": 2e-6} if name == "MultiHeadAttention" else CLOSE))
        assert y.dtype == np.float64
    for w, e in zip(ours.weights, theirs.weights):  # some change while the layer runs
        np.testing.assert_allclose(w.numpy(), e, **CLOSE)
    our_mask = flat(out_mask)[0] if several or call.get("return_attention_scores") else out_mask
    assert (our_mask is None) == (expected_mask is None)
    if our_mask is not None:
        np.testing.assert_array_equal(our_mask, expected_mask)
    static = [None, *expected[0].shape[1:]]
    free = [(None, *s[1:]) for s in shapes]
    assert list(ours.compute_output_shape(free if several else free[0])) == static


@pytest.mark.parametrize(NAMES, [case for case in CASES if case[0] in JUMPS], ids=lambda value: str(value)[:40])
def test_gradients_where_there_is_no_derivative(name, arguments, shapes, masks, call):
    ours, theirs, inputs = make(keras, name, arguments, shapes)
    several = len(inputs) > 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # layers that lose the mask
        outputs, tape, _ = ours.run(inputs if several else inputs[0], mask=masks if several else masks[0])
    dy = draw(outputs.shape, 20)
    _, pull_back = jax.vjp(lambda inputs: keras_call(keras, theirs, inputs, masks, call), inputs)
    (expected,) = pull_back(jax.numpy.asarray(dy))
    gradients = ours.backward(tape, dy)
    for dx, e in zip(gradients.inputs if several else [gradients.inputs], expected, strict=True):
        assert dx.shape == e.shape
        np.testing.assert_allclose(dx, e, **CLOSE)


@each_case
def test_gradients_by_differences(k, name, arguments, shapes, masks, call):
    ours, _, inputs = make(k, name, arguments, shapes)
    # Without ties and masked steps, where there is no derivative.
    inputs = [draw(shape, seed) for seed, shape in enumerate(shapes)]
    given = dict(call)
    if ours.takes_mask:
        given["mask"] = masks if len(inputs) > 1 else masks[0]
    errors = rnn_ref.check_gradients(ours, inputs if len(inputs) > 1 else inputs[0], samples=12, seed=50, **given)
    assert len(errors) == len(inputs) + len([w for w in ours.weights if w.trainable])
    assert max(errors.values()) < 1e-6


@each_case
def test_config_round_trip(k, name, arguments, shapes, masks, call):
    ours, theirs, inputs = make(k, name, arguments, shapes)
    config = ours.get_config()
    again = type(ours).from_config(config)
    assert again.get_config() == config
    x = inputs if len(inputs) > 1 else inputs[0]
    again.ensure_built([a.shape for a in inputs] if len(inputs) > 1 else x.shape)
    again.set_weights(ours.get_weights())
    called = inputs if name == "MultiHeadAttention" else [x]
    for a, b in zip(flat(ours(*called)), flat(again(*called))):
        np.testing.assert_array_equal(a, b)
    unknown = set(theirs.get_config()) - set(config) - {"rms_scaling", "activity_regularizer"}
    assert not unknown


def test_float32_by_default():
    for name, arguments, shapes, _, _ in CASES:
        layer = getattr(layers, name)(**arguments)
        x = [draw(shape) for shape in shapes]
        y, tape = layer.forward(x if len(x) > 1 else x[0])
        assert y.dtype == np.float32, name
        for dx in flat(layer.backward(tape, np.ones(y.shape)).inputs):
            assert dx.dtype == np.float32, name


def test_functions(k):
    a, b = draw(S), draw(S, 1)
    for name in ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot"):
        expected = getattr(k.layers, name)([a, b], dtype="float64")
        np.testing.assert_allclose(getattr(layers, name)([a, b], dtype="float64"), expected, rtol=1e-12)
    assert layers.concatenate([a, b], axis=1).shape == (B, 2 * T, F)
    assert layers.dot([a, b], axes=2, normalize=True).shape == (B, T, T)
