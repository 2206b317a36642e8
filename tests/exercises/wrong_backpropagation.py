"""Typical wrong answers of notebook 02, and what is said about them."""

import numpy as np


def forward(activation=np.tanh, keep=1, turned=False):
    def states(x, W, U, b):
        h, found = np.zeros(len(b)), []
        for x_t in x:
            h = activation(x_t @ W + keep * h @ (U.T if turned else U) + b)
            found.append(h)
        return np.array(found)

    return states


def writes_into_its_input(x, W, U, b):
    x *= 2
    return forward()(x, W, U, b)


def step(dh, h, U, slope=lambda h: 1 - h**2, product=lambda dz, U: dz @ U.T):
    dz = dh * slope(h)
    return dz, product(dz, U)


def walk(later=1, slope=1, turned=True, previous=True, add=True, first=lambda T: 0):
    def backward(x, h, dh_out, U):
        T, H = h.shape
        dW, dU, db, handed = np.zeros((x.shape[1], H)), np.zeros((H, H)), np.zeros(H), np.zeros(H)
        for t in range(T - 1, first(T) - 1, -1):
            dz = (dh_out[t] + later * handed) * (1 - slope * h[t] ** 2)
            before = h[t] if not previous else h[t - 1] if t else np.zeros(H)
            parts = np.outer(x[t], dz), np.outer(before, dz), dz
            dW, dU, db = (a * add + b for a, b in zip((dW, dU, db), parts))
            handed = dz @ (U.T if turned else U)
        return dW, dU, db

    return backward


def cut(number):
    def truncated(x, h, dh_last, U, k):
        dh_out = np.zeros_like(h)
        dh_out[-1] = dh_last
        return walk(first=lambda T: max(0, T - number(k, T)))(x, h, dh_out, U)[1]

    return truncated


def differences(above, below, divide, restore=True):
    def gradient(loss, w, epsilon):
        found, moved = np.zeros_like(w), w.copy()
        for place in np.ndindex(w.shape):
            moved = moved if not restore else w.copy()
            moved[place] = w[place] + above * epsilon
            high = loss(moved)
            moved[place] = w[place] + below * epsilon
            found[place] = (high - loss(moved)) / (divide * epsilon)
        return found

    return gradient


WRONG = [
    ("02.1", forward(keep=0), "begin from zeros"),
    ("02.1", forward(lambda z: z), "activation is missing"),
    ("02.1", forward(turned=True), "U is transposed"),
    ("02.1", lambda x, W, U, b: forward()(x, W, U, b)[-1], "should have shape"),
    ("02.1", writes_into_its_input, "changes an array"),
    ("02.2", lambda dh, h, U: step(dh, h, U, slope=lambda h: 1), "slope of tanh is missing"),
    ("02.2", lambda dh, h, U: step(dh, h, U, slope=lambda h: 1 - np.tanh(h) ** 2), "no tanh once more"),
    ("02.2", lambda dh, h, U: step(dh, h, U, slope=lambda h: h * (1 - h)), "sigmoid"),
    ("02.2", lambda dh, h, U: step(dh, h, U, product=lambda dz, U: dz @ U), "transposed"),
    ("02.2", lambda dh, h, U: (step(dh, h, U)[0], dh @ U.T), "not from dh"),
    ("02.2", lambda dh, h, U: step(dh, h, U)[0], "should return 2 values"),
    ("02.3", walk(later=0), "nothing flows back"),
    ("02.3", walk(slope=0), "slope of tanh"),
    ("02.3", walk(turned=False), "dz @ U.T"),
    ("02.3", walk(previous=False), r"h_\{t-1\}"),
    ("02.3", walk(add=False), "should be"),
    ("02.3", walk(first=lambda T: T - 1), "add up"),
    ("02.4", cut(lambda k, T: T), "whole gradient"),
    ("02.4", cut(lambda k, T: k + 1), "one step too far"),
    ("02.4", cut(lambda k, T: k - 1), "one step too early"),
    ("02.5", differences(1, -1, 1), "divide by 2 epsilon"),
    ("02.5", differences(1, 0, 1), "one side only is off"),
    ("02.5", differences(0, -1, 1), "below at that"),
    ("02.5", differences(-1, 1, 2), "sign"),
    ("02.5", differences(1, -1, 2, restore=False), "more than one entry"),
]
