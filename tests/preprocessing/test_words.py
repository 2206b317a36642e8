import hashlib

import pytest

from rnn_ref.preprocessing.text import hashing_trick, one_hot, text_to_word_sequence


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"input_text": "Hello,hello world!"}, ["hello", "hello", "world"]),
        ({"input_text": "It's A\ttest\n"}, ["it's", "a", "test"]),
        ({"input_text": "It's A test", "lower": False}, ["It's", "A", "test"]),
        ({"input_text": "a-b c", "filters": ""}, ["a-b", "c"]),
        ({"input_text": "a-b c", "filters": ["-", "b"]}, ["a", "c"]),
        ({"input_text": "hello!stop world?", "split": "stop"}, ["hello", " world"]),
        ({"input_text": "ali!veli?kırk dokuz elli"}, ["ali", "veli", "kırk", "dokuz", "elli"]),
        ({"input_text": " ?! "}, []),
        ({"input_text": ""}, []),
    ],
)
def test_words(arguments, words):
    assert text_to_word_sequence(**arguments) == words


def test_md5_is_the_same_everywhere():
    # md5("cat") = d077f244def8a70e5ea758bd8352fcd8
    digest = 0xD077F244DEF8A70E5EA758BD8352FCD8
    assert int(hashlib.md5(b"cat").hexdigest(), 16) == digest
    assert hashing_trick("Cat", n=100, hash_function="md5") == [digest % 99 + 1]


def test_hash_functions_and_analyzers():
    assert hashing_trick("aa b ccc", n=10, hash_function=len) == [3, 2, 4]
    assert hashing_trick("aa b ccc", n=3, hash_function=len) == [1, 2, 2]
    assert hashing_trick("Aa-b", n=10, hash_function=len, analyzer=lambda text: text.split("a")) == [2, 3]
    expected = [hash(word) % 49 + 1 for word in ["to", "be"]]
    assert one_hot("To be.", 50) == hashing_trick("to be", 50) == expected
    assert one_hot("To be.", 50, analyzer=lambda text: ["to", "be"]) == expected


def test_nothing_hashes_to_zero():
    assert set(hashing_trick(" ".join(map(str, range(200))), n=5, hash_function="md5")) == {1, 2, 3, 4}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: text_to_word_sequence(["a", "b"]), TypeError, r"got \['a', 'b'\] of type list"),
        (lambda: text_to_word_sequence("a b", split=""), ValueError, "char_level=True"),
        (lambda: hashing_trick("a", n=1), ValueError, "at least 2"),
        (lambda: hashing_trick("a", n=5, hash_function="sha1"), ValueError, "got 'sha1'"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
