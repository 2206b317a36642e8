"""A guide to RNN layers: its models, the numbers it prints, and its sentiment classifier."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref.layers import GRU, LSTM, Bidirectional, Dense, Dropout, Embedding, SimpleRNN, TimeDistributed
from rnn_ref.models import Sequential
from rnn_ref.preprocessing.sequence import pad_sequences
from rnn_ref.preprocessing.text import Tokenizer

SHAPE = (10, 5)
MODELS = {
    "SimpleRNN": lambda: [SimpleRNN(units=64, activation="tanh", input_shape=SHAPE), Dense(1)],
    "LSTM": lambda: [
        LSTM(units=64, activation="tanh", recurrent_activation="sigmoid", input_shape=SHAPE, return_sequences=False),
        Dense(1),
    ],
    "GRU": lambda: [
        GRU(units=64, activation="tanh", recurrent_activation="sigmoid", input_shape=SHAPE, return_sequences=False),
        Dense(1),
    ],
    "stacked": lambda: [LSTM(64, return_sequences=True, input_shape=SHAPE), LSTM(32, return_sequences=False), Dense(1)],
    "Bidirectional": lambda: [Bidirectional(LSTM(64, return_sequences=False), input_shape=SHAPE), Dense(1)],
    "TimeDistributed": lambda: [LSTM(64, return_sequences=True, input_shape=SHAPE), TimeDistributed(Dense(1))],
}
# For each layer: class, output shape, parameters. Then the total and its size in memory.
PRINTED = {
    "SimpleRNN": ([("SimpleRNN", (None, 64), 4480), ("Dense", (None, 1), 65)], "4545 (17.75 KB)"),
    "LSTM": ([("LSTM", (None, 64), 17920), ("Dense", (None, 1), 65)], "17985 (70.25 KB)"),
    "GRU": ([("GRU", (None, 64), 13632), ("Dense", (None, 1), 65)], "13697 (53.50 KB)"),
    "stacked": (
        [("LSTM", (None, 10, 64), 17920), ("LSTM", (None, 32), 12416), ("Dense", (None, 1), 33)],
        "30369 (118.63 KB)",
    ),
    "Bidirectional": ([("Bidirectional", (None, 128), 35840), ("Dense", (None, 1), 129)], "35969 (140.50 KB)"),
    "TimeDistributed": (
        [("LSTM", (None, 10, 64), 17920), ("TimeDistributed", (None, 10, 1), 65)],
        "17985 (70.25 KB)",
    ),
}


def rows_of(model):
    """The rows of a printed summary, each one line, and the lines below the table."""
    printed = []
    model.summary(print_fn=printed.append)
    table, below = "\n".join(printed).split("=" * 65)[1:]
    rows = []
    for row in filter(str.strip, table.split("\n\n")):
        first, *more = row.strip("\n").split("\n")
        name, shape, count = first[1:29].strip(), first[29:55].strip(), first[55:].strip()
        rows.append((name + "".join(line.strip() for line in more), shape, int(count)))
    return rows, below


@pytest.mark.parametrize("name", MODELS)
def test_printed_numbers(name):
    layers, total = PRINTED[name]
    rows, below = rows_of(Sequential(MODELS[name]()))
    assert [(label.rpartition("(")[2][:-1], shape, count) for label, shape, count in rows] == [
        (kind, str(shape), count) for kind, shape, count in layers
    ]
    assert f"Total params: {total}\n" in below
    assert f"Trainable params: {total}\n" in below
    assert "Non-trainable params: 0 (0.00 Byte)" in below


@pytest.mark.parametrize("name", MODELS)
def test_the_models_learn(name):
    model = Sequential(MODELS[name]())
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(16, *SHAPE))
    y = x.mean(axis=2, keepdims=True) if name == "TimeDistributed" else x.mean(axis=(1, 2))[:, None]
    losses = model.fit(x, y, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]


def test_numbered_names():
    """Names count up over a program, as the guide's do."""
    from rnn_ref.layers.layer import reset_names

    reset_names()
    models = [Sequential(MODELS[name]()) for name in PRINTED]
    assert [model.name for model in models[:3]] == ["sequential", "sequential_1", "sequential_2"]
    names = [layer.name for model in models for layer in model.layers]
    assert names[:8] == ["simple_rnn", "dense", "lstm", "dense_1", "gru", "dense_2", "lstm_1", "lstm_2"]
    assert names[9] == "bidirectional"
    assert names[-1] == "time_distributed"


def test_gates_cost_parameters():
    """Four blocks for the LSTM, three and a second bias for the GRU, one for the SimpleRNN."""
    simple, lstm, gru = (PRINTED[name][0][0][2] for name in ("SimpleRNN", "LSTM", "GRU"))
    assert lstm == 4 * simple
    assert gru == 3 * (simple + 64)


def test_dropout_inside_and_behind():
    model = Sequential([LSTM(64, input_shape=SHAPE, dropout=0.2, recurrent_dropout=0.2), Dropout(0.5), Dense(1)])
    assert model.count_params() == 17985
    x = np.ones((4, *SHAPE), "float32")
    np.testing.assert_array_equal(model(x), model(x))  # off at inference
    assert np.abs(model(x, training=True) - model(x, training=True)).max() > 0
    model.compile("adam", "mse")
    assert np.isfinite(model.fit(x, np.ones((4, 1)), epochs=2, verbose=0).history["loss"]).all()


def test_what_ruled_cudnn_out_changes_results_not_the_way_they_are_computed():
    """Options that TensorFlow has no fast kernel for are options like others."""
    x = np.random.default_rng(0).normal(size=(3, *SHAPE)).astype("float32")
    plain = LSTM(6, seed=0)
    plain(x)
    unrolled = LSTM(6, unroll=True)
    unrolled.build(x.shape)
    unrolled.set_weights(plain.get_weights())
    np.testing.assert_array_equal(unrolled(x), plain(x))
    for options in ({"activation": "relu"}, {"recurrent_activation": "hard_sigmoid"}, {"use_bias": False}):
        assert type(LSTM(6, recurrent_dropout=0.2, **options).forward(x, training=True)[1]) is type(plain.forward(x)[1])


# -- the sentiment classifier --------------------------------------------------------------------------

REVIEWS = [
    "I loved this movie, it was fantastic!",
    "The acting was terrible and the plot made no sense.",
    "Great special effects and an engaging story.",
    "Worst film I have ever seen, complete waste of time.",
    "The characters were well developed and the dialog was witty.",
]
LABELS = np.array([1, 0, 1, 0, 1])
NEW = ["This movie was excellent, I really enjoyed it!", "I hated everything about this boring film."]


def texts():
    tokenizer = Tokenizer(num_words=100, oov_token="<OOV>")
    tokenizer.fit_on_texts(REVIEWS)
    padded = [pad_sequences(tokenizer.texts_to_sequences(t), maxlen=20, padding="post") for t in (REVIEWS, NEW)]
    return tokenizer, *padded


@pytest.mark.parametrize("seed", range(10))
def test_sentiment(seed):
    _, x, new = texts()
    rnn_ref.utils.set_random_seed(seed)
    model = Sequential(
        [
            Embedding(input_dim=100, output_dim=16, input_length=20),
            LSTM(units=32),
            Dense(units=24, activation="relu"),
            Dense(units=1, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    history = model.fit(x, LABELS, epochs=50, verbose=0).history
    assert history["accuracy"][-1] == 1
    np.testing.assert_array_equal(model.predict(x, verbose=0)[:, 0] > 0.5, LABELS == 1)
    first, second = model.predict(new, verbose=0)[:, 0]
    assert first > 0.5
    assert 0 < second < 1  # which of the two sides is luck: see the next test


def test_what_the_classifier_has_never_read():
    """Most words of the second new sentence are unknown; those that are not stood in reviews of both kinds."""
    tokenizer, _, new = texts()
    unknown = tokenizer.word_index["<OOV>"]
    assert unknown == 1
    assert [[tokenizer.index_word[k] for k in row if k > 1] for row in new] == [
        ["this", "movie", "was", "i", "it"],
        ["i", "this", "film"],
    ]
    assert (new[1] == unknown).sum() == 4
