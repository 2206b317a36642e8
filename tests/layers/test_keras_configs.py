"""Configurations are those of Keras 3, key by key, and each library reads what the other wrote."""

import inspect
import json

import numpy as np
import pytest

import rnn_ref

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

ARGUMENTS = {
    "Activation": {"activation": "relu"},
    "AveragePooling1D": {"pool_size": 2},
    "Conv1D": {"filters": 2, "kernel_size": 3, "padding": "causal", "kernel_regularizer": "l2"},
    "Dense": {"units": 2, "kernel_initializer": "he_normal", "dtype": "float64"},
    "Dot": {"axes": 1},
    "Dropout": {"rate": 0.5, "seed": 1},
    "Embedding": {"input_dim": 3, "output_dim": 2, "embeddings_constraint": "unit_norm"},
    "GRU": {"units": 2, "activity_regularizer": "l2"},
    "GRUCell": {"units": 2},
    "GaussianNoise": {"stddev": 0.5, "seed": 1},
    "InputLayer": {"shape": (3,)},
    "LSTM": {"units": 2, "recurrent_dropout": 0.25, "seed": 3, "trainable": False},
    "LSTMCell": {"units": 2},
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 3, "output_shape": 4},
    "Permute": {"dims": (2, 1)},
    "RepeatVector": {"n": 2},
    "Reshape": {"target_shape": (2,)},
    "SimpleRNN": {"units": 2},
    "SimpleRNNCell": {"units": 2},
    "SpatialDropout1D": {"rate": 0.5, "seed": 1},
    "IoU": {"num_classes": 2, "target_class_ids": [0]},
    "OneHotIoU": {"num_classes": 2, "target_class_ids": [0]},
    "MeanIoU": {"num_classes": 2},
    "OneHotMeanIoU": {"num_classes": 2},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "Constant": {"value": 2.0},
    "VarianceScaling": {"scale": 2.0, "mode": "fan_out"},
    "Identity": {},
}
# Options of optimizers that may not be there: Keras's value says that they do nothing.
SWITCHED_OFF = (
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)
HOLDING = {
    "Bidirectional": lambda k: k.Bidirectional(k.LSTM(2, name="inside"), name="outside"),
    "RNN": lambda k: k.RNN([k.LSTMCell(2, name="first"), k.GRUCell(2, name="second")], name="outside"),
    "StackedRNNCells": lambda k: k.StackedRNNCells(
        [k.LSTMCell(2, name="first"), k.GRUCell(2, name="second")], name="x"
    ),
    "TimeDistributed": lambda k: k.TimeDistributed(k.Dense(2, name="inside"), name="outside"),
    "Wrapper": lambda k: k.Wrapper(k.Dense(2, name="inside"), name="outside"),
}
# A function cannot be written; Layer itself has no configuration but that of its options; bases are not made.
LEFT_OUT = {"Lambda", "Layer", "Loss", "Metric", "MeanMetricWrapper", "Optimizer", "Initializer", "Regularizer"}


def classes(module: str) -> list:
    """The names of the classes that both libraries have, each once."""
    theirs, ours = getattr(keras, module), getattr(rnn_ref, module)
    return sorted(
        name
        for name in dir(theirs)
        if inspect.isclass(kind := getattr(theirs, name))
        and kind.__name__ == name
        and name not in LEFT_OUT
        and name in vars(ours)
    )


def made(library, module: str, name: str):
    place = getattr(library, module)
    if name in HOLDING:
        return HOLDING[name](place)
    named = {} if module in ("initializers", "regularizers", "constraints") else {"name": "x"}
    return getattr(place, name)(**ARGUMENTS.get(name, {}), **named)


def plain(config):
    """As it comes back from a file."""
    return json.loads(json.dumps(config))


def rounded(config):
    """With float32's digits, in which Keras holds some numbers."""
    return json.loads(json.dumps(config), parse_float=lambda text: float(np.float32(text)))


@pytest.mark.parametrize("name", classes("layers"))
def test_layers(name):
    ours, theirs = made(rnn_ref, "layers", name), made(keras, "layers", name)
    written, expected = rounded(ours.get_config()), rounded(theirs.get_config())
    if name == "RNN":  # the stack itself was not named, and is counted
        for config in (written, expected):
            assert config["cell"]["config"].pop("name").startswith("stacked_rnn_cells")
    assert written == expected
    read = type(ours).from_config(plain(theirs.get_config()))
    assert read.dtype == ours.dtype
    assert read.trainable == ours.trainable
    kept = type(theirs).from_config(plain(ours.get_config()))
    for again, first in ((read, ours), (kept, theirs)):
        assert rounded(again.get_config()) == rounded(first.get_config()) or name == "RNN"


@pytest.mark.parametrize("module", ["initializers", "regularizers", "constraints", "losses", "metrics", "optimizers"])
def test_what_layers_and_models_are_compiled_with(module):
    ours_of, theirs_of = getattr(rnn_ref, module), getattr(keras, module)
    wrong = {}
    for name in classes(module):
        ours, theirs = made(rnn_ref, module, name), made(keras, module, name)
        written, expected = plain(ours_of.serialize(ours)), plain(theirs_of.serialize(theirs))
        ours_of.deserialize(plain(expected))
        theirs_of.deserialize(plain(written))  # a copy: Keras writes into what it reads
        mine, yours = rounded(written["config"]), rounded(expected["config"])
        # What Keras forgets to write (the axis of a loss) stands here too; metrics say None for the default dtype.
        missing = {
            key: (mine.get(key, "nothing"), value)
            for key, value in yours.items()
            if mine.get(key, "nothing") != value
            and not (key == "dtype" and mine.get(key, 0) is None)
            and not (key in SWITCHED_OFF and key not in mine)
        }
        if missing or {k: v for k, v in written.items() if k != "config"} != {
            k: v for k, v in expected.items() if k != "config"
        }:
            wrong[name] = missing
    assert not wrong


def model(library):
    layers = library.layers
    a, b = library.Input((4,), name="ids"), library.Input((4, 3), name="series")
    x = layers.Embedding(5, 6, mask_zero=True, name="embedding")(a)
    x, h = layers.GRU(6, return_sequences=True, return_state=True, name="encoder")(x)
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True, name="lstm"), name="both")(b)
    z = layers.SimpleRNN(6, return_sequences=True, name="decoder")(y, initial_state=h)
    z = layers.Attention(name="attention")([z, x])
    inner = library.Sequential([library.Input((4, 6)), layers.Dense(2, name="inner_dense")], name="inner")
    return library.Model([a, b], layers.Flatten(name="flat")(inner(z)), name="model")


def sequential(library):
    layers = library.layers
    return library.Sequential(
        [library.Input((4, 3)), layers.LSTM(3, dropout=0.5, name="lstm"), layers.Dense(1, name="dense")], name="stack"
    )


@pytest.mark.parametrize("make", [model, sequential])
def test_models_go_both_ways(make):
    drawn = np.random.default_rng(0)
    ours, theirs = make(rnn_ref), make(keras)
    x = [drawn.integers(0, 5, (2, 4)), drawn.normal(size=(2, 4, 3)).astype("float32")]
    x = x if make is model else x[1]
    read = type(ours).from_config(plain(theirs.get_config()))
    kept = type(theirs).from_config(plain(ours.get_config()))
    weights = [drawn.normal(size=w.shape) for w in theirs.weights]
    results = []
    for each in (ours, theirs, read, kept):
        each.set_weights(weights)
        results.append(each.predict(x, verbose=0))
    for y in results[1:]:
        np.testing.assert_allclose(y, results[0], rtol=1e-4, atol=1e-5)


def test_masks_that_keras_computes_by_operations():
    layers = keras.layers
    series, ids = keras.Input((4, 3)), keras.Input((4,))
    x = layers.Masking(0.5)(series)
    y = layers.LSTM(3, return_sequences=True, dropout=0.5)(x)
    words = layers.Embedding(5, 3, mask_zero=True)(ids)
    z = layers.GRU(2)(layers.Dense(2)(words))
    theirs = keras.Model([series, ids], [layers.GRU(2)(y), z])
    ours = rnn_ref.Model.from_config(plain(theirs.get_config()))
    ours.set_weights(theirs.get_weights())
    drawn = np.random.default_rng(0)
    a = drawn.normal(size=(2, 4, 3)).astype("float32")
    a[:, 2:] = 0.5
    given = [a, np.array([[1, 2, 0, 0], [3, 0, 0, 0]])]
    for one, other in zip(ours.predict(given, verbose=0), theirs.predict(given, verbose=0)):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert not np.array_equal(ours(given, training=True)[0], ours(given)[0])  # dropout acts

    other = keras.Model([series, ids], layers.LSTM(2)(series, mask=keras.ops.not_equal(ids, 0)))
    with pytest.raises(ValueError, match="is not the one that its input brings along"):
        rnn_ref.Model.from_config(plain(other.get_config()))
    with pytest.raises(ValueError, match=r"the operation 'not_equal.*' \(NotEqual\) is no layer"):
        rnn_ref.Model.from_config(plain(keras.Model(ids, layers.Dense(2)(keras.ops.not_equal(ids, 0))).get_config()))


def test_what_cannot_be_read_says_so():
    config = keras.layers.Dense(2, name="d").get_config()
    with pytest.raises(TypeError, match="Dense has no argument 'bogus'"):
        rnn_ref.layers.Dense.from_config(config | {"bogus": 1})
    half = keras.layers.Dense(2, dtype="mixed_float16").get_config()
    with pytest.raises(ValueError, match="mixed_float16"):
        rnn_ref.layers.Dense.from_config(half)
    with pytest.raises(NotImplementedError, match="quantization_config"):
        rnn_ref.layers.Dense.from_config(config | {"quantization_config": {"mode": "int8"}})


def test_precisions_are_keras_s_policies():
    policy = keras.DTypePolicy("float64")
    assert rnn_ref.layers.Dense(2, dtype=policy).dtype == "float64"
    assert rnn_ref.layers.LSTM.from_config(keras.layers.LSTM(2, dtype="float64").get_config()).cell.dtype == "float64"
