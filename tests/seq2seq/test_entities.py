"""Entities and their scores, in cases computed by hand."""

import pytest

from rnn_ref.seq2seq import EntityScores, entities, entity_f1


def found(tags):
    return [(entity.type, entity.start, entity.stop) for entity in entities(tags.split())]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O O", []),
        ("B-PER I-PER O B-LOC", [("PER", 0, 2), ("LOC", 3, 4)]),
        ("B-PER B-PER I-PER", [("PER", 0, 1), ("PER", 1, 3)]),
        ("B-PER I-PER", [("PER", 0, 2)]),  # up to the end
        ("B-PER I-PER E-PER S-LOC O", [("PER", 0, 3), ("LOC", 3, 4)]),
        ("S-PER S-PER B-LOC E-LOC", [("PER", 0, 1), ("PER", 1, 2), ("LOC", 2, 4)]),
        ("B I O B", [("", 0, 2), ("", 3, 4)]),
        # What does not fit together, as conlleval reads it
        ("I-PER I-PER O", [("PER", 0, 2)]),
        ("B-PER I-LOC I-LOC", [("PER", 0, 1), ("LOC", 1, 3)]),
        ("E-PER E-PER", [("PER", 0, 1), ("PER", 1, 2)]),
        ("B-PER E-PER I-PER", [("PER", 0, 2), ("PER", 2, 3)]),
        ("S-PER I-PER", [("PER", 0, 1), ("PER", 1, 2)]),
        ("B-PER E-LOC", [("PER", 0, 1), ("LOC", 1, 2)]),
        ("B-PER S-PER I-PER", [("PER", 0, 1), ("PER", 1, 2), ("PER", 2, 3)]),
        ("", []),
    ],
)
def test_what_tags_mark(tags, expected):
    assert found(tags) == expected


def test_an_entity_counts_when_type_and_both_ends_are_right():
    y_true = [["B-PER", "I-PER", "O", "B-LOC", "O", "B-ORG"], ["B-LOC", "O", "O"]]
    y_pred = [["B-PER", "I-PER", "O", "B-ORG", "O", "B-ORG"], ["B-LOC", "I-LOC", "O"]]
    # There are 4 (PER, LOC, ORG, LOC), predicted are 4 (PER, ORG, ORG, LOC); right are PER and the last ORG.
    scores = entity_f1(y_true, y_pred)
    assert (scores.correct, scores.predicted, scores.support) == (2, 4, 4)
    assert (scores.precision, scores.recall, scores.f1) == (0.5, 0.5, 0.5)
    assert scores.by_type == {"LOC": EntityScores(0, 1, 2), "ORG": EntityScores(1, 2, 1), "PER": EntityScores(1, 1, 1)}
    assert scores.by_type["ORG"].f1 == pytest.approx(2 / 3)
    assert scores.by_type["LOC"].f1 == 0


def test_the_scheme_does_not_matter():
    bio = [["B-PER", "I-PER", "I-PER", "O", "B-LOC", "B-LOC"]]
    bioes = [["B-PER", "I-PER", "E-PER", "O", "S-LOC", "S-LOC"]]
    assert entity_f1(bio, bioes).f1 == entity_f1(bioes, bio).f1 == 1


def test_where_there_is_nothing():
    nothing = entity_f1([["O", "O"]], [["O", "O"]])
    assert (nothing.precision, nothing.recall, nothing.f1) == (0, 0, 0)
    missed = entity_f1([["B-PER"]], [["O"]])
    assert (missed.precision, missed.recall, missed.support) == (0, 0, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: entities(["PER"]), "'PER'"),
        (lambda: entities(["O-PER"]), "'O-PER'"),
        (lambda: entities([3]), "Received: 3"),
        (lambda: entities("B-PER"), "must be a list"),
        (lambda: entity_f1([["O"]], []), "1 and 0 sentences"),
        (lambda: entity_f1([["O"], ["O", "O"]], [["O"], ["O"]]), "Sentence 1 has 2 tags, and 1"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
