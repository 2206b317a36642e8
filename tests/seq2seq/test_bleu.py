"""BLEU against published examples and counts by hand."""

import math

import pytest

from rnn_ref.seq2seq import bleu


def words(text):
    return text.split()


# The examples of Papineni et al., 2002, as NLTK's documentation takes them over.
COMMANDS = words("It is a guide to action which ensures that the military always obeys the commands of the party")
WORSE = words("It is to insure the troops forever hearing the activity guidebook that party direct")
REFERENCES = [
    words("It is a guide to action that ensures that the military will forever heed Party commands"),
    words(
        "It is the guiding principle which guarantees the military forces always being under the command of the Party"
    ),
    words("It is the practical guide for the army always to heed the directions of the party"),
]
BOOK = words("he read the book because he was interested in world history")
BOOK_REFERENCES = [words("he was interested in world history because he read the book")]


def test_the_modified_precisions_of_the_paper():
    mats = [words("the cat is on the mat"), words("there is a cat on the mat")]
    result = bleu([["the"] * 7], [mats], max_order=1)
    assert (result.matches, result.totals) == ((2,), (7,))
    lower = [[word.lower() for word in reference] for reference in REFERENCES]
    first = bleu([[word.lower() for word in COMMANDS]], [lower], max_order=2)
    assert (first.matches, first.totals) == ((17, 10), (18, 17))
    second = bleu([[word.lower() for word in WORSE]], [lower], max_order=2)
    assert (second.matches, second.totals) == ((8, 1), (14, 13))


def test_scores_of_a_sentence_and_of_a_corpus_as_published_by_nltk():
    assert bleu([COMMANDS], [REFERENCES]).score == pytest.approx(0.5045666840058485)
    both = bleu([COMMANDS, BOOK], [REFERENCES, BOOK_REFERENCES])
    assert both.score == pytest.approx(0.5920778868801042)
    assert float(both) == both.score


def test_a_count_by_hand():
    # Unigrams a b c d match 3 (a, b, c), bigrams 2 (ab, bc); 4 tokens against 5: penalty exp(1 - 5/4).
    result = bleu([list("abcd")], [[list("abcef")]], max_order=2)
    assert (result.matches, result.totals, result.length, result.reference_length) == ((3, 2), (4, 3), 4, 5)
    assert result.brevity_penalty == pytest.approx(math.exp(-0.25))
    assert result.score == pytest.approx(math.exp(-0.25) * math.sqrt(3 / 4 * 2 / 3))


def test_the_closest_reference_counts_for_the_length_and_of_two_the_shorter():
    references = [list("abcdefgh"), list("abcde"), list("abc")]
    assert bleu([list("abcd")], [references]).reference_length == 3
    assert bleu([list("abcdefg")], [references]).reference_length == 8
    assert bleu([list("abcd")], [[list("ab")]]).brevity_penalty == 1


def test_smoothing():
    candidate, reference = list("axbyc"), list("aqbrc")  # 3 of 5 unigrams, nothing longer
    assert bleu([candidate], [[reference]]).score == 0
    added = bleu([candidate], [[reference]], smoothing="add-one")
    assert added.precisions == (3 / 5, 1 / 5, 1 / 4, 1 / 3)
    halved = bleu([candidate], [[reference]], smoothing="halving")
    assert halved.precisions == (3 / 5, 1 / 8, 1 / 12, 1 / 16)
    assert halved.score == pytest.approx((3 / 5 / 8 / 12 / 16) ** 0.25)
    perfect = bleu([COMMANDS], [[COMMANDS]], smoothing="add-one")
    assert perfect.score == 1


def test_nothing_and_numbers():
    assert bleu([[]], [[["a"]]]).score == 0
    assert bleu([], []).score == 0
    assert bleu([[1, 2, 3, 4, 5]], [[[1, 2, 3, 4, 5]]]).score == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bleu(["the cat"], [[["the", "cat"]]]), "list of tokens.*'the cat'"),
        (lambda: bleu([["the", "cat"]], [["the", "cat"]]), "a reference must be a list of tokens"),
        (lambda: bleu([["the"]], [[]]), "list of references"),
        (lambda: bleu([["the"]], ["the"]), "list of references"),
        (lambda: bleu([["a"], ["b"]], [[["a"]]]), "2 candidates, 1 lists"),
        (lambda: bleu([], [], max_order=0), "`max_order`.*max_order=0"),
        (lambda: bleu([], [], smoothing="some"), "`smoothing`.*'some'"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
