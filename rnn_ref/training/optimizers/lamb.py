"""Lamb: Adam, with each weight's step in proportion to the weight."""

from __future__ import annotations

from rnn_ref.checks import number
from rnn_ref.device import xp

from .base import Optimizer
from .clipping import square_sum


class Lamb(Optimizer):
    """Adam's step, scaled to the norm of the weight (https://keras.io/api/optimizers/lamb/).

    - m and v as in `Adam`
    - ``s = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)`` in step t = 1, 2, ...
    - ``w -= learning_rate * |w| / |s| * s``, without the quotient where one of the norms is 0

    You et al., "Large batch optimization for deep learning: training BERT in 76 minutes", 2019.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable
    beta_1, beta_2 : float
    epsilon : float
    weight_decay, clipnorm, clipvalue, global_clipnorm, ..., name
        As for `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)
        owner = type(self).__name__
        self.beta_1 = number(beta_1, "beta_1", owner, "[0, 1)")
        self.beta_2 = number(beta_2, "beta_2", owner, "[0, 1)")
        self.epsilon = number(epsilon, "epsilon", owner, "[0, inf)")

    def slots(self):
        return (("momentum", "velocity"),)

    def update_step(self, gradient, value, learning_rate, slots, work):
        m, v = slots["momentum"], slots["velocity"]
        m += (1 - self.beta_1) * (gradient - m)
        v += (1 - self.beta_2) * (xp.square(gradient, out=work) - v)
        t = self.iterations + 1
        step = m / (1 - self.beta_1**t) / (xp.sqrt(v / (1 - self.beta_2**t)) + self.epsilon)
        norm, size = xp.sqrt(square_sum(value)), xp.sqrt(square_sum(step))
        both = (norm > 0) & (size > 0)
        ratio = xp.where(both, norm / xp.where(both, size, 1), 1).astype(value.dtype)
        step *= ratio
        step *= learning_rate
        value -= step

    def get_config(self):
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
