"""Typical wrong answers of notebook 11, and what is said about them."""

from collections import Counter

import numpy as np


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def attend(weigh):
    def attention(query, keys, mask):
        weights = weigh(keys @ query, mask)
        return weights @ keys, weights

    return attention


def loop(feed=lambda token, start: token, hand_on=True, keep_end=False, keep_start=False, bounded=True):
    def decode(step, state, start, end, longest):
        token, said = start, [start] if keep_start else []
        for _ in range(longest if bounded else longest + 3):
            probabilities, after = step(feed(token, start), state)
            state = after if hand_on else state
            token = int(probabilities.argmax())
            if token == end:
                return [*said, end] if keep_end else said
            said.append(token)
        return said

    return decode


def beam(score, choose=lambda total: np.argsort(-total.ravel())[: len(total)]):
    def step(log_probs, next_log_probs):
        total = score(log_probs[:, None], next_log_probs)
        best = choose(total)
        parents, tokens = np.divmod(best, total.shape[1])
        return parents, tokens, total.ravel()[best]

    return step


def grams(tokens, n):
    return Counter(zip(*(tokens[k:] for k in range(n))))


def unclipped(candidate, reference, n):
    there = grams(reference, n)
    return sum(count for gram, count in grams(candidate, n).items() if gram in there) / grams(candidate, n).total()


def of_reference(candidate, reference, n):
    return (grams(candidate, n) & grams(reference, n)).total() / grams(reference, n).total()


def of_words(candidate, reference, n):
    return (grams(candidate, n) & grams(reference, n)).total() / len(candidate)


def different(candidate, reference, n):
    return len(grams(candidate, n) & grams(reference, n)) / max(1, grams(candidate, n).total())


def right_beams(*given):
    return beam(np.add)(*given)


WRONG = [
    ("11.1", lambda target, start, end, pad: target, "target itself"),
    ("11.1", lambda target, start, end, pad: np.insert(target[:, :-1], 0, start, axis=1), "after the end nothing"),
    ("11.1", lambda target, start, end, pad: np.insert(target[:, 1:], 4, start, axis=1), "one step late, not early"),
    ("11.1", lambda target, start, end, pad: np.insert(target, 0, start, axis=1), "should have shape"),
    ("11.2", attend(lambda scores, mask: softmax(scores)), "padding is looked at"),
    ("11.2", attend(lambda scores, mask: softmax(scores * mask)), "0 is not none"),
    ("11.2", attend(lambda scores, mask: softmax(scores) * mask), "no longer sum to 1"),
    ("11.2", attend(lambda scores, mask: scores * mask), "these are the scores"),
    ("11.2", lambda query, keys, mask: softmax(np.where(mask, keys @ query, -np.inf)), "should return 2 values"),
    ("11.3", loop(keep_end=True), "not part of what is said"),
    ("11.3", loop(keep_start=True), "fed, but not said"),
    ("11.3", loop(feed=lambda token, start: start), "what it said last"),
    ("11.3", loop(hand_on=False), "hand on what step returned"),
    ("11.3", loop(bounded=False), "stop after 4"),
    ("11.4", beam(np.add, lambda t: t.argmax(axis=1) + t.shape[1] * np.arange(len(t))), "may have several"),
    ("11.4", beam(np.add, lambda t: np.argsort(t.ravel())[: len(t)]), "the worst ones"),
    ("11.4", beam(np.add, lambda t: np.argsort(t.ravel())[-len(t) :]), "wrong order"),
    ("11.4", beam(lambda before, after: after), "add log_probs"),
    ("11.4", lambda *given: tuple(right_beams(*given)[k] for k in (1, 0, 2)), "changed places"),
    ("11.5", unclipped, "at most as often"),
    ("11.5", of_reference, "it is the recall"),
    ("11.5", different, "different ones only"),
    ("11.5", of_words, "4 pairs"),
    ("11.5", lambda c, r, n: (grams(c, n) & grams(r, n)).total() / grams(c, n).total(), "ZeroDivisionError"),
]
