"""The code of published guides to RNNs and sequence-to-sequence models, with small sizes: only the import differs."""

import numpy as np
import pytest

import rnn_ref as keras
from rnn_ref import layers

units, num_encoder_features, num_decoder_features = 6, 5, 4
max_encoder_len, max_decoder_len = 7, 5
start_token_index, stop_token_index = 0, 1


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


def one_hot(*shape, features):
    return np.eye(features, dtype="float32")[np.random.default_rng(0).integers(0, features, shape)]


def seq2seq():
    encoder_inputs = keras.Input(shape=(None, num_encoder_features))
    encoder_lstm = layers.LSTM(units, return_state=True)
    encoder_outputs, state_h, state_c = encoder_lstm(encoder_inputs)
    encoder_states = [state_h, state_c]

    decoder_inputs = keras.Input(shape=(None, num_decoder_features))
    decoder_lstm = layers.LSTM(units, return_sequences=True, return_state=True)
    decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
    decoder_dense = layers.Dense(num_decoder_features, activation="softmax")
    decoder_outputs = decoder_dense(decoder_outputs)

    model = keras.Model([encoder_inputs, decoder_inputs], decoder_outputs)
    model.compile(optimizer="adam", loss="categorical_crossentropy")
    encoder_model = keras.Model(encoder_inputs, [encoder_outputs, *encoder_states])
    return model, encoder_model, (decoder_inputs, decoder_lstm, decoder_dense)


def test_stacks():
    for model, shape in (
        (keras.Sequential([layers.SimpleRNN(8, input_shape=(10, 3)), layers.Dense(10, activation="softmax")]), (10, 3)),
        (
            keras.Sequential(
                [
                    layers.SimpleRNN(8, return_sequences=True, input_shape=(10, 3)),
                    layers.SimpleRNN(4),
                    layers.Dense(10),
                ]
            ),
            (10, 3),
        ),
        (
            keras.Sequential(
                [
                    layers.GRU(8, dropout=0.2, recurrent_dropout=0.2, return_sequences=True, input_shape=(5, 10)),
                    layers.GRU(6),
                    layers.Dense(1),
                ]
            ),
            (5, 10),
        ),
        (
            keras.Sequential(
                [
                    layers.Bidirectional(layers.LSTM(4, return_sequences=True), input_shape=(5, 10)),
                    layers.Bidirectional(layers.LSTM(3)),
                    layers.Dense(1),
                ]
            ),
            (5, 10),
        ),
    ):
        assert model.predict(np.zeros((2, *shape)), verbose=0).shape == (2, model.output_shape[-1])


def test_lstm_with_its_states():
    inputs = keras.Input(shape=(50, 10))
    lstm_out, state_h, state_c = layers.LSTM(8, return_state=True)(inputs)
    assert lstm_out.shape == state_h.shape == state_c.shape == (None, 8)


def test_encoder_decoder_learns_by_teacher_forcing():
    model, _, _ = seq2seq()
    encoder_input_data = one_hot(32, max_encoder_len, features=num_encoder_features)
    decoder_target_data = one_hot(32, max_decoder_len, features=num_decoder_features)
    decoder_input_data = np.roll(decoder_target_data, 1, axis=1)
    history = model.fit(
        [encoder_input_data, decoder_input_data], decoder_target_data, batch_size=8, epochs=15, verbose=0
    ).history["loss"]
    assert history[-1] < history[0] - 0.01


def test_attention():
    vocab_size, encoder_features, decoder_features = 6, 5, 4
    encoder_inputs = keras.Input(shape=(max_encoder_len, encoder_features))
    encoder_lstm = layers.LSTM(units, return_sequences=True, return_state=True)
    encoder_output, state_h, state_c = encoder_lstm(encoder_inputs)

    decoder_inputs = keras.Input(shape=(max_decoder_len, decoder_features))
    decoder_lstm = layers.LSTM(units, return_sequences=True)
    decoder_output = decoder_lstm(decoder_inputs, initial_state=[state_h, state_c])

    attention = layers.Attention()
    context = attention([decoder_output, encoder_output])

    concat = layers.Concatenate()([decoder_output, context])
    output = layers.Dense(vocab_size, activation="softmax")(concat)

    model = keras.Model([encoder_inputs, decoder_inputs], output)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    x = [
        one_hot(16, max_encoder_len, features=encoder_features),
        one_hot(16, max_decoder_len, features=decoder_features),
    ]
    y = np.random.default_rng(1).integers(0, vocab_size, (16, max_decoder_len))
    losses = model.fit(x, y, epochs=40, verbose=0).history["loss"]
    assert losses[-1] < losses[0] - 0.01
    assert max(keras.check_gradients(model, [a[:2] for a in x], samples=10).values()) < 1e-6


def test_inference_loop():
    model, encoder_model, (decoder_inputs, decoder_lstm, decoder_dense) = seq2seq()

    decoder_state_input_h = keras.Input(shape=(units,))
    decoder_state_input_c = keras.Input(shape=(units,))
    decoder_states_inputs = [decoder_state_input_h, decoder_state_input_c]

    dec_out = decoder_lstm(decoder_inputs, initial_state=decoder_states_inputs)
    decoder_model = keras.Model(
        [decoder_inputs, *decoder_states_inputs], [decoder_dense(dec_out[0]), dec_out[1], dec_out[2]]
    )

    def decode_sequence(input_seq):
        _enc_out, h, c = encoder_model.predict(input_seq, verbose=0)
        target_seq = np.zeros((1, 1, num_decoder_features))
        target_seq[0, 0, start_token_index] = 1.0

        decoded, probabilities = [], []
        for _ in range(max_decoder_len):
            output, h, c = decoder_model.predict([target_seq, h, c], verbose=0)
            token_index = np.argmax(output[0, -1, :])
            probabilities.append(output[0, -1])
            decoded.append(token_index)
            if token_index == stop_token_index:
                break
            target_seq = np.zeros((1, 1, num_decoder_features))
            target_seq[0, 0, token_index] = 1.0
        return decoded, probabilities

    source = one_hot(1, max_encoder_len, features=num_encoder_features)
    decoded, probabilities = decode_sequence(source)
    # Step by step with handed-over states gives what the whole model gives on the decoded sequence.
    fed = np.eye(num_decoder_features)[[start_token_index, *decoded[:-1]]][None]
    np.testing.assert_allclose(model.predict([source, fed], verbose=0)[0], probabilities, rtol=1e-5, atol=1e-6)


def test_padding_is_masked():
    words = keras.Input(shape=(None,), dtype="int32")
    x = layers.Embedding(20, 6, mask_zero=True)(words)
    model = keras.Model(words, layers.Dense(1)(layers.LSTM(5)(x)))
    padded, short = np.array([[3, 4, 5, 0, 0]]), np.array([[3, 4, 5]])
    np.testing.assert_allclose(model(padded), model(short), rtol=1e-6)
