"""Arguments of the wrong kind are refused, by every layer in the same words; and so are inputs of another width."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, layers

X = np.ones((2, 4, 3), "float32")
FLAGS = {
    "trainable": lambda v: layers.Dense(2, trainable=v),
    "use_bias": lambda v: layers.Dense(2, use_bias=v),
    "return_sequences": lambda v: layers.LSTM(2, return_sequences=v),
    "return_state": lambda v: layers.GRU(2, return_state=v),
    "go_backwards": lambda v: layers.SimpleRNN(2, go_backwards=v),
    "stateful": lambda v: layers.LSTM(2, stateful=v),
    "unroll": lambda v: layers.LSTM(2, unroll=v),
    "zero_output_for_mask": lambda v: layers.RNN(layers.GRUCell(2), zero_output_for_mask=v),
    "reset_after": lambda v: layers.GRU(2, reset_after=v),
    "unit_forget_bias": lambda v: layers.LSTM(2, unit_forget_bias=v),
    "mask_zero": lambda v: layers.Embedding(2, 2, mask_zero=v),
    "use_scale": lambda v: layers.Attention(use_scale=v),
    "keepdims": lambda v: layers.GlobalAveragePooling1D(keepdims=v),
    "center": lambda v: layers.LayerNormalization(center=v),
    "normalize": lambda v: layers.Dot(1, normalize=v),
}
SIZES = {
    "units": lambda v: layers.Dense(v),
    "units of a cell": lambda v: layers.LSTMCell(v),
    "input_dim": lambda v: layers.Embedding(v, 2),
    "output_dim": lambda v: layers.Embedding(2, v),
    "n": lambda v: layers.RepeatVector(v),
    "filters": lambda v: layers.Conv1D(v, 2),
}
RATES = {
    "dropout": lambda v: layers.LSTM(2, dropout=v),
    "recurrent_dropout": lambda v: layers.GRU(2, recurrent_dropout=v),
    "rate": lambda v: layers.Dropout(v),
    "stddev": lambda v: layers.GaussianNoise(v),
}


@pytest.mark.parametrize("name", FLAGS)
def test_flags_are_true_or_false(name):
    FLAGS[name](np.True_)
    for wrong in ("no", "False", None, 0.5, 2):
        with pytest.raises(ValueError, match=f"`{name}` must be True or False. Received: {name}="):
            FLAGS[name](wrong)


def test_trainable_is_checked_later_too():
    layer = layers.Dense(2)
    layer.trainable = False
    with pytest.raises(ValueError, match="must be True or False"):
        layer.trainable = "yes"
    model = rnn_ref.Sequential([Input((3,)), layer])
    model.trainable = np.bool_(False)
    assert not model.trainable_weights


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_positive_integers(name):
    for right in (2, np.int64(2), np.uint8(2)):
        SIZES[name](right)
    for wrong in (0, -1, 2.0, 2.5, "2", None, True, [2], np.nan):
        with pytest.raises(ValueError, match=f"{name.split()[0]} must be a positive integer, got"):
            SIZES[name](wrong)


@pytest.mark.parametrize("name", RATES)
def test_rates_are_numbers_from_0_to_1(name):
    for right in (0, 1, 0.5, np.float32(0.5)):
        RATES[name](right)
    for wrong in (-0.1, 1.5, "0.5", None, np.nan, [0.1], True):
        with pytest.raises(ValueError, match=f"{name} must be a number between 0 and 1, got"):
            RATES[name](wrong)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(2),
        layers.LSTM(2),
        layers.RNN([layers.GRUCell(2), layers.LSTMCell(2)]),
        layers.Bidirectional(layers.GRU(2)),
        layers.TimeDistributed(layers.Dense(2)),
        layers.LayerNormalization(),
    ],
)
def test_a_layer_takes_inputs_of_one_width(layer):
    layer(Input((None, 3)))
    layer(Input((7, 3)))
    with pytest.raises(ValueError, match=r"\b3\b.*got.*\b5\b"):
        layer(Input((None, 5)))
    with pytest.raises(ValueError, match=r"\b3\b.*got.*\b5\b"):
        layer(np.ones((2, 4, 5)))
    assert len(layer.nodes) == 2
