import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_ref.preprocessing.sequence import pad_sequences
from rnn_ref.preprocessing.text import Tokenizer, tokenizer_from_json

TEXTS = ["The cat sat on the mat.", "The dog sat on the log!", "Dogs and cats living together"]
# the 4; sat 2, on 2; the rest once, in the order seen
RANKED = ["the", "sat", "on", "cat", "mat", "dog", "log", "dogs", "and", "cats", "living", "together"]


def fitted(texts=TEXTS, **options):
    tokenizer = Tokenizer(**options)
    tokenizer.fit_on_texts(texts)
    return tokenizer


def test_vocabulary():
    tokenizer = fitted()
    assert list(tokenizer.word_index) == RANKED
    assert list(tokenizer.word_index.values()) == list(range(1, 13))
    assert tokenizer.index_word == dict(enumerate(RANKED, start=1))
    assert list(tokenizer.word_counts)[:5] == ["the", "cat", "sat", "on", "mat"]  # as first seen
    assert tokenizer.word_counts["the"] == 4
    assert tokenizer.word_docs["the"] == 2
    assert tokenizer.index_docs[1] == 2
    assert tokenizer.index_docs[3] == tokenizer.word_docs["on"] == 2
    assert tokenizer.document_count == 3


def test_fitting_in_parts_is_fitting_at_once():
    tokenizer = fitted(TEXTS[:1])
    assert tokenizer.word_index["mat"] == 5
    tokenizer.fit_on_texts(text for text in TEXTS[1:])
    at_once = fitted()
    for name in ("word_counts", "word_docs", "word_index", "index_word", "index_docs", "document_count"):
        assert getattr(tokenizer, name) == getattr(at_once, name)


@pytest.mark.parametrize(
    ("options", "indices", "text"),
    [
        ({}, [1, 4, 3, 1], "the cat on the"),
        ({"num_words": 4}, [1, 3, 1], "the on the"),
        ({"oov_token": "<OOV>"}, [2, 5, 1, 4, 2, 1], "the cat <OOV> on the <OOV>"),
        # indices below 4: the token itself, "the" and "sat"
        ({"oov_token": "<OOV>", "num_words": 4}, [2, 1, 1, 1, 2, 1], "the <OOV> <OOV> <OOV> the <OOV>"),
    ],
)
def test_num_words_and_oov_token(options, indices, text):
    tokenizer = fitted(**options)
    assert tokenizer.texts_to_sequences(["The cat slept on the roof"]) == [indices]
    assert tokenizer.sequences_to_texts([indices]) == [text]
    assert len(tokenizer.word_index) == 12 + ("oov_token" in options)


def test_sequences_to_texts_limits_words_too():
    assert fitted(num_words=3).sequences_to_texts([[0, 1, 2, 3, 99]]) == ["the sat"]
    assert fitted(num_words=3, oov_token="?").sequences_to_texts([[0, 1, 2, 3, 99]]) == ["? ? the ? ?"]
    assert fitted(["a-b c"], split="-").sequences_to_texts([[2, 1]]) == ["b c a"]


def test_characters():
    tokenizer = fitted(["Abba!", "B a"], char_level=True)
    assert tokenizer.word_index == {"a": 1, "b": 2, "!": 3, " ": 4}
    assert tokenizer.texts_to_sequences(["A b?"]) == [[1, 4, 2]]
    assert fitted(["Aa"], char_level=True, lower=False).word_index == {"A": 1, "a": 2}
    assert fitted("abba", char_level=True).document_count == 4  # of one string, each character is a text


def test_lists_are_tokens_already():
    tokenizer = fitted([["New York", "is", "big"], ("IS", "it")])
    assert tokenizer.word_index == {"is": 1, "new york": 2, "big": 3, "it": 4}
    assert tokenizer.texts_to_sequences([["new york"], "new york is"]) == [[2], [1]]
    assert fitted([[7, 7, 5]], lower=False).word_index == {7: 1, 5: 2}


def test_analyzer():
    tokenizer = fitted(["a,B", "B,c"], analyzer=lambda text: text.split(","))
    assert tokenizer.word_index == {"B": 1, "a": 2, "c": 3}
    assert tokenizer.texts_to_sequences(["c,b,a"]) == [[3, 2]]
    with pytest.warns(UserWarning, match="analyzer"):
        assert "analyzer" not in tokenizer.get_config()


def test_generators_are_lazy():
    def texts():
        yield "the cat"
        raise AssertionError("asked for too early")

    tokenizer = fitted()
    assert next(tokenizer.texts_to_sequences_generator(texts())) == [1, 4]
    assert next(tokenizer.sequences_to_texts_generator(iter([[1, 4], None]))) == "the cat"


def test_padded():
    tokenizer = fitted(num_words=100, oov_token="<OOV>")
    sequences = tokenizer.texts_to_sequences(["the cat", "a dog on the mat"])
    assert pad_sequences(sequences, maxlen=5, padding="post").tolist() == [[2, 5, 0, 0, 0], [1, 7, 4, 2, 6]]


def test_matrices():
    tokenizer = fitted(["a a b", "b c"], num_words=3)  # a: 1, b: 2; c is out
    texts = ["a a b c", "", "c"]
    expected = {
        "binary": [[0, 1, 1], [0, 0, 0], [0, 0, 0]],
        "count": [[0, 2, 1], [0, 0, 0], [0, 0, 0]],
        "freq": [[0, 2 / 3, 1 / 3], [0, 0, 0], [0, 0, 0]],
        "tfidf": [[0, (1 + np.log(2)) * np.log(1 + 2 / 2), np.log(1 + 2 / 3)], [0, 0, 0], [0, 0, 0]],
    }
    for mode, matrix in expected.items():
        np.testing.assert_allclose(tokenizer.texts_to_matrix(texts, mode), matrix, rtol=1e-15)
    # The padding's 0, and an index out of reach that counts in the length only.
    np.testing.assert_allclose(tokenizer.sequences_to_matrix([[0, 1, 9, 9]], "freq"), [[0.25, 0.25, 0]])
    assert fitted(["a b"]).sequences_to_matrix([np.array([2, 2])], "count").tolist() == [[0, 0, 2]]


def test_fit_on_sequences():
    tokenizer = Tokenizer(num_words=4)
    tokenizer.fit_on_sequences([[1, 1, 2], [1, 3]])
    assert tokenizer.document_count == 2
    assert dict(tokenizer.index_docs) == {1: 2, 2: 1, 3: 1}
    expected = [[0, np.log(1 + 2 / 3), 0, (1 + np.log(2)) * np.log(2)]]
    np.testing.assert_allclose(tokenizer.sequences_to_matrix([[3, 1, 3]], "tfidf"), expected)


def test_json():
    tokenizer = fitted(num_words=5, oov_token="<OOV>")
    config = json.loads(tokenizer.to_json(indent=1))["config"]
    assert json.loads(tokenizer.to_json())["class_name"] == "Tokenizer"
    assert json.loads(config["index_word"])["2"] == "the"
    restored = tokenizer_from_json(tokenizer.to_json())
    assert restored.get_config() == tokenizer.get_config()
    for each in (restored, tokenizer):
        each.fit_on_texts(["a new text"])
    assert restored.get_config() == tokenizer.get_config()


def test_reads_json_of_keras():
    json_string = (
        '{"class_name": "Tokenizer", "config": {"num_words": null, "filters": "!", "lower": true, "split": " ", '
        '"char_level": false, "oov_token": null, "document_count": 2, "word_counts": "{\\"b\\": 1, \\"a\\": 2}", '
        '"word_docs": "{\\"a\\": 2, \\"b\\": 1}", "index_docs": "{\\"1\\": 2, \\"2\\": 1}", '
        '"index_word": "{\\"1\\": \\"a\\", \\"2\\": \\"b\\"}", "word_index": "{\\"a\\": 1, \\"b\\": 2}"}}'
    )
    tokenizer = tokenizer_from_json(json_string)
    assert tokenizer.texts_to_sequences(["A! b c"]) == [[1, 2]]
    assert tokenizer.index_docs == {1: 2, 2: 1}
    assert json.loads(tokenizer.to_json()) == json.loads(json_string)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fitted([b"bytes"]), TypeError, "of type bytes"),
        (lambda: Tokenizer(oov_token="?").texts_to_sequences(["a"]), ValueError, "call fit_on_texts"),
        (lambda: Tokenizer().texts_to_matrix(["a"]), ValueError, "num_words"),
        (lambda: Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf"), ValueError, "fit_on_sequences"),
        (lambda: fitted().texts_to_matrix([], "tf-idf"), ValueError, "got 'tf-idf'"),
        (lambda: fitted().sequences_to_matrix([[-1]]), ValueError, "got -1"),
        (lambda: tokenizer_from_json('{"class_name": "Dense"}'), ValueError, "lacks word_counts"),
        (lambda: tokenizer_from_json("[]"), ValueError, "lacks word_counts"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


words = st.text("aAbB '.-é<>", max_size=3)
texts = st.lists(st.lists(words, max_size=8).map(" ".join) | st.lists(words, max_size=8), max_size=6)


@settings(deadline=None)
@given(
    options=st.fixed_dictionaries(
        {},
        optional={
            "num_words": st.integers(1, 6),
            "filters": st.sampled_from(["", ".", ".-'"]),
            "lower": st.booleans(),
            "split": st.sampled_from([" ", "-", "b"]),
            "char_level": st.booleans(),
            "oov_token": st.sampled_from(["<OOV>", "a", "B"]),
        },
    ),
    training=texts,
    more=texts,
    test=texts,
    sequences=st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=5),
)
def test_same_as_keras_preprocessing(options, training, more, test, sequences):
    original = pytest.importorskip("keras_preprocessing.text")
    ours, theirs = Tokenizer(**options), original.Tokenizer(**options)
    for step in (training, more):
        for tokenizer in (ours, theirs):
            tokenizer.fit_on_texts(step)
            tokenizer.fit_on_sequences(sequences)
    for name, value in theirs.get_config().items():
        mine = ours.get_config()[name]
        same_json = name.startswith(("word_", "index_"))
        assert (json.loads(mine) == json.loads(value)) if same_json else mine == value, name
        if name in ("word_counts", "word_index"):
            assert list(getattr(ours, name)) == list(getattr(theirs, name))
    assert ours.texts_to_sequences(test) == theirs.texts_to_sequences(test)
    try:
        expected = theirs.sequences_to_texts(sequences)
    except KeyError:  # there, an oov_token that is also a word of the texts has no index
        expected = ours.sequences_to_texts(sequences)
    assert ours.sequences_to_texts(sequences) == expected
    if ours.num_words or ours.word_index:
        for mode in ("binary", "count", "freq", "tfidf") if ours.document_count else ("binary",):
            mine = ours.sequences_to_matrix(sequences, mode)
            np.testing.assert_allclose(mine, theirs.sequences_to_matrix(sequences, mode), rtol=1e-14)
    read_back = original.tokenizer_from_json(ours.to_json())
    assert tokenizer_from_json(theirs.to_json()).texts_to_sequences(test) == read_back.texts_to_sequences(test)
