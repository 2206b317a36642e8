"""Typical wrong answers of notebook 04, and what is said about them."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(order="ifco", candidate=np.tanh, shown=np.tanh, keep=lambda f: f, write=lambda i: i):
    def lstm(x, h_prev, c_prev, W, U, b):
        z = dict(zip(order, np.split(x @ W + h_prev @ U + b, 4)))
        c = keep(sigmoid(z["f"])) * c_prev + write(sigmoid(z["i"])) * candidate(z["c"])
        return sigmoid(z["o"]) * shown(c), c

    return lstm


def backward(later=1, through_h=1, inner=1, slopes=1, sign=1):
    def lstm(dh, dc, i, f, g, o, c, c_prev):
        a = np.tanh(c)
        dc = later * dc + through_h * dh * o * (1 - inner * a**2)
        di, df, dg, do = dc * g, dc * c_prev, dc * i, dh * a
        if slopes:
            di, df, dg, do = di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)
        return sign * di, df, dg, do, dc * f

    return lstm


def memory(i=(0, 20, -10), f=(0, 0, 20), c=(1, 0, 0)):
    """Weights of value and mark, and the bias, of each gate."""
    value, mark, bias = zip(i, f, c, (0, 0, 0))
    return np.array([value, mark]), np.zeros((1, 4)), np.array(bias)


WRONG = [
    ("04.1", step("ifoc"), "another order"),
    ("04.1", step("icfo"), "another order"),
    ("04.1", step(candidate=sigmoid), "candidate goes through tanh"),
    ("04.1", step(shown=lambda c: c), "tanh around c"),
    ("04.1", step(keep=lambda f: 1), "forget gate is missing"),
    ("04.1", step(write=lambda i: 1), "input gate is missing"),
    ("04.1", lambda *a: step()(*a)[::-1], "changed places"),
    ("04.1", lambda x, h_prev, c_prev, W, U, b: step()(x, h_prev, c_prev, W, U, 0 * b), "c.* should be"),
    ("04.2", backward(later=0), "does not vanish"),
    ("04.2", backward(through_h=0), "through h"),
    ("04.2", backward(inner=0), "slope of tanh is missing"),
    ("04.2", backward(slopes=0), "go on through their activations"),
    ("04.2", backward(sign=-1), "dz_i has the wrong sign"),
    ("04.3", lambda f: np.cumprod(f[::-1], axis=0)[::-1], "begin with the step after"),
    ("04.3", lambda f: np.vstack([np.ones((1, 3)), np.cumprod(f, axis=0)[:-1]]), "should be"),
    ("04.3", lambda f: np.prod(f, axis=0), "shape"),
    ("04.4", memory(i=(0, 0, 0)), "at the mark the input gate"),
    ("04.4", memory(f=(0, 0, 1)), "forget gate falls to 0.731"),
    ("04.4", memory(i=(0, 8, -5)), "noise is written"),
    ("04.4", memory(c=(0, 1, 0)), r"should be tanh\(value\)"),
    ("04.4", (np.zeros((4, 2)), np.zeros((1, 4)), np.zeros(4)), "transposed"),
]
