"""Adamax: Adam with the largest gradient seen in place of the mean of squares."""

from __future__ import annotations

from rnn_ref.checks import number
from rnn_ref.device import xp

from .base import Optimizer


class Adamax(Optimizer):
    """A running mean of the gradient over a decaying maximum of its size.

    (https://keras.io/api/optimizers/adamax/)

    - ``m = beta_1 * m + (1 - beta_1) * g``
    - ``u = max(beta_2 * u, |g|)``
    - ``w -= learning_rate / (1 - beta_1^t) * m / (u + epsilon)`` in step t = 1, 2, ...

    Kingma & Ba, "Adam: a method for stochastic optimization", 2014, section 7.1.

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
        self.beta_2 = number(beta_2, "beta_2", owner, "[0, 1]")
        self.epsilon = number(epsilon, "epsilon", owner, "[0, inf)")

    def slots(self):
        return (("momentum", "norm"),)

    def update_step(self, gradient, value, learning_rate, slots, work):
        m, u = slots["momentum"], slots["norm"]
        m += (1 - self.beta_1) * (gradient - m)
        u *= self.beta_2
        xp.maximum(u, xp.abs(gradient, out=work), out=u)
        rate = learning_rate / (1 - self.beta_1 ** (self.iterations + 1))
        value -= rate * m / (u + self.epsilon)

    def get_config(self):
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
