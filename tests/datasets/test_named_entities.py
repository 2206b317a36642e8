from collections import defaultdict

import pytest

from rnn_ref import random
from rnn_ref.datasets import named_entities
from rnn_ref.datasets.named_entities import NAMES
from rnn_ref.seq2seq import entities


def test_form():
    sentences, tags = named_entities(400, seed=0)
    assert len(sentences) == len(tags) == 400
    assert all(len(words) == len(marks) for words, marks in zip(sentences, tags))
    assert {mark for marks in tags for mark in marks} == {"O"} | {
        f"{letter}-{kind}" for letter in "BI" for kind in ("PER", "LOC", "ORG")
    }
    for words, marks in zip(sentences, tags):
        found = entities(marks)
        assert 1 <= len(found) <= 3
        assert all(" ".join(words[entity.start : entity.stop]).istitle() for entity in found)
        assert "{" not in " ".join(words)


def test_a_name_may_be_each_of_the_three():
    kinds = defaultdict(set)
    for words, marks in zip(*named_entities(2000, unknown=0, seed=1)):
        for word, mark in zip(words, marks):
            if word in NAMES:
                kinds[word].add(mark.partition("-")[2])
    assert kinds == {name: {"PER", "LOC", "ORG"} for name in NAMES}


@pytest.mark.parametrize("unknown", [0, 1])
def test_names_that_were_made_up(unknown):
    sentences, _ = named_entities(50, unknown=unknown, seed=2)
    assert any(word in NAMES for words in sentences for word in words) == (unknown == 0)


def test_seeds():
    first = named_entities(5, seed=3)
    assert named_entities(5, seed=3) == first
    random.set_seed(3)
    assert named_entities(5) == first
    assert named_entities(5) != first


@pytest.mark.parametrize(("samples", "unknown"), [(0, 0.2), (2.5, 0.2), (1, -0.1), (1, 2)])
def test_numbers_out_of_range(samples, unknown):
    with pytest.raises(ValueError, match="named_entities"):
        named_entities(samples, unknown=unknown)
