"""Typical wrong answers of notebook 13, and what is said about them."""

import math


def weights(F, H):
    return 4 * H * (F + H)


def ratio(bytes_of):
    return lambda B, F, H: 2 * B * weights(F, H) / bytes_of(B, F, H)


def update(new=lambda f, c, i, g: f * c + i * g, guard=True, order=divmod):
    def kernel(t, f, c_prev, i, g, c):
        b, k = order(t, f.shape[1])
        if not guard or b < f.shape[0]:
            c[b, k] = new(f[b, k], c_prev[b, k], i[b, k], g[b, k])

    return kernel


def product(add=True, in_register=True, guard=True):
    def kernel(t, h, U, z):
        b, k = divmod(t, U.shape[1])
        if guard and b >= h.shape[0]:
            return
        total = 0.0
        for j in range(U.shape[0]):
            total = h[b, j] * U[j, k] + (total if add else 0)
            if not in_register:
                z[b, k] = total
        z[b, k] = total

    return kernel


def columns_first(t, x, y):
    k, b = divmod(t, x.shape[0])
    y[b, k] = math.tanh(x[b, k])


def one_thread_all(t, x, y):
    for b in range(3):
        for k in range(4):
            y[b, k] = math.tanh(x[b, k])


def without_tanh(t, x, y):
    b, k = divmod(t, 4)
    y[b, k] = x[b, k]


WRONG = [
    ("13.1", lambda B, F, H: B * weights(F, H), "two operations"),
    ("13.1", lambda B, F, H: 2 * weights(F, H), "each row"),
    ("13.1", lambda B, F, H: 2 * B * H * (F + H), "four blocks"),
    ("13.1", lambda B, F, H: 8 * B * H * F, "product with U"),
    ("13.2", ratio(lambda B, F, H: weights(F, H) + B * (F + 5 * H)), "4 bytes"),
    ("13.2", ratio(lambda B, F, H: 4 * B * (weights(F, H) + F + 5 * H)), "once for the whole batch"),
    ("13.2", ratio(lambda B, F, H: 4 * weights(F, H)), "are read or written"),
    ("13.3", update(guard=False), "out of bounds"),
    ("13.3", update(new=lambda f, c, i, g: i * g), "not carried over"),
    ("13.3", update(new=lambda f, c, i, g: f * c + g), "without its gate"),
    ("13.3", update(order=lambda t, H: (t % 3, t % 2)), "both write"),
    ("13.4", product(add=False), "only the last term"),
    ("13.4", product(guard=False), "out of bounds"),
    ("13.4", product(in_register=False), "in every round"),
    ("13.5", columns_first, "right, but slow"),
    ("13.5", one_thread_all, "both write"),
    ("13.5", without_tanh, "tanh is missing"),
]
