"""Typical wrong answers of notebook 05, and what is said about them."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def after(keep=lambda z: z, reset=lambda r, a, s: a + r * s, second=1, order="zrh", outside=False):
    def gru(x, h_prev, W, U, b):
        b = b.copy()
        if outside:
            b[0, -len(h_prev) :] += b[1, -len(h_prev) :]
            b[1, -len(h_prev) :] = 0
        a = dict(zip(order, np.split(x @ W + b[0], 3)))
        s = dict(zip(order, np.split(h_prev @ U + second * b[1], 3)))
        z = keep(sigmoid(a["z"] + s["z"]))
        return z * h_prev + (1 - z) * np.tanh(reset(sigmoid(a["r"] + s["r"]), a["h"], s["h"]))

    return gru


def before(keep=lambda z: z, product=lambda r, h, U: (r * h) @ U, bias=1):
    def gru(x, h_prev, W, U, b):
        x_z, x_r, x_h = np.split(x @ W + bias * b, 3)
        U_z, U_r, U_h = np.split(U, 3, axis=1)
        z, r = keep(sigmoid(x_z + h_prev @ U_z)), sigmoid(x_r + h_prev @ U_r)
        return z * h_prev + (1 - z) * np.tanh(x_h + product(r, h_prev, U_h))

    return gru


def backward(dh, z, g, h_prev, candidate=1, slope_z=1, slope_h=1, sign=1):
    dz = sign * dh * (h_prev - candidate * g)
    return dz * (z * (1 - z) if slope_z else 1), dh * (1 - z) * (1 - slope_h * g**2), dh * z


def fed(follow, gather=lambda kept: np.concatenate(kept, axis=1)):
    def forecast(predict, x, k):
        kept = []
        for _ in range(k):
            kept.append(predict(x))
            x = follow(x, kept[-1][:, :, None])
        return gather(kept)

    return forecast


def onward(x, y):
    return np.concatenate([x[:, 1:], y], axis=1)


WRONG = [
    ("05.1", after(keep=lambda z: 1 - z), "other way round"),
    ("05.1", after(reset=lambda r, a, s: a + s), "reset gate is missing"),
    ("05.1", after(reset=lambda r, a, s: r * (a + s)), "not what comes from the input"),
    ("05.1", after(second=0), "second bias"),
    ("05.1", after(outside=True), "inside of what r multiplies"),
    ("05.1", after(order="rzh"), "another order"),
    ("05.1", lambda x, h, W, U, b: before()(x, h, W, U, b.sum(axis=0)), "resets before the product"),
    ("05.2", before(keep=lambda z: 1 - z), "other way round"),
    ("05.2", before(product=lambda r, h, U: r * (h @ U)), "resets after the product"),
    ("05.2", before(product=lambda r, h, U: h @ U), "reset gate is missing"),
    ("05.2", before(bias=0), "bias is missing"),
    ("05.3", lambda dh, z, g, h: backward(dh, z, g, h, candidate=0), "with a minus g"),
    ("05.3", lambda dh, z, g, h: backward(dh, z, g, h, slope_z=0), "slope of the sigmoid"),
    ("05.3", lambda dh, z, g, h: backward(dh, z, g, h, slope_h=0), "slope of tanh"),
    ("05.3", lambda dh, z, g, h: backward(dh, z, g, h, sign=-1), "wrong sign"),
    ("05.3", lambda dh, z, g, h: (*backward(dh, z, g, h)[:2], dh * (1 - z)), "not 1 - z"),
    ("05.4", fed(lambda x, y: x), "every forecast is the first one"),
    ("05.4", fed(lambda x, y: np.concatenate([x[:, :-1], y], axis=1)), "not the newest"),
    ("05.4", fed(lambda x, y: np.concatenate([y, x[:, :-1]], axis=1)), "end of the window"),
    ("05.4", fed(lambda x, y: np.concatenate([x, y], axis=1)), "windows have 7 values, not 6"),
    ("05.4", fed(onward, gather=lambda kept: kept[-1]), "return all k"),
    ("05.4", fed(onward, gather=lambda kept: np.stack(kept, axis=1)), "axis of length 1"),
    ("05.5", lambda a, b: (b.mean() - a.mean(), 0.5), "other way round"),
    ("05.5", lambda a, b: (a.mean() - b.mean(), np.sqrt(a.var(ddof=1) + b.var(ddof=1))), "spread of seeds"),
    ("05.5", lambda a, b: (a.mean() - b.mean(), np.sqrt(a.var() / len(a) + b.var() / len(b))), "ddof=1"),
    ("05.5", lambda a, b: a.mean() - b.mean(), "should return 2 values"),
]
