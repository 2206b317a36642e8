"""generate() gives what running the model on the whole sequence at every step gives."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, Sequential, generate, layers
from rnn_ref.preprocessing.text import Tokenizer
from rnn_ref.seq2seq import BeamSearchDecoder, greedy_search, model_step, sample, sample_search

V, H = 7, 5
PREFIX = np.array([[1, 2, 3], [4, 0, 2]])


def dense(activation="softmax"):
    return layers.Dense(V, activation, kernel_initializer=rnn_ref.initializers.RandomNormal(stddev=2.0))


def by_whole_sequences(model, prefix, length, window=None, fed=lambda tokens: tokens, logits=np.log, **options):
    """The reference: the model itself on everything, at every step."""
    tokens, drawn = np.array(prefix), np.random.default_rng(options.pop("seed", 0))
    for _ in range(length):
        model.reset_states()
        y = np.asarray(model(fed(tokens if window is None else tokens[:, -window:])), np.float64)
        y = y[:, -1] if y.ndim == 3 else y
        tokens = np.concatenate([tokens, sample(logits(y), seed=drawn, **options)[:, None]], axis=1)
    return tokens


def stack(recurrent, sequences=True, mask_zero=False, last="softmax", **options):
    return Sequential(
        [
            Input(batch_shape=(len(PREFIX) if options.get("stateful") else None, None), dtype="int32"),
            layers.Embedding(V, 4, mask_zero=mask_zero),
            *[r(H, return_sequences=sequences or r is not recurrent[-1], **options) for r in recurrent],
            layers.LayerNormalization(),
            layers.Dropout(0.3),
            dense(last),
        ]
    )


@pytest.mark.parametrize(
    "model",
    [
        lambda: stack([layers.LSTM, layers.GRU]),
        lambda: stack([layers.SimpleRNN, layers.LSTM], sequences=False),
        lambda: stack([layers.GRU], mask_zero=True),
        lambda: stack([layers.LSTM], mask_zero=True, zero_output_for_mask=True),
    ],
)
@pytest.mark.parametrize("options", [{"temperature": 0.0}, {"temperature": 1.3, "top_k": 4, "top_p": 0.9}])
def test_stacks(model, options):
    rnn_ref.utils.set_random_seed(1)
    model = model()
    found = generate(model, PREFIX, 9, seed=5, **options)
    np.testing.assert_array_equal(found, by_whole_sequences(model, PREFIX, 9, seed=5, **options))
    assert found.shape == (2, 12)


def test_only_the_new_token_is_run():
    """Otherwise the tests above would compare a thing with itself."""
    seen = []

    model = stack([layers.GRU])
    embedding = model.layers[0]
    forward = embedding.forward
    embedding.forward = lambda x, **options: (seen.append(np.shape(x)), forward(x, **options))[1]
    generate(model, PREFIX, 4, seed=0)
    assert seen == [(2, 3), (2, 1), (2, 1), (2, 1)]


def test_logits_of_pieces_are_those_of_the_whole():
    from rnn_ref.seq2seq.carrying import run_piece

    x = Input((None,), dtype="int32")
    h = layers.RNN([layers.LSTMCell(H), layers.GRUCell(H)], return_sequences=True)(layers.Embedding(V, 4)(x))
    y = layers.Concatenate()([h, layers.TimeDistributed(layers.Dense(3, "tanh"))(h)])
    inner = Sequential([Input((None, H + 3)), layers.LSTM(H, return_sequences=True)], name="inner")
    model = Model(x, layers.Dense(V)(layers.Add()([inner(y), h])))
    tokens = np.random.default_rng(0).integers(0, V, (3, 8))
    carried, found = None, []
    for piece in np.split(tokens, [3, 4, 7], axis=1):
        outputs, carried = run_piece(model, [piece], carried, strict=True)
        found.append(outputs[0])
    np.testing.assert_allclose(np.concatenate(found, axis=1), model(tokens), atol=2e-6)


def test_layers_that_mix_time_steps():
    """Attention over all tokens so far: the whole sequence is run at every step."""
    x = Input((None,), dtype="int32")
    h = layers.LSTM(H, return_sequences=True)(layers.Embedding(V, 4)(x))
    model = Model(x, dense()(layers.GlobalAveragePooling1D()(layers.Attention()([h, h]))))
    found = generate(model, PREFIX, 6, temperature=0.7, seed=1)
    np.testing.assert_array_equal(found, by_whole_sequences(model, PREFIX, 6, seed=1, temperature=0.7))


def test_windows():
    """The classic: one-hot characters in windows of fixed length."""
    model = Sequential([Input((4, V)), layers.Bidirectional(layers.LSTM(H)), dense()])
    prefix = np.array([[1, 2, 3, 4, 5]])
    wanted = by_whole_sequences(model, prefix, 6, window=4, fed=lambda tokens: np.eye(V)[tokens], seed=2)
    np.testing.assert_array_equal(generate(model, prefix, 6, seed=2), wanted)
    x = Input((3,), dtype="int32")
    model = Model(x, dense()(layers.GRU(H, return_sequences=True)(layers.Embedding(V, 4)(x))))
    np.testing.assert_array_equal(
        generate(model, PREFIX, 6, seed=2), by_whole_sequences(model, PREFIX, 6, window=3, seed=2)
    )
    with pytest.raises(ValueError, match="takes sequences of 3 tokens, and the prefix has 2"):
        generate(model, [1, 2], 6)
    with pytest.raises(ValueError, match="window=2 does not fit"):
        generate(model, PREFIX, 6, window=2)
    model = stack([layers.GRU])
    np.testing.assert_array_equal(
        generate(model, PREFIX, 5, seed=2, window=2), by_whole_sequences(model, PREFIX, 5, window=2, seed=2)
    )


def test_stateful_layers_begin_with_zeros_and_keep_their_states():
    model = stack([layers.GRU], stateful=True)
    model(PREFIX)
    kept = [state.copy() for state in model.layers[1].states]
    found = generate(model, PREFIX, 6, seed=3)
    np.testing.assert_array_equal(model.layers[1].states, kept)
    assert model.layers[1].stateful
    model.reset_states()
    np.testing.assert_array_equal(found, by_whole_sequences(model, PREFIX, 6, seed=3))
    x = Input(batch_shape=(1, 1), dtype="int32")  # made for one token at a time
    single = Model(x, model.layers[-1](layers.GRU(H, stateful=True)(model.layers[0](x))))
    single.layers[2].set_weights(model.layers[1].get_weights())
    free = Sequential([Input((None,), dtype="int32"), model.layers[0], layers.GRU(H), model.layers[-1]])
    free.layers[1].set_weights(model.layers[1].get_weights())
    np.testing.assert_array_equal(generate(single, [1, 2, 3], 6, seed=3), generate(free, [1, 2, 3], 6, seed=3))


def test_encoder_decoder_as_it_was_trained():
    source, target = Input((None,), dtype="int32", name="source"), Input((None,), dtype="int32", name="target")
    embedded = layers.Embedding(V, 4)(source)
    encoded, h, c = layers.LSTM(H, return_sequences=True, return_state=True)(embedded)
    y = layers.LSTM(H, return_sequences=True)(layers.Embedding(V, 4)(target), initial_state=[h, c])
    model = Model([source, target], dense()(layers.Concatenate()([y, layers.Attention()([y, encoded])])))
    read = np.array([[1, 2, 3, 4], [5, 6, 1, 2]])
    start = np.array([[1], [1]])
    wanted = by_whole_sequences(model, start, 5, fed=lambda tokens: [read, tokens], temperature=0.0)
    for given in (read, [read], {"source": read}):
        np.testing.assert_array_equal(generate(model, start, 5, temperature=0.0, source=given), wanted)
    with pytest.raises(ValueError, match=r"has 2 inputs.*\['source'\], as source="):
        generate(model, start, 5)
    with pytest.raises(ValueError, match="has 1 rows, the prefix 2"):
        generate(model, start, 5, source=read[:1])


def test_forms_of_the_prefix():
    model = stack([layers.GRU], last=None)
    one = generate(model, [1, 2], 4, temperature=0.0)
    assert one.shape == (6,)
    assert one[:2].tolist() == [1, 2]
    several = generate(model, [[1, 2], [3, 4, 5]], 4, temperature=0.0)
    np.testing.assert_array_equal(several[0], one)
    assert several[1].shape == (7,)
    end = int(one[3])
    ended = generate(model, [[1, 2]], 40, temperature=0.0, end_token=end)
    assert ended.shape == (1, 42)
    first = 2 + list(one[2:]).index(end)
    np.testing.assert_array_equal(ended[0, :first], one[:first])
    assert (ended[0, first:] == end).all()
    for bad in ([], [[]], [0.5], 3, [[[1]]], np.zeros((0, 2), int)):
        with pytest.raises(ValueError, match="generate: the prefix"):
            generate(model, bad, 4)
    for bad in (0, 2.0, True):
        with pytest.raises(ValueError, match=r"generate: (the )?`?length`? (is how many|must be an integer)"):
            generate(model, [1], bad)
    with pytest.raises(ValueError, match="end_token 9"):
        generate(model, [1], 2, end_token=9)


@pytest.mark.parametrize("char_level", [False, True])
def test_text(char_level):
    tokenizer = Tokenizer(char_level=char_level)
    text = "abba cab" if char_level else "to be or not to be"
    tokenizer.fit_on_texts([text])
    size = len(tokenizer.word_index) + 1
    model = Sequential([Input((None,)), layers.Embedding(size, 4), layers.LSTM(H), layers.Dense(size, "softmax")])
    prefix = text[:2]
    found = generate(model, prefix, 5, temperature=0.0, tokenizer=tokenizer)
    ids = generate(model, tokenizer.texts_to_sequences([prefix])[0], 5, temperature=0.0)
    words = [tokenizer.index_word[i] for i in ids[-5:] if i]
    assert found == prefix + "".join(words if char_level else [f" {word}" for word in words])
    assert generate(model, [prefix], 5, temperature=0.0, tokenizer=tokenizer) == [found]
    with pytest.raises(ValueError, match="give the tokenizer"):
        generate(model, prefix, 5)
    with pytest.raises(ValueError, match="knows nothing of the prefix"):
        generate(model, "?!", 5, tokenizer=tokenizer)


def test_models_that_are_refused():
    x = Input((None,), dtype="int32")
    e = layers.Embedding(V, 4)(x)
    with pytest.raises(ValueError, match=r"Bidirectional.*sees the tokens"):
        generate(Model(x, dense()(layers.Bidirectional(layers.GRU(H, return_sequences=True))(e))), PREFIX, 3)
    with pytest.raises(ValueError, match=r"go_backwards.*sees the tokens"):
        generate(Model(x, dense()(layers.GRU(H, return_sequences=True, go_backwards=True)(e))), PREFIX, 3)
    with pytest.raises(ValueError, match=r"ends with .*from_logits"):
        generate(Model(x, layers.GRU(V)(e)), PREFIX, 3)
    with pytest.raises(ValueError, match=r"sum to .*from_logits=True"):
        generate(stack([layers.GRU], last=None), PREFIX, 3, from_logits=False)
    y, state = layers.GRU(H, return_state=True)(e)
    with pytest.raises(ValueError, match=r"sample_search\(seq2seq.model_step"):
        generate(Model(x, [dense()(y), state]), PREFIX, 3)
    with pytest.raises(TypeError, match="expected a model"):
        generate(layers.GRU(H), PREFIX, 3)
    one = Input((1,), dtype="int32")
    flat = Model(one, dense()(layers.Flatten()(layers.Embedding(V, 4)(one))))
    with pytest.raises(ValueError, match="takes one token at a time, but"):
        generate(flat, PREFIX, 3)


# -- the same through model_step and the searches ------------------------------------------------------


def test_searches_over_a_language_model_carry_its_states():
    for model in (stack([layers.LSTM, layers.GRU]), stack([layers.LSTM, layers.GRU], stateful=True)):
        step = model_step(model)
        wanted = by_whole_sequences(model, PREFIX[:, :1], 6, temperature=0.0)
        model.reset_states()
        found = greedy_search(step, None, PREFIX[:, 0], max_length=6)
        np.testing.assert_array_equal(found.tokens, wanted[:, 1:])
        drawn = sample_search(step, None, PREFIX[:, 0], max_length=6, temperature=0.9, seed=4)
        wanted = by_whole_sequences(model, PREFIX[:, :1], 6, temperature=0.9, seed=4)
        np.testing.assert_array_equal(drawn.tokens, wanted[:, 1:])


def test_beams_hand_over_what_is_carried():
    """As many beams as there are sequences of two tokens find the best of all, and its true probability."""
    model = stack([layers.GRU])
    beams = BeamSearchDecoder(model_step(model), V * V, [1], max_length=2)(None)
    sequences = np.array([(1, a, b) for a in range(V) for b in range(V)])
    p = np.asarray(model(sequences), np.float64)
    scores = np.log(p[np.arange(V * V), 0, sequences[:, 1]]) + np.log(p[np.arange(V * V), 1, sequences[:, 2]])
    order = np.argsort(-scores)
    np.testing.assert_allclose(beams.log_probs[0], scores[order], atol=1e-5)
    np.testing.assert_array_equal(beams.tokens[0, 0], sequences[order[0], 1:])


def test_step_functions_that_cannot_carry_are_refused():
    x = Input((None,), dtype="int32")
    h = layers.GRU(H, return_sequences=True)(layers.Embedding(V, 4)(x))
    with pytest.raises(ValueError, match=r"Attention.*not known to treat every time step by itself"):
        greedy_search(model_step(Model(x, dense()(layers.Attention()([h, h])))), None, [0, 1])
    both = layers.Bidirectional(layers.GRU(H))(layers.Embedding(V, 4)(x))
    with pytest.raises(ValueError, match="tokens that are not there yet"):
        greedy_search(model_step(Model(x, dense()(both))), None, [0, 1])
    masked = stack([layers.GRU], mask_zero=True)
    masked.layers[-1].bias.assign(np.eye(V)[0] * 100)  # always the token that is masked
    with pytest.raises(ValueError, match="is masked"):
        greedy_search(model_step(masked), None, [1], max_length=3)


def test_an_encoder_inside_the_step_is_not_carried():
    token, source = Input((1,), dtype="int32"), Input((None, 3))
    encoded = layers.GRU(H)(source)
    y = layers.Concatenate()([layers.LSTM(H)(layers.Embedding(V, 4)(token)), encoded])
    model = Model([token, source], dense()(y))
    read = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    found = greedy_search(model_step(model), [read], [1, 2], max_length=5)
    lstm = next(layer for layer in model.layers if isinstance(layer, layers.LSTM))
    tokens = Input((None,), dtype="int32")
    embedding = next(layer for layer in model.layers if isinstance(layer, layers.Embedding))
    whole = Model([tokens, source], model.layers[-1](layers.Concatenate()([lstm(embedding(tokens)), encoded])))
    wanted = by_whole_sequences(whole, [[1], [2]], 5, fed=lambda t: [t, read], temperature=0.0)
    np.testing.assert_array_equal(found.tokens, wanted[:, 1:])
