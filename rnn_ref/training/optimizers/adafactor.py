"""Adafactor: Adam's mean of squares for a matrix, kept as one row and one column."""

from __future__ import annotations

import math

from rnn_ref.checks import flag, number
from rnn_ref.device import xp

from .base import Optimizer


class Adafactor(Optimizer):
    """Steps relative to the weights, with means of squares that take little memory.

    (https://keras.io/api/optimizers/adafactor/)

    In step t = 1, 2, ..., with ``b = 1 - t^beta_2_decay``, ``rate = min(learning_rate, 1 / sqrt(t))`` and the root
    mean square RMS:

    - ``s = g^2 + epsilon_1``
    - of matrices: ``r = b * r + (1 - b) * mean of s over columns``, ``c = b * c + (1 - b) * mean of s over rows``,
      ``v = r / mean(r) * c``; of others: ``v = b * v + (1 - b) * s``
    - ``u = g / sqrt(v)``
    - ``w -= rate * max(epsilon_2, RMS(w)) * u / max(1, RMS(u) / clip_threshold)``

    Shazeer & Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable
    beta_2_decay : float
        At most 0.
    epsilon_1, epsilon_2 : float
    clip_threshold : float
    relative_step : bool
        As in Keras it changes nothing: the rate is at most ``1 / sqrt(t)`` with and without it.
    weight_decay, clipnorm, clipvalue, global_clipnorm, ..., name
        As for `Optimizer`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_2_decay=-0.8,
        epsilon_1=1e-30,
        epsilon_2=1e-3,
        clip_threshold=1.0,
        relative_step=True,
        *args,
        **kwargs,
    ):
        super().__init__(learning_rate, *args, **kwargs)
        owner = type(self).__name__
        self.beta_2_decay = number(beta_2_decay, "beta_2_decay", owner, "(-inf, 0]")
        self.epsilon_1 = number(epsilon_1, "epsilon_1", owner, "[0, inf)")
        self.epsilon_2 = number(epsilon_2, "epsilon_2", owner, "[0, inf)")
        self.clip_threshold = number(clip_threshold, "clip_threshold", owner, "(0, inf)")
        self.relative_step = flag(relative_step, "relative_step", owner)

    def slots(self):
        return (("r", "c", "velocity"),)

    def slot_shape(self, name, shape):
        if name == "velocity":
            return shape
        if len(shape) < 2:
            return ()
        return shape[:-1] if name == "r" else (*shape[:-2], shape[-1])

    def update_step(self, gradient, value, learning_rate, slots, work):
        t = self.iterations + 1
        b = 1 - t**self.beta_2_decay
        s = xp.square(gradient, out=work)
        s += self.epsilon_1
        v = slots["velocity"]
        if value.ndim >= 2:
            r, c = slots["r"], slots["c"]
            r[...] = b * r + (1 - b) * xp.mean(s, axis=-1)
            c[...] = b * c + (1 - b) * xp.mean(s, axis=-2)
            v[...] = (r / xp.mean(r, axis=-1, keepdims=True))[..., None] * c[..., None, :]
        else:
            v[...] = b * v + (1 - b) * s
        u = gradient / xp.sqrt(v)
        alpha = min(learning_rate, 1 / math.sqrt(t)) * xp.maximum(self.epsilon_2, _rms(value))
        value -= (alpha / xp.maximum(1, _rms(u) / self.clip_threshold)).astype(value.dtype) * u

    def get_config(self):
        own = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


def _rms(x):
    return xp.sqrt(xp.mean(xp.square(x)))
