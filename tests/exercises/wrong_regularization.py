"""Typical wrong answers of notebook 12, and what is said about them."""

import numpy as np


def dropped(u, rate):
    return np.where(u < rate, 0, 1 / (1 - rate))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(products=lambda h, d, k: h * d[k], cell=lambda c, d: c):
    def lstm(x, h_prev, c_prev, W, U, b, d_h):
        i, f, g, o = (
            x @ W_k + products(h_prev, d_h, k) @ U_k + b_k
            for k, (W_k, U_k, b_k) in enumerate(zip(np.split(W, 4, 1), np.split(U, 4, 1), np.split(b, 4)))
        )
        c = sigmoid(f) * cell(c_prev, d_h) + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    return lstm


def within(spread, last=np.max):
    def choose(rates, losses):
        mean = losses.mean(axis=1)
        best = mean.argmin()
        return last(rates[mean <= mean[best] + spread(losses[best])])

    return choose


WRONG = [
    ("12.1", lambda x, u, rate: np.where(u < rate, 0, x), "scaled up"),
    ("12.1", lambda x, u, rate: np.where(u < rate, x / rate, 0), "dropped, not kept"),
    ("12.1", lambda x, u, rate: np.where(u < rate, x, 0) / (1 - rate), "others are dropped"),
    ("12.1", lambda x, u, rate: np.where(u < rate, 0, x) / rate, "divided by rate"),
    ("12.1", lambda x, u, rate: x * (1 - rate), "should be"),
    ("12.2", lambda x, u, rate: x * dropped(u, rate), "time axis"),
    ("12.2", lambda x, u, rate: x * dropped(u, rate)[:1, None], "mask of its own"),
    ("12.2", lambda x, u, rate: x * (u >= rate)[:, None], "scaled up"),
    ("12.2", lambda x, u, rate: x[:, 0] * dropped(u, rate), "should have shape"),
    ("12.3", lambda rate, steps: (1 - rate, 1 - rate, 1), "single step"),
    ("12.3", lambda rate, steps: ((1 - rate) ** steps, (1 - rate) ** steps, 1), "drawn once"),
    ("12.3", lambda rate, steps: ((1 - rate) ** steps, 1 - rate, 1 - rate), "nothing multiplies c"),
    ("12.3", lambda rate, steps: (rate**steps, rate, 1), "part that is dropped"),
    ("12.4", step(products=lambda h, d, k: h), "nothing is dropped"),
    ("12.4", step(cell=lambda c, d: c * d[1]), "c_prev is not masked"),
    ("12.4", step(products=lambda h, d, k: h, cell=lambda c, d: c * d[1]), "the other way round"),
    ("12.4", step(products=lambda h, d, k: h * d[0]), "a mask of its own"),
    ("12.4", lambda *given: step()(*given)[0], "should return 2 values"),
    ("12.5", within(lambda losses: 0), "lowest mean"),
    ("12.5", within(lambda losses: losses.std(ddof=1)), "standard deviation"),
    ("12.5", lambda rates, losses: rates[losses.min(axis=1).argmin()], "is luck"),
    ("12.5", lambda rates, losses: 3, "the rate itself"),
]
