"""A guide to RNNs and sequence-to-sequence models: its code with small sizes, and the mistakes it warns of."""

import warnings

import numpy as np
import pytest

import rnn_ref as keras
from rnn_ref import layers, seq2seq

H, FROM, TO = 6, 5, 4  # units; features of what is read and of what is written
LONG, SHORT = 7, 5  # time steps of the two
START, STOP = 0, 1


def one_hot(*shape, size, seed=0):
    return np.eye(size, dtype="float32")[np.random.default_rng(seed).integers(0, size, shape)]


class Pair:
    """An encoder, and a decoder that starts from its final states."""

    def __init__(self):
        self.read, self.fed = keras.Input(shape=(None, FROM)), keras.Input(shape=(None, TO))
        last, *self.states = layers.LSTM(H, return_state=True)(self.read)
        self.lstm = layers.LSTM(H, return_sequences=True, return_state=True)
        self.words = layers.Dense(TO, activation="softmax")
        written, _h, _c = self.lstm(self.fed, initial_state=self.states)
        self.model = keras.Model([self.read, self.fed], self.words(written))
        self.encoder = keras.Model(self.read, [last, *self.states])

    def step(self):
        """A decoder that is told its states and returns the next."""
        states = [keras.Input(shape=(H,)) for _ in "hc"]
        written, *after = self.lstm(self.fed, initial_state=states)
        return keras.Model([self.fed, *states], [self.words(written), *after])


STACKS = {
    "one": ([lambda **first: layers.SimpleRNN(8, **first), layers.Dense(10, activation="softmax")], 10),
    "two": (
        [
            lambda **first: layers.SimpleRNN(8, return_sequences=True, **first),
            layers.SimpleRNN(4),
            layers.Dense(10),
        ],
        10,
    ),
    "LSTM": ([lambda **first: layers.LSTM(8, **first), layers.Dense(1)], 1),
    "both directions": (
        [
            lambda **first: layers.Bidirectional(layers.LSTM(4, return_sequences=True), **first),
            layers.Bidirectional(layers.LSTM(3)),
            layers.Dense(1),
        ],
        1,
    ),
    "dropout": (
        [
            lambda **first: layers.GRU(8, dropout=0.2, recurrent_dropout=0.2, return_sequences=True, **first),
            layers.GRU(6),
            layers.Dense(1),
        ],
        1,
    ),
}


@pytest.mark.parametrize("name", STACKS)
def test_stacks(name):
    (first, *others), size = STACKS[name]
    model = keras.Sequential([first(input_shape=(5, 3)), *others])
    assert model.output_shape == (None, size)
    assert model.predict(np.zeros((2, 5, 3)), verbose=0).shape == (2, size)


def test_formula_of_the_simple_rnn():
    """Each state is the tanh of the input and the state before, both weighted, and a bias."""
    layer = layers.SimpleRNN(H, return_sequences=True, dtype="float64")
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    layer.ensure_built(x.shape)
    layer.bias.assign(np.linspace(-1, 1, H))
    y = layer(x)
    w, u, b = layer.get_weights()
    h = np.zeros((2, H))
    for t in range(4):
        h = np.tanh(x[:, t] @ w + h @ u + b)
        np.testing.assert_allclose(y[:, t], h, rtol=1e-12)


def test_lstm_with_its_states():
    y, h, c = layers.LSTM(8, return_state=True)(keras.Input(shape=(50, 10)))
    assert y.shape == h.shape == c.shape == (None, 8)


def test_encoder_decoder_learns_by_teacher_forcing():
    keras.utils.set_random_seed(0)
    model = Pair().model
    model.compile(optimizer="adam", loss="categorical_crossentropy")
    right = one_hot(32, SHORT, size=TO)
    x = [one_hot(32, LONG, size=FROM), np.roll(right, 1, axis=1)]
    losses = model.fit(x, right, batch_size=8, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < losses[0] - 0.01


def test_attention():
    keras.utils.set_random_seed(0)
    read, fed = keras.Input(shape=(LONG, FROM)), keras.Input(shape=(SHORT, TO))
    encoded, *states = layers.LSTM(H, return_sequences=True, return_state=True)(read)
    decoded = layers.LSTM(H, return_sequences=True)(fed, initial_state=states)
    found = layers.Attention()([decoded, encoded])
    assert found.shape == (None, SHORT, H)
    words = layers.Dense(9, activation="softmax")(layers.Concatenate()([decoded, found]))
    model = keras.Model([read, fed], words)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    x = [one_hot(16, LONG, size=FROM), one_hot(16, SHORT, size=TO)]
    y = np.random.default_rng(1).integers(0, 9, (16, SHORT))
    losses = model.fit(x, y, epochs=40, verbose=0).history["loss"]
    assert losses[-1] < losses[0] - 0.01
    assert max(keras.check_gradients(model, [a[:2] for a in x], samples=10).values()) < 1e-6


def test_attention_scores_are_a_second_output():
    """Dot products of what was decoded and encoded, and a softmax over what was encoded."""
    draw = np.random.default_rng(0)
    query, value = draw.normal(size=(2, SHORT, H)), draw.normal(size=(2, LONG, H))
    found, scores = layers.Attention(dtype="float64")([query, value], return_attention_scores=True)
    expected = np.exp(query @ value.swapaxes(1, 2))
    expected /= expected.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(scores, expected, rtol=1e-10)
    np.testing.assert_allclose(found, expected @ value, rtol=1e-10)


def test_inference_loop():
    """Step by step, states handed over, is what the whole model gives for what was decoded."""
    pair = Pair()
    step = pair.step()
    source = one_hot(1, LONG, size=FROM)
    _, *states = pair.encoder.predict(source, verbose=0)
    fed, probabilities = [START], []
    while len(probabilities) < SHORT and (fed[-1] != STOP):
        y, *states = step.predict([np.eye(TO)[[[fed[-1]]]], *states], verbose=0)
        assert y.shape == (1, 1, TO)
        probabilities.append(y[0, -1])
        fed.append(int(y[0, -1].argmax()))
    whole = pair.model.predict([source, np.eye(TO)[[fed[:-1]]]], verbose=0)
    np.testing.assert_allclose(whole[0], probabilities, rtol=1e-5, atol=1e-6)


def test_padding_is_masked():
    words = keras.Input(shape=(None,), dtype="int32")
    x = layers.Embedding(20, 6, mask_zero=True)(words)
    model = keras.Model(words, layers.Dense(1)(layers.LSTM(5)(x)))
    padded, short = np.array([[3, 4, 5, 0, 0]]), np.array([[3, 4, 5]])
    np.testing.assert_allclose(model(padded), model(short), rtol=1e-6)


# -- decoding ------------------------------------------------------------------------------------------


def one_step_models():
    """A small encoder-decoder, trained to say the source backwards, and its two models for inference."""
    V, H = 6, 24
    source, target = keras.Input((4,), dtype="int32"), keras.Input((None,), dtype="int32")
    embedding = layers.Embedding(V, 8)
    _, *states = layers.LSTM(H, return_state=True)(embedding(source))
    decoder, dense = layers.LSTM(H, return_sequences=True, return_state=True), layers.Dense(V, "softmax")
    model = keras.Model([source, target], dense(decoder(embedding(target), initial_state=states)[0]))
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).integers(2, V, (64, 4))
    y = np.concatenate([x[:, ::-1], np.ones((64, 1), int)], axis=1)  # 1 ends, 0 starts
    fed = np.concatenate([np.zeros((64, 1), int), y[:, :-1]], axis=1)
    model.fit([x, fed], y, epochs=60, batch_size=32, verbose=0)
    token, h, c = keras.Input((1,), dtype="int32"), keras.Input((H,)), keras.Input((H,))
    out, *states_after = decoder(embedding(token), initial_state=[h, c])
    return keras.Model(source, states), keras.Model([token, h, c], [dense(out), *states_after]), x, y


def test_greedy_search_sampling_and_beam_search():
    encoder, decoder, x, y = one_step_models()
    step, states = seq2seq.model_step(decoder), encoder.predict(x, verbose=0)
    found = seq2seq.greedy_search(step, states, start_token=0, end_token=1, max_length=5)
    right = (found.tokens == y).all(axis=1)
    assert right.mean() > 0.9
    beams = seq2seq.BeamSearchDecoder(step, beam_width=3, start_token=0, end_token=1, max_length=5)(states)
    assert beams.tokens.shape == (64, 3, 5)
    assert (np.diff(beams.scores, axis=1) <= 0).all()
    assert (beams.tokens[:, 0] == y).all(axis=1).mean() >= right.mean()
    drawn = seq2seq.sample_search(
        step, states, 0, end_token=1, max_length=5, temperature=0.5, top_k=3, top_p=0.9, seed=0
    )
    assert (drawn.tokens == y).all(axis=1).mean() > 0.5


# -- mistakes ------------------------------------------------------------------------------------------


def test_a_missing_return_sequences_names_the_layer_to_change():
    advice = "Set return_sequences=True on 'low', which comes before it"
    with pytest.raises(ValueError, match=advice):
        keras.Sequential([keras.Input((10, 3)), layers.SimpleRNN(4, name="low"), layers.SimpleRNN(2)])
    late = keras.Sequential([layers.SimpleRNN(4, name="low"), layers.SimpleRNN(2)])
    with pytest.raises(ValueError, match=advice):
        late(np.zeros((2, 10, 3)))

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.low, self.high = layers.GRU(4, name="low"), layers.GRU(2)

        def call(self, x):
            return self.high(self.low(x))

    with pytest.raises(ValueError, match=advice):
        Own()(np.zeros((2, 10, 3)))
    low = layers.LSTM(4, name="low")(keras.Input((10, 3)))
    both = layers.Bidirectional(layers.LSTM(4), name="low")(keras.Input((10, 3)))
    for late in (
        lambda: layers.LSTM(2)(low),
        lambda: layers.LSTM(2)(both),
        lambda: layers.Bidirectional(layers.LSTM(2))(low),
        lambda: layers.TimeDistributed(layers.Dense(2))(low),
        lambda: layers.GlobalMaxPooling1D()(low),
        lambda: layers.Attention()([low, low]),
    ):
        with pytest.raises(ValueError, match=advice):
            late()
    with pytest.raises(ValueError, match="If a recurrent layer comes before this one"):  # nobody knows which
        layers.LSTM(2)(np.zeros((2, 3)))


def test_states_that_were_not_asked_for():
    y = layers.LSTM(4, name="decoder", return_sequences=True)(keras.Input((10, 3)))
    with pytest.raises(TypeError, match=r"only output of 'decoder'.*return_state=True"):
        y[1]


def test_recurrent_dropout_takes_no_other_path():
    """The same compiled kernel, whose tape has every gate."""
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    for cell in (layers.LSTM, layers.GRU, layers.SimpleRNN):
        plain, dropping = cell(4), cell(4, recurrent_dropout=0.3)
        tapes = [layer.forward(x, training=True)[1] for layer in (plain, dropping)]
        assert type(tapes[0]) is type(tapes[1])
        assert plain.cell.kernels is dropping.cell.kernels


def test_a_lost_mask_warns():
    x = layers.Embedding(9, 4, mask_zero=True)
    tokens = np.array([[1, 2, 0, 0]])
    mask = x.compute_mask(tokens, None)
    flat = layers.Flatten(name="flat")
    with pytest.warns(UserWarning, match="flat .Flatten. does not hand on the mask"):
        flat.run(x(tokens), mask=mask)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layers.LSTM(2).run(x(tokens), mask=mask)


def test_padding_is_masked_by_either_layer():
    x = np.zeros((1, 5, 3), "float32")
    x[:, :3] = 1
    for model in (
        keras.Sequential([keras.Input((None, 3)), layers.Masking(0.0), layers.LSTM(4)]),
        keras.Sequential([keras.Input((None, 3)), layers.Masking(0.0), layers.Bidirectional(layers.GRU(4))]),
    ):
        np.testing.assert_allclose(model(x), model(x[:, :3]), rtol=1e-6)


@pytest.mark.parametrize(
    ("place", "name", "today"),
    [
        (keras, "nn", "RNN"),
        (keras, "contrib", "Attention.*seq2seq"),
        (keras, "addons", "BeamSearchDecoder"),
        (layers, "dynamic_rnn", "RNN"),
        (layers, "CuDNNLSTM", "LSTM"),
        (layers, "CuDNNGRU", "GRU"),
    ],
)
def test_legacy_names_say_what_is_written_today(place, name, today):
    with pytest.raises(AttributeError, match=rf"there is no {name} any more.*{today}"):
        getattr(place, name)
    with pytest.raises(AttributeError, match="has no attribute 'unheard_of'"):
        getattr(place, "unheard_of")  # noqa: B009


def test_tf_keras_is_the_package():
    """``import rnn_ref as tf`` is all that code with tf.keras in it needs."""
    assert keras.keras is keras
    assert keras.keras.layers.LSTM is layers.LSTM
