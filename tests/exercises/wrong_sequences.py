"""Typical wrong answers of notebook 07, and what is said about them."""

import numpy as np

RIGHT = {"a": (5, 100, 8), "b": (5, 16), "c": (5, 100, 8), "d": (5, 100, 2), "e": (5, 8)}


def shapes(**other):
    return tuple((RIGHT | other).values())


def pad(place=lambda T, longest: slice(0, T), longest=max, fill=lambda value: value, mask=None):
    def padded(sequences, value):
        T = longest(len(s) for s in sequences)
        x, counts = np.full((len(sequences), T, 2), fill(value)), np.zeros((len(sequences), T), bool)
        for n, s in enumerate(sequences):
            s = s[:T]
            x[n, place(len(s), T)], counts[n, place(len(s), T)] = s, True
        return x, counts if mask is None else mask(x, counts, value)

    return padded


def both(turn=lambda x: x[:, ::-1], back=lambda y: y[:, ::-1], axis=-1):
    def read(forward, backward, x):
        return np.concatenate([forward(x), back(backward(turn(x)))], axis=axis)

    return read


def loop(at_masked, invert=False, keep=lambda states, mask: np.array(states)):
    def run(step, x, mask, h0):
        h, states = h0, []
        for t in range(len(x)):
            h = step(x[t], h) if mask[t] != invert else at_masked(step, x[t], h, h0)
            states.append(h)
        return keep(states, mask)

    return run


def stay(step, x_t, h, h0):
    return h


WRONG = [
    ("07.1", shapes(a=(5, 8)), r"\(a\).*each of the 100 steps"),
    ("07.1", shapes(a=(100, 5, 8)), "batch first"),
    ("07.1", shapes(a=(5, 100, 3)), "layer's units"),
    ("07.1", shapes(b=(5, 8)), r"\(b\).*two directions"),
    ("07.1", shapes(c=(5, 100, 16)), r"\(c\).*adds the two directions"),
    ("07.1", shapes(d=(5, 2)), r"\(d\).*the steps stay"),
    ("07.1", shapes(e=(5, 100, 8)), r"\(e\).*last step alone"),
    ("07.1", (5, 8), "should return 5 values"),
    ("07.2", pad(place=lambda T, longest: slice(longest - T, longest)), "pads in front"),
    ("07.2", pad(longest=min), "cuts all sequences"),
    ("07.2", pad(fill=lambda value: 0.0), "fills up with 0"),
    ("07.2", pad(mask=lambda x, counts, value: ~counts), "other way round"),
    ("07.2", pad(mask=lambda x, counts, value: (x != value).any(axis=-1)), "from the lengths"),
    ("07.3", lambda y, f, mask: ((f - y) ** 2).mean(), "all steps are counted"),
    ("07.3", lambda y, f, mask: (((f - y) ** 2) * mask).mean(), "number it is divided by"),
    ("07.3", lambda y, f, mask: np.mean([((a - b) ** 2)[m].mean() for a, b, m in zip(f, y, mask)]), "short ones"),
    ("07.3", lambda y, f, mask: ((f - y) ** 2)[~mask].mean(), "do not count"),
    ("07.4", both(back=lambda y: y), "turn them back"),
    ("07.4", both(turn=lambda x: x, back=lambda y: y), "reversed in time"),
    ("07.4", both(axis=1), "not along time"),
    ("07.4", lambda forward, backward, x: forward(x) + backward(x[:, ::-1])[:, ::-1], "H numbers"),
    ("07.5", loop(lambda step, x_t, h, h0: step(x_t, h)), "mask is not used"),
    ("07.5", loop(lambda step, x_t, h, h0: 0 * h), "set to zero"),
    ("07.5", loop(lambda step, x_t, h, h0: h0), "goes back to h0"),
    ("07.5", loop(stay, invert=True), "other way round"),
    ("07.5", loop(stay, keep=lambda states, mask: np.array(states)[mask]), "leaves the masked ones out"),
]
