import pytest

from rnn_ref import random
from rnn_ref.datasets import reviews
from rnn_ref.datasets.reviews import BAD, GOOD


def opinion(text):
    """Of each statement: the word's opinion, turned by a not."""
    return {(statement.split()[-1] in GOOD) != (" not " in statement) for statement in text.split(" and ")}


def test_labels_follow_from_words_and_nots():
    texts, labels = reviews(300, seed=0)
    assert [{bool(label)} for label in labels] == [opinion(text) for text in texts]
    assert 0.4 < sum(labels) / 300 < 0.6
    assert not set(GOOD) & set(BAD)


def test_half_of_them_turned_the_words_by_themselves_say_nothing():
    texts, labels = reviews(3000, negated=0.5, seed=1)
    good = [label for text, label in zip(texts, labels) for word in text.split() if word in GOOD]
    assert abs(sum(good) / len(good) - 0.5) < 0.03


@pytest.mark.parametrize("negated", [0, 1])
def test_none_or_all_turned(negated):
    texts, _ = reviews(50, negated=negated, seed=2)
    assert all(text.count(" not ") == negated * (text.count(" and ") + 1) for text in texts)


def test_seeds():
    first = reviews(5, seed=3)
    assert reviews(5, seed=3) == first
    random.set_seed(3)
    assert reviews(5) == first
    assert reviews(5) != first


@pytest.mark.parametrize(("samples", "negated"), [(0, 0.2), (2.5, 0.2), (1, -0.1), (1, 2)])
def test_numbers_out_of_range(samples, negated):
    with pytest.raises(ValueError, match="reviews"):
        reviews(samples, negated=negated)
