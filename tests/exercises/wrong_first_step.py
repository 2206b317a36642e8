"""Typical wrong answers of notebook 01, and what is said about them."""

import numpy as np


def step(x, h_prev, W, U, b, bias=1, activation=np.tanh):
    return activation(x @ W + h_prev @ U + bias * b)


def loop(begin=lambda h0: h0, hand_on=True, axis=1, order=1):
    def run(x, h0, W, U, b):
        h, states = begin(h0), []
        for t in range(x.shape[1])[::order]:
            new = step(x[:, t], h, W, U, b)
            h = new if hand_on else h
            states.append(new)
        return np.stack(states, axis=axis)

    return run


def forgets_the_axis(x, h0, W, U, b):
    return np.tanh(x @ W + h0 @ U + b)


def shift(W=(1, 0, 0), U=((0, 1, 0), (0, 0, 1), (0, 0, 0)), b=(0, 0, 0)):
    return np.array([W]), np.array(U), np.array(b)


def settled(U, h, steps=500, activation=np.tanh):
    for _ in range(steps):
        h = activation(U * h)
    return h


WRONG = [
    ("01.1", (0.7, -0.5, 0.2), "these are the sums"),
    ("01.1", (0.604, 0.197, -0.291), "state of the step before is missing"),
    ("01.1", (0.462, -0.432, -0.068), "bias is added at every step"),
    ("01.1", (0.604, 0.666, 0.350), "counts with a minus"),
    ("01.1", (0.604, -0.384), "should return 3 values"),
    ("01.1", (0.604, -0.384, 0.9), r"h\[2\] should be 0.0834"),
    ("01.2", lambda x, h_prev, W, U, b: np.tanh(x @ W + U @ h_prev + b), "transposed"),
    ("01.2", lambda x, h_prev, W, U, b: step(x, h_prev, W, U, b, activation=lambda z: z), "tanh is missing"),
    ("01.2", lambda x, h_prev, W, U, b: step(x, h_prev, W, U, b, bias=0), "bias is missing"),
    ("01.2", lambda x, h_prev, W, U, b: np.tanh(x @ W + h_prev * np.diag(U) + b), "hears all units"),
    ("01.2", lambda x, h_prev, W, U, b: W @ x + h_prev, "raised ValueError"),
    ("01.3", loop(begin=lambda h0: 0 * h0), "begin with h0"),
    ("01.3", loop(hand_on=False), "hand on the state"),
    ("01.3", loop(axis=0), "time comes first"),
    ("01.3", loop(order=-1), "from behind"),
    ("01.3", lambda *a: loop()(*a)[:, -1], "last state alone"),
    ("01.4", shift(U=((0, 0, 0), (1, 0, 0), (0, 1, 0))), "U is transposed"),
    ("01.4", shift(U=np.eye(3)), "adds up all that it reads"),
    ("01.4", shift(W=(1, 1, 1), U=np.zeros((3, 3))), "unit 1 should hold 0 after step 0"),
    ("01.4", shift(b=(0, 1, 0)), "bias"),
    ("01.4", (np.ones((3, 1)), np.zeros((3, 3)), np.zeros(3)), "shape"),
    ("01.5", lambda U, h: np.tanh(U * h), "single step"),
    ("01.5", lambda U, h: 0.0, "flees from"),
    ("01.5", lambda U, h: abs(settled(U, h)), "on the side where it began"),
    ("01.5", lambda U, h: settled(U, h, steps=12), "should be"),
]
