"""10: named entities with a bidirectional LSTM."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rnn_ref.exercises.answers import Wrong, compare, function, run
from rnn_ref.exercises.course import exercise, notebook
from rnn_ref.seq2seq import entities

notebook("10", "Named entities with a bidirectional LSTM")


def _triples(value, shown: str) -> set:
    """A set of (type, start, stop)."""
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise Wrong(f"with {shown} it should return a list of (type, start, stop), got {value!r}.")
    found = []
    for each in value:
        if not isinstance(each, tuple | list) or len(each) != 3:
            raise Wrong(f"with {shown} it returned {each!r}: an entity is (type, start, stop).")
        found.append(tuple(each))
    if len(set(found)) < len(found):
        raise Wrong(f"with {shown} an entity is there twice: {found}.")
    return set(found)


@exercise(
    "10.1",
    "the entities that tags mark",
    "Go through the tags, with an O put after the last one. An open entity ends at an O and at a B; then it is (type, "
    "start, stop), stop not included.",
)
def _entities(answer):
    function(answer, "tags")
    for tags in (
        ["O", "O"],
        ["O", "B-PER", "O"],
        ["B-PER", "I-PER", "O", "B-LOC", "O"],
        ["O", "B-ORG", "I-ORG"],
        ["B-LOC", "B-LOC", "O"],
        ["B-PER", "B-LOC", "I-LOC", "O"],
    ):
        shown = f"tags {' '.join(tags)}"
        found = _triples(run(answer, list(tags), shown=shown), shown)
        truth = {tuple(entity) for entity in entities(tags)}
        if found == truth:
            continue
        if found == {(kind, start, stop - 1) for kind, start, stop in truth}:
            raise Wrong(f"with {shown}: stop is the first step after the entity, as in Python's slices.")
        if tags[-1] != "O" and found < truth:
            raise Wrong(f"with {shown}: an entity that reaches the last word is lost; close it after the loop.")
        if any(kind.startswith(("B", "I")) for kind, *_ in found if isinstance(kind, str)):
            raise Wrong(f"with {shown}: the type is PER, LOC or ORG, without B- and I-.")
        if len(found) < len(truth):
            raise Wrong(f"with {shown}: a B begins a new entity, also right after another one: {sorted(truth)}.")
        if len(found) > len(truth):
            raise Wrong(
                f"with {shown}: an I goes on with the entity before it, it does not begin one: {sorted(truth)}."
            )
        raise Wrong(f"with {shown} it should be {sorted(truth)}, got {sorted(found, key=str)}.")


@exercise(
    "10.2",
    "F1 over a corpus",
    "Over all sentences: correct = how many are in both sets, then precision = correct / predicted, recall = correct / "
    "true; F1 = 2 correct / (predicted + true).",
)
def _f1(answer):
    function(answer, "true", "predicted")
    true = [{("PER", 0, 2), ("LOC", 4, 5)}, {("ORG", 1, 2)}, {("PER", 3, 4)}]
    predicted = [{("PER", 0, 2), ("ORG", 4, 5)}, {("ORG", 1, 2), ("LOC", 4, 5)}, set()]
    n_true, n_predicted, correct = 4, 4, 2
    each = [2 * len(t & p) / (len(t) + len(p)) for t, p in zip(true, predicted)]
    boundaries = 2 * 3 / (n_true + n_predicted)
    predicted_more = [*predicted[:2], {("LOC", 0, 1), ("LOC", 1, 2)}]
    compare(
        run(answer, true, predicted, shown="three sentences"),
        2 * correct / (n_true + n_predicted),
        "with three sentences F1",
        {
            "this is the mean of the sentences' F1; count over all sentences, then divide once.": np.mean(each),
            "an entity counts if its type is right too, not only its ends.": boundaries,
        },
    )
    compare(
        run(answer, true, predicted_more, shown="more predicted than true entities"),
        2 * correct / (n_true + 6),
        "with more predicted than true entities F1",
        {
            "this is the recall; what was predicted and is not there must count against it.": correct / n_true,
            "this is the precision; what was not found must count against it.": correct / 6,
            "this is the mean of precision and recall; F1 is their harmonic mean.": (correct / n_true + correct / 6)
            / 2,
        },
    )
    compare(run(answer, true, [set()] * 3, shown="nothing predicted"), 0.0, "with nothing predicted F1")


@exercise(
    "10.3",
    "the most frequent tag of each word",
    "A Counter for each word (collections.defaultdict(Counter)); then most_common(1).",
)
def _baseline(answer):
    function(answer, "sentences", "tags")
    sentences = [["Lincoln", "said", "so"], ["so", "Lincoln", "grew"], ["Lincoln", "grew"], ["Paris", "grew", "."]]
    tags = [["B-PER", "O", "O"], ["O", "B-LOC", "O"], ["B-LOC", "O"], ["B-LOC", "O", "O"]]
    truth = {"Lincoln": "B-LOC", "said": "O", "so": "O", "grew": "O", "Paris": "B-LOC", ".": "O"}
    found = run(answer, sentences, tags, shown="four sentences")
    if not hasattr(found, "items"):
        raise Wrong(f"return a dict from each word to its tag, got {type(found).__name__}.")
    found = dict(found)
    if missing := [word for word in truth if word not in found]:
        raise Wrong(f"{missing[0]!r} is missing: every word that was seen has a most frequent tag.")
    if found["Lincoln"] == "B-PER":
        raise Wrong("Lincoln is B-PER in the first sentence, but B-LOC twice later: count all of them.")
    for word, tag in truth.items():
        if not isinstance(found[word], str):
            raise Wrong(f"the value of {word!r} should be a tag such as 'O', got {found[word]!r}.")
        if found[word] != tag:
            raise Wrong(f"{word!r} is most often {tag}, got {found[word]}.")


def _reader(seed):
    """A small recurrent net, (T, F) -> (T, 2)."""
    rng = np.random.default_rng(seed)
    W, U = rng.normal(size=(3, 2)), rng.normal(size=(2, 2))

    def read(x):
        h, found = np.zeros(2), []
        for x_t in x:
            h = np.tanh(x_t @ W + h @ U)
            found.append(h)
        return np.array(found)

    return read


@exercise(
    "10.4",
    "both ways",
    "The second net reads x[::-1]; what it says must be turned back, so that row t of both belongs to word t. Side by "
    "side: np.concatenate(..., axis=-1).",
)
def _both(answer):
    function(answer, "forward", "backward", "x")
    x = np.random.default_rng(7).normal(size=(4, 3))
    forward, backward = _reader(1), _reader(2)
    first, second = forward(x), backward(x[::-1])
    compare(
        run(answer, forward, backward, x, shown="4 words"),
        np.concatenate([first, second[::-1]], axis=-1),
        "the output",
        {
            "the second net's output must be turned back: its row 0 belongs to the last word.": (
                np.concatenate([first, second], axis=-1)
            ),
            "the second net reads the words from the last one on: x[::-1].": (
                np.concatenate([first, backward(x)], axis=-1)
            ),
            "the second net reads forwards, and only its output is turned.": (
                np.concatenate([first, backward(x)[::-1]], axis=-1)
            ),
            "the first net's output comes first.": np.concatenate([second[::-1], first], axis=-1),
            "both directions are two nets with weights of their own; the first is used twice.": (
                np.concatenate([first, forward(x[::-1])[::-1]], axis=-1)
            ),
        },
    )


@exercise(
    "10.5",
    "turned round, padding left where it is",
    "For each row: out[b, :n] = x[b, :n][::-1] with n = lengths[b]; the rest stays.",
)
def _reverse(answer):
    function(answer, "x", "lengths")
    x = np.array([[1.0, 2, 3, 4, 5], [6, 7, 8, 0, 0], [9, 0, 0, 0, 0]])
    lengths = np.array([5, 3, 1])
    compare(
        run(answer, x, lengths, shown="lengths 5, 3 and 1"),
        np.array([[5.0, 4, 3, 2, 1], [8, 7, 6, 0, 0], [9, 0, 0, 0, 0]]),
        "the result",
        {
            "the padding was turned too, and is now in front: the net would read it first.": x[:, ::-1],
            "nothing is turned.": x,
            "the sentences were turned upside down; time is the second axis.": x[::-1],
        },
    )
