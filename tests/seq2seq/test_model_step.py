"""The decoder of a trained model under greedy search, sampling and beam search."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, layers
from rnn_ref.seq2seq import BeamSearchDecoder, greedy_search, model_step, sample_search

V, H, S = 5, 6, 4


def decoder(one_hot=False, attention=False, last="softmax", sequences=True):
    token = Input((1, V) if one_hot else (1,), dtype="float32" if one_hot else "int32")
    h, c, source = Input((H,)), Input((H,)), Input((S, H))
    x = token if one_hot else layers.Embedding(V, 3)(token)
    y, *states = layers.LSTM(H, return_sequences=sequences, return_state=True)(x, initial_state=[h, c])
    if attention:
        y = layers.Concatenate()([y, layers.Attention()([y, source])])
    probabilities = layers.Dense(V, last, kernel_initializer=rnn_ref.initializers.RandomNormal(stddev=2.0))(y)
    return Model([token, h, c, *([source] if attention else [])], [probabilities, *states])


def states(n, attention=False):
    drawn = np.random.default_rng(0)
    return [drawn.normal(size=(n, H)) for _ in range(2)] + ([drawn.normal(size=(n, S, H))] if attention else [])


def by_hand(model, memory, one_hot, length):
    """The token-by-token loop, one sequence at a time."""
    found = []
    for n in range(len(memory[0])):
        (h, c, *rest), token, tokens = [m[n : n + 1] for m in memory], 0, []
        for _ in range(length):
            fed = np.eye(V)[[[token]]] if one_hot else np.array([[token]])
            p, h, c = model.predict([fed, h, c, *rest], verbose=0)
            token = int(np.argmax(p.reshape(-1)))
            tokens.append(token)
        found.append(tokens)
    return found


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_greedy_search_is_the_loop(one_hot, attention, sequences):
    if attention and not sequences:
        sequences = True  # attention reads sequences
    model, memory = decoder(one_hot, attention, sequences=sequences), states(3, attention)
    found = greedy_search(model_step(model), memory, start_token=0, max_length=4)
    np.testing.assert_array_equal(found.tokens, by_hand(model, memory, one_hot, 4))


def test_every_search_runs_on_it():
    model, memory = decoder(attention=True), states(2, attention=True)
    step = model_step(model)
    greedy = greedy_search(step, memory, 0, end_token=1, max_length=4)
    narrow = BeamSearchDecoder(step, 1, 0, end_token=1, max_length=4)(memory)
    np.testing.assert_array_equal(narrow.tokens[:, 0], greedy.tokens)
    # As many beams as there are sequences of two tokens: the best of all.
    wide = BeamSearchDecoder(step, V * V, 0, max_length=2)(memory)
    assert (wide.log_probs[:, 0] >= greedy_search(step, memory, 0, max_length=2).log_probs - 1e-9).all()
    np.testing.assert_allclose(np.exp(wide.log_probs).sum(axis=1), 1, rtol=1e-5)
    drawn = sample_search(step, memory, 0, max_length=4, temperature=0.0)
    np.testing.assert_array_equal(drawn.tokens, greedy_search(step, memory, 0, max_length=4).tokens)


def test_logits_and_probabilities_decode_alike():
    soft, memory = decoder(), states(2)
    raw = decoder(last=None)
    raw.set_weights(soft.get_weights())
    a = greedy_search(model_step(soft), memory, 0, max_length=5)
    b = greedy_search(model_step(raw, from_logits=True), memory, 0, max_length=5)
    np.testing.assert_array_equal(a.tokens, b.tokens)
    np.testing.assert_allclose(a.log_probs, b.log_probs, rtol=1e-4)


def test_bad_use():
    with pytest.raises(ValueError, match=r"takes 2 states .*got 1"):
        greedy_search(model_step(decoder()), states(2)[:1], 0)
    with pytest.raises(ValueError, match="from_logits=True"):
        greedy_search(model_step(decoder(last="tanh")), states(2), 0)
    with pytest.raises(ValueError, match=r"not one of the 5"):
        greedy_search(model_step(decoder(one_hot=True)), states(2), 7)
    x = Input((3, 2, 2))
    with pytest.raises(ValueError, match="should be a token"):
        model_step(Model(x, layers.Reshape((12,))(x)))
    x = Input((3, V))
    with pytest.raises(ValueError, match="returns 2 states but takes 0"):
        model_step(Model(x, list(layers.LSTM(2, return_state=True)(x))))
    x = Input((None,), dtype="int32")
    longer = layers.Concatenate(axis=1)([layers.Embedding(V, V)(x)] * 2)
    with pytest.raises(ValueError, match=r"token by token: .*Concatenate.*rnn_ref.generate"):
        greedy_search(model_step(Model(x, layers.Activation("softmax")(longer))), None, [0, 0])
