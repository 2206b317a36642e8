"""Typical wrong answers of notebook 10, and what is said about them."""

from collections import Counter, defaultdict

import numpy as np


def found(tags, close_last=True, inclusive=False, b_ends=True, keep_letter=False):
    out, start, kind = [], None, None
    for t, tag in enumerate([*tags, "O"] if close_last else tags):
        if start is not None and (tag == "O" or (b_ends and tag[0] == "B")):
            out.append((f"B-{kind}" if keep_letter else kind, start, t - 1 if inclusive else t))
            start = None
        if tag != "O" and start is None:
            start, kind = t, tag[2:]
    return out


def mean_of_sentences(true, predicted):
    return np.mean([2 * len(t & p) / (len(t) + len(p)) for t, p in zip(true, predicted)])


def f1(score, ends=False):
    def of_corpus(true, predicted):
        if ends:
            true, predicted = ([{entity[1:] for entity in each} for each in both] for both in (true, predicted))
        correct = sum(len(t & p) for t, p in zip(true, predicted))
        n_true, n_predicted = (sum(map(len, each)) for each in (true, predicted))
        return score(correct, n_predicted, n_true)

    return of_corpus


def most_frequent(sentences, tags, pick=lambda counts: counts.most_common(1)[0][0], skip=()):
    counts = defaultdict(Counter)
    for words, marks in zip(sentences, tags):
        for word, mark in zip(words, marks):
            if mark not in skip:
                counts[word][mark] += 1
    return {word: pick(seen) for word, seen in counts.items()}


WRONG = [
    ("10.1", lambda tags: found(tags, inclusive=True), "Python's slices"),
    ("10.1", lambda tags: found(tags, close_last=False), "reaches the last word"),
    ("10.1", lambda tags: found(tags, b_ends=False), "a B begins a new entity"),
    ("10.1", lambda tags: found(tags, keep_letter=True), "without B- and I-"),
    ("10.1", lambda tags: [(t[2:], k, k + 1) for k, t in enumerate(tags) if t != "O"], "does not begin one"),
    ("10.1", lambda tags: [k for k, t in enumerate(tags) if t != "O"], r"an entity is \(type"),
    ("10.2", mean_of_sentences, "divide once"),
    ("10.2", f1(lambda c, p, t: 2 * c / (p + t), ends=True), "its type is right too"),
    ("10.2", f1(lambda c, p, t: c / t), "this is the recall"),
    ("10.2", f1(lambda c, p, t: c / p if p else 0), "this is the precision"),
    ("10.2", f1(lambda c, p, t: (c / p + c / t) / 2 if p else 0), "harmonic"),
    ("10.2", f1(lambda c, p, t: 2 / (p / c + t / c)), "ZeroDivisionError"),
    ("10.3", lambda s, t: most_frequent(s, t, pick=lambda counts: next(iter(counts))), "B-LOC twice later"),
    ("10.3", lambda s, t: most_frequent(s, t, skip=("O",)), "is missing"),
    ("10.3", lambda s, t: most_frequent(s, t, pick=lambda counts: counts.most_common(1)[0]), "should be a tag"),
    ("10.3", lambda s, t: [["O"] * len(words) for words in s], "return a dict"),
    ("10.4", lambda f, b, x: np.concatenate([f(x), b(x[::-1])], -1), "turned back"),
    ("10.4", lambda f, b, x: np.concatenate([f(x), b(x)], -1), "from the last one on"),
    ("10.4", lambda f, b, x: np.concatenate([f(x), f(x[::-1])[::-1]], -1), "the first is used twice"),
    ("10.4", lambda f, b, x: f(x) + b(x[::-1])[::-1], "should have shape"),
    ("10.5", lambda x, lengths: x[:, ::-1], "padding was turned too"),
    ("10.5", lambda x, lengths: x[::-1], "upside down"),
    ("10.5", lambda x, lengths: [row[:n][::-1] for row, n in zip(x, lengths)], "should be"),
]
