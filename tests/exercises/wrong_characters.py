"""Typical wrong answers of notebook 08, and what is said about them."""

import numpy as np


def arrange(shift=1, cut=lambda a, B, n, T: a.reshape(B, n, T).transpose(1, 0, 2).reshape(n * B, T), less=1, y=None):
    def pieces(ids, B, T):
        n = (len(ids) - less) // (B * T)
        x = cut(ids[: B * n * T], B, n, T)
        return x, cut(ids[shift:][: B * n * T], B, n, T) if y is None else y(x)

    return pieces


def write(carry=True, feed=True, also_first=False, missing=0):
    def tokens(step, draw, token, h, length):
        kept, first, begin = [token] if also_first else [], token, h
        for _ in range(length - missing):
            p, new = step(token if feed else first, h)
            h = new if carry else begin
            token = draw(p)
            kept.append(token)
        return kept

    return tokens


def interpolated(clip=True, back=1, discount=1, kinds=np.count_nonzero):
    def smoothed(counts, lower, D):
        kept = counts - discount * D
        kept = np.maximum(kept, 0) if clip else kept
        return (kept + back * D * kinds(counts) * lower) / counts.sum()

    return smoothed


WRONG = [
    ("08.1", lambda p: -np.log(p).mean(), "should be 4|loss in nats"),
    ("08.1", lambda p: 1 / p.mean(), "mean of the probabilities"),
    ("08.1", lambda p: np.mean(1 / p), "single unlikely character"),
    ("08.1", lambda p: 2 ** (-np.log2(p).sum()), "should be 4"),
    ("08.2", arrange(cut=lambda a, B, n, T: a.reshape(-1, T)), "row 1 goes on where row 0 ended"),
    ("08.2", arrange(cut=lambda a, B, n, T: a.reshape(B, n * T)), "whole rows"),
    ("08.2", arrange(less=0, y=lambda x: x), "there are 3 whole batches"),
    ("08.2", arrange(y=lambda x: x), "shift them by one"),
    ("08.2", arrange(y=lambda x: np.roll(x, -1, axis=1)), "shift before you cut"),
    ("08.2", lambda ids, B, T: (ids[:10].reshape(2, 5), ids[1:11].reshape(2, 5)), "whole batches"),
    ("08.3", lambda p, tau: p**tau / (p**tau).sum(), "other way round"),
    ("08.3", lambda p, tau: p ** (1 / tau), "do not sum to 1"),
    ("08.3", lambda p, tau: np.exp(p / tau) / np.exp(p / tau).sum(), "logarithms, not the probabilities"),
    ("08.3", lambda p, tau: p / tau / (p / tau).sum(), "changes nothing"),
    ("08.4", write(carry=False), "state is not handed on"),
    ("08.4", write(feed=False), "has to be read"),
    ("08.4", write(also_first=True), "not among the new ones"),
    ("08.4", write(missing=1), "yours are 11"),
    ("08.4", lambda step, draw, token, h, length: step(token, h)[0], "12 new tokens"),
    ("08.5", interpolated(clip=False), "below 0"),
    ("08.5", interpolated(back=0), "goes nowhere"),
    ("08.5", interpolated(discount=0), "sum to more than 1"),
    ("08.5", interpolated(kinds=len), "not how many there are"),
    ("08.5", interpolated(kinds=lambda counts: 1), "not D / N"),
]
