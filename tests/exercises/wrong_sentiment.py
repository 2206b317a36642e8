"""Typical wrong answers of notebook 09, and what is said about them."""

from collections import Counter

import numpy as np


def words_of(texts):
    return " ".join(texts).split()


def numbered(words, start=2):
    return {word: number for number, word in enumerate(words, start)}


def by_count(texts, start=2):
    return numbered([word for word, _ in Counter(words_of(texts)).most_common()], start)


def pad(front=False, keep_end=True):
    def padded(sequences, length):
        out = np.zeros((len(sequences), length), int)
        for row, sequence in zip(out, sequences):
            kept = (sequence[-length:] if keep_end else sequence[:length]) if sequence else []
            at = length - len(kept) if front else 0
            row[at : at + len(kept)] = kept
        return out

    return padded


def add_once(x, dy, words):
    table = np.zeros((words, dy.shape[-1]))
    table[x] += dy
    return table


def added(x, dy, words):
    table = np.zeros((words, dy.shape[-1]))
    np.add.at(table, x, dy)
    return table


def averaged(x, dy, words):
    return added(x, dy, words) / np.maximum(1, np.bincount(x.ravel(), minlength=words))[:, None]


WRONG = [
    ("09.1", lambda texts: by_count(texts, start=1), "begin with 2"),
    ("09.1", lambda texts: numbered(dict.fromkeys(words_of(texts))), "first occurrence"),
    ("09.1", lambda texts: numbered(sorted(set(words_of(texts)))), "alphabet"),
    ("09.1", lambda texts: numbered(list(by_count(texts))[::-1]), "rarest word"),
    ("09.1", lambda texts: {k: word for word, k in by_count(texts).items()}, "from words to numbers"),
    ("09.1", lambda texts: by_count(texts[:1]), "has no number"),
    ("09.2", lambda text, index: [index[word] for word in text.split() if word in index], "left out"),
    ("09.2", lambda text, index: [index.get(word, 0) for word in text.split()], "0 is padding"),
    ("09.2", lambda text, index: [index.get(word, 1) for word in text], "numbers of characters"),
    ("09.2", lambda text, index: [index[word] for word in text.split()], "KeyError"),
    ("09.3", pad(front=True), "zeros are in front; they"),
    ("09.3", pad(keep_end=False), "keep the end"),
    ("09.3", pad(front=True, keep_end=False), "both the other way"),
    ("09.3", lambda sequences, length: [s + [0] * (length - len(s)) for s in sequences], "should be numbers of shape"),
    ("09.4", lambda h, x: h[:, -1], "which for short texts is padding"),
    ("09.4", lambda h, x: h[np.arange(len(x)), np.minimum((x != 0).sum(1), 4)], "one step too late"),
    ("09.4", lambda h, x: h[np.arange(len(x)), (x > 1).sum(1) - 1], "only 0 is padding"),
    ("09.4", lambda h, x: h[:, (x != 0).sum(1) - 1], "should have shape"),
    ("09.5", add_once, "all are added"),
    ("09.5", averaged, "not averaged"),
    ("09.5", lambda x, dy, words: -added(x, dy, words), "sign"),
    ("09.5", lambda x, dy, words: added(x, dy, words)[1:], "should have shape"),
]
