"""09: sentiment."""

from __future__ import annotations

import numpy as np

from rnn_ref import layers
from rnn_ref.exercises.answers import Wrong, array, compare, function, run
from rnn_ref.exercises.course import exercise, notebook
from rnn_ref.preprocessing.text import Tokenizer
from rnn_ref.utils import pad_sequences

notebook("09", "Sentiment")
TEXTS = ["the plot was not dull", "the film was dull", "not the plot", "what a film the film was"]


@exercise(
    "09.1",
    "a vocabulary",
    "collections.Counter of all words; its most_common() keeps the order of first occurrence among equals. "
    "enumerate(..., start=2).",
)
def _vocabulary(answer):
    function(answer, "texts")
    tokenizer = Tokenizer(oov_token="<OOV>")
    tokenizer.fit_on_texts(TEXTS)
    truth = {word: number for word, number in tokenizer.word_index.items() if number > 1}
    found = run(answer, list(TEXTS), shown="four texts")
    if not isinstance(found, dict):
        raise Wrong(f"return a dict from each word to its number, got {type(found).__name__}.")
    if all(isinstance(key, int | np.integer) for key in found):
        raise Wrong("it is the other way round: the dict leads from words to numbers.")
    if missing := sorted(set(truth) - set(found)):
        raise Wrong(f"{missing[0]!r} has no number.")
    if extra := sorted(set(found) - set(truth), key=str):
        raise Wrong(f"{extra[0]!r} is no word of these texts; split at blanks.")
    found = {word: int(number) for word, number in found.items()}
    shift = min(found.values()) - 2
    if shift and {word: number - shift for word, number in found.items()} == truth:
        raise Wrong(f"the first word has number {2 + shift}; 0 is padding and 1 an unknown word, so begin with 2.")
    if sorted(found.values()) == sorted(truth.values()) and found != truth:
        if found == {word: number for number, word in enumerate(dict.fromkeys(" ".join(TEXTS).split()), start=2)}:
            raise Wrong("these are numbered by first occurrence; the most frequent word comes first.")
        if found == {word: number for number, word in enumerate(sorted(truth), start=2)}:
            raise Wrong("these are numbered by the alphabet; the most frequent word comes first.")
        if found["the"] > found["a"]:
            raise Wrong("the rarest word is first; the most frequent one should be.")
    word = min((word for word in truth if found[word] != truth[word]), key=truth.get, default=None)
    if word is not None:
        raise Wrong(f"{word!r} should have number {truth[word]}, got {found[word]}.")


@exercise("09.2", "from words to numbers", "index.get(word, 1) for each word of text.split().")
def _encode(answer):
    function(answer, "text", "index")
    index = {"the": 2, "plot": 3, "was": 4, "not": 5, "dull": 6}
    for text, truth in (("the plot was dull", [2, 3, 4, 6]), ("the acting was not tedious", [2, 1, 4, 5, 1])):
        shown = f"text {text!r}"
        found = run(answer, text, index, shown=shown)
        try:
            found = [int(number) for number in found]
        except (TypeError, ValueError):
            raise Wrong(f"with {shown} return a list of numbers, got {found!r}.") from None
        if found == [number for number in truth if number != 1] and 1 in truth:
            raise Wrong("words that are not in the index are left out; they are 1, so that their place stays.")
        if found == [number if number != 1 else 0 for number in truth] and 1 in truth:
            raise Wrong("0 is padding, which a mask passes over; an unknown word is 1.")
        if len(found) == len(text):
            raise Wrong("these are numbers of characters; split the text into words.")
        if found != truth:
            raise Wrong(f"with {shown} it should be {truth}, got {found}.")


@exercise(
    "09.3",
    "padding",
    "np.zeros((len(sequences), length), int); for each row: kept = sequence[-length:], row[: len(kept)] = kept.",
)
def _pad(answer):
    function(answer, "sequences", "length")
    sequences, length = [[5, 6], [7, 8, 9, 10, 11], [12, 13, 14], []], 3

    def padded(**options):
        return pad_sequences(sequences, maxlen=length, **options)

    compare(
        run(answer, sequences, length, shown="four sequences and length=3"),
        padded(padding="post"),
        "the result",
        {
            "the zeros are in front; they should come after the words.": padded(padding="pre"),
            "of a sequence that is too long keep the end, not the beginning.": (
                padded(padding="post", truncating="post")
            ),
            "the zeros are in front, and of a long sequence the beginning is kept: both the other way.": (
                padded(padding="pre", truncating="post")
            ),
        },
    )


@exercise(
    "09.4",
    "the state at the last word",
    "lengths = (x != 0).sum(axis=1); h[np.arange(len(x)), lengths - 1].",
)
def _last(answer):
    function(answer, "h", "x")
    rng = np.random.default_rng(9)
    x = np.array([[3, 4, 1, 0, 0], [5, 2, 6, 3, 4], [7, 0, 0, 0, 0]])
    h, lengths, each = rng.normal(size=(3, 5, 2)), np.array([3, 5, 1]), np.arange(3)
    compare(
        run(answer, h, x, shown="lengths 3, 5 and 1"),
        h[each, lengths - 1],
        "the result",
        {
            "this is the last step, which for short texts is padding.": h[:, -1],
            "this is one step too late, the first of the padding.": h[each, np.minimum(lengths, 4)],
            "an unknown word is 1, and is read as well: only 0 is padding.": h[each, [1, 4, 0]],
            "this is a mean over steps; the state at the last word was asked for.": (
                np.stack([h[b, :n].mean(axis=0) for b, n in enumerate(lengths)])
            ),
        },
    )


@exercise(
    "09.5",
    "the gradient of an embedding",
    "np.add.at(d_table, x, dy) adds for each time that a word comes; d_table[x] += dy adds once.",
)
def _embedding(answer):
    function(answer, "x", "dy", "words")
    rng = np.random.default_rng(10)
    x, dy, words = np.array([[1, 3, 3], [2, 3, 1]]), rng.normal(size=(2, 3, 4)), 5
    embedding = layers.Embedding(words, 4, dtype="float64")
    _, tape = embedding.forward(x)
    truth = array(embedding.backward(tape, dy).weights["embeddings"], (words, 4), "the gradient")
    once, mean = np.zeros((words, 4)), truth.copy()
    once[x] += dy
    counts = np.bincount(x.ravel(), minlength=words)
    mean[counts > 0] /= counts[counts > 0, None]
    compare(
        run(answer, x, dy, words, shown="6 words, some of them twice"),
        truth,
        "the gradient",
        {
            "a word that comes several times gets several gradients, and all are added; d_table[x] += dy keeps one "
            "of them only.": once,
            "the gradients of a word are added, not averaged.": mean,
            "the sign is the other way round.": -truth,
        },
    )
