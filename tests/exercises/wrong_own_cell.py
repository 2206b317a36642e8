"""Typical wrong answers of notebook 14, and what is said about them."""

import numpy as np


def swapped(z_c, h_prev, alpha=0.5):
    h = alpha * h_prev + (1 - alpha) * tanh(z_c)
    return h


def without_tanh(z_c, h_prev, alpha=0.5):
    h = (1 - alpha) * h_prev + alpha * z_c
    return h


def with_numpy(z_c, h_prev, alpha=0.5):
    h = (1 - alpha) * h_prev + alpha * np.tanh(z_c)
    return h


def without_alpha(z_c, h_prev):
    h = 0.5 * h_prev + 0.5 * tanh(z_c)
    return h


def gru_of_the_paper(z_u, z_r, x_c, h_c, h_prev):
    u = sigmoid(z_u)
    r = sigmoid(z_r)
    h = (1 - u) * h_prev + u * tanh(x_c + r * h_c)
    return h


def gru_without_reset(z_u, z_r, x_c, h_c, h_prev):
    u = sigmoid(z_u) + 0 * z_r
    h = u * h_prev + (1 - u) * tanh(x_c + h_c)
    return h


def gru_resets_all(z_u, z_r, x_c, h_c, h_prev):
    u = sigmoid(z_u)
    h = u * h_prev + (1 - u) * tanh(sigmoid(z_r) * (x_c + h_c))
    return h


def gru_renamed(a, b, c, d, e):
    return a


def lstm_turned(z_f, z_c, z_o, c_prev):
    f = sigmoid(z_f)
    c = (1 - f) * c_prev + f * tanh(z_c)
    h = sigmoid(z_o) * tanh(c)
    return h, c


def lstm_not_coupled(z_f, z_c, z_o, c_prev):
    c = sigmoid(z_f) * c_prev + tanh(z_c)
    h = sigmoid(z_o) * tanh(c)
    return h, c


def lstm_states_swapped(z_f, z_c, z_o, c_prev):
    f = sigmoid(z_f)
    c = f * c_prev + (1 - f) * tanh(z_c)
    h = sigmoid(z_o) * tanh(c)
    return c, h


def lstm_without_tanh(z_f, z_c, z_o, c_prev):
    f = sigmoid(z_f)
    c = f * c_prev + (1 - f) * tanh(z_c)
    h = sigmoid(z_o) * c
    return h, c


def slope(z):
    return 1 - np.tanh(z) ** 2


WRONG = [
    ("14.1", swapped, "alpha is the share of the new"),
    ("14.1", without_tanh, "tanh is missing"),
    ("14.1", with_numpy, "keras.cell does not take it"),
    ("14.1", without_alpha, "should be an argument"),
    ("14.2", gru_of_the_paper, "the paper has it the other way"),
    ("14.2", gru_without_reset, "reset gate is missing"),
    ("14.2", gru_resets_all, "not the input's"),
    ("14.2", gru_renamed, "should be named z_u"),
    ("14.3", lstm_turned, "f and 1 - f have changed places"),
    ("14.3", lstm_not_coupled, "not coupled"),
    ("14.3", lstm_states_swapped, "h and c have changed places|first"),
    ("14.3", lstm_without_tanh, "tanh around c"),
    ("14.4", lambda dh, z, h, alpha: (dh * slope(z), dh * (1 - alpha)), "alpha is missing"),
    ("14.4", lambda dh, z, h, alpha: (dh * alpha, dh * (1 - alpha)), "slope of tanh is missing"),
    ("14.4", lambda dh, z, h, alpha: (dh * alpha * (1 - z**2), dh * (1 - alpha)), "not of z"),
    ("14.4", lambda dh, z, h, alpha: (dh * alpha * slope(z), dh), "multiplied by 1 - alpha"),
]
