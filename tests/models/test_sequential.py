"""Sequential: structure, summary, errors."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Sequential, layers


def lines_of(model, **options) -> list[str]:
    lines = []
    model.summary(print_fn=lines.append, **options)
    return lines


@pytest.mark.parametrize(
    ("layer_list", "total", "memory"),
    [
        # published: the summaries in TensorFlow's and others' RNN guides
        ([layers.SimpleRNN(units=64, input_shape=(10, 5)), layers.Dense(1)], 4545, "17.75 KB"),
        ([layers.LSTM(units=64, input_shape=(10, 5)), layers.Dense(1)], 17985, "70.25 KB"),
        ([layers.GRU(units=64, input_shape=(10, 5)), layers.Dense(1)], 13697, "53.50 KB"),
        (
            [layers.LSTM(64, return_sequences=True, input_shape=(10, 5)), layers.LSTM(32), layers.Dense(1)],
            30369,
            "118.63 KB",
        ),
    ],
)
def test_summary_prints_the_published_totals(layer_list, total, memory):
    lines = lines_of(Sequential(layer_list))
    assert f"Total params: {total} ({memory})" in lines
    assert f"Trainable params: {total} ({memory})" in lines
    assert "Non-trainable params: 0 (0.00 Byte)" in lines


def test_summary_is_tensorflows_table():
    model = Sequential(
        [
            Input((10, 5)),
            layers.LSTM(64, return_sequences=True, name="lstm_3"),
            layers.Dense(1, name="a_very_long_name_for_such_a_small_layer"),
        ],
        name="tagger",
    )
    assert lines_of(model) == [
        'Model: "tagger"',
        "_" * 65,
        " Layer (type)                Output Shape              Param #",
        "=" * 65,
        " lstm_3 (LSTM)               (None, 10, 64)            17920",
        "",
        " a_very_long_name_for_such_  (None, 10, 1)             65",
        " a_small_layer (Dense)",
        "",
        "=" * 65,
        "Total params: 17985 (70.25 KB)",
        "Trainable params: 17985 (70.25 KB)",
        "Non-trainable params: 0 (0.00 Byte)",
        "_" * 65,
    ]


def test_summary_counts_frozen_layers_apart():
    model = Sequential([Input((10, 5)), layers.LSTM(64, trainable=False), layers.Dense(1)])
    lines = lines_of(model, show_trainable=True)
    assert "Trainable params: 65 (260.00 Byte)" in lines
    assert "Non-trainable params: 17920 (70.00 KB)" in lines


def test_an_unbuilt_model_says_so():
    with pytest.raises(ValueError, match="cannot be counted"):
        layers.LSTM(3).count_params()


def test_add_and_pop():
    model = Sequential([Input((4, 2)), layers.GRU(3)])
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2)
    model.pop()
    assert model.output_shape == (None, 3)
    assert model(np.zeros((5, 4, 2))).shape == (5, 3)
    with pytest.raises(TypeError, match="no layer to remove"):
        Sequential().pop()
    with pytest.raises(ValueError, match="takes a layer"):
        model.add("lstm")


def test_a_stack_that_forgets_return_sequences_is_told():
    with pytest.raises(ValueError, match=r"return_sequences=True"):
        Sequential([Input((10, 5)), layers.LSTM(4), layers.LSTM(3)])
    model = Sequential([layers.LSTM(4), layers.LSTM(3)])  # not built yet: told at the first call
    with pytest.raises(ValueError, match=r"return_sequences=True"):
        model(np.zeros((2, 10, 5)))


def test_names_must_differ():
    with pytest.raises(ValueError, match="named 'a' already"):
        Sequential([layers.LSTM(4, name="a", return_sequences=True), layers.LSTM(3, name="a")])


def test_config_round_trip():
    model = Sequential(
        [Input((6, 2)), layers.LSTM(4, return_sequences=True), layers.Flatten(), layers.Dense(2, "tanh")]
    )
    copy = Sequential.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(3, 6, 2))
    np.testing.assert_array_equal(model(x), copy(x))
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]


def test_the_gradient_of_a_stack_is_right():
    model = Sequential(
        [
            Input((5, 3)),
            layers.SimpleRNN(4, return_sequences=True),
            layers.GRU(3, return_sequences=True, go_backwards=True),
            layers.Activation("softplus"),
            layers.LSTM(3),
            layers.Dense(2, "softmax"),
        ]
    )
    errors = rnn_ref.check_gradients(model, np.random.default_rng(1).normal(size=(3, 5, 3)))
    assert len(errors) == 1 + len(model.weights)
    assert max(errors.values()) < 1e-6, errors


def test_weights_survive_and_must_fit():
    model = Sequential([Input((5, 3)), layers.GRU(4), layers.Dense(1)])
    weights = model.get_weights()
    model.set_weights([w + 1 for w in weights])
    np.testing.assert_array_equal(model.get_weights()[0], weights[0] + 1)
    with pytest.raises(ValueError, match="expected 5"):
        model.set_weights(weights[:-1])
    weights[0] = weights[0][:1]
    with pytest.raises(ValueError, match=r"shape \(1, 12\), expected \(3, 12\)"):
        model.set_weights(weights)
