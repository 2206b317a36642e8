"""Lion: steps of one size, whose sign is that of a mean of gradients."""

from __future__ import annotations

from rnn_ref.checks import number
from rnn_ref.device import xp

from .base import Optimizer


class Lion(Optimizer):
    """The sign of a mean of gradients, times the learning rate (https://keras.io/api/optimizers/lion/).

    - ``w -= learning_rate * sign(beta_1 * m + (1 - beta_1) * g)``
    - ``m = beta_2 * m + (1 - beta_2) * g``

    Chen et al., "Symbolic discovery of optimization algorithms", 2023.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable
        About a tenth of Adam's.
    beta_1 : float
        In ``(0, 1]``.
    beta_2 : float
    weight_decay, clipnorm, clipvalue, global_clipnorm, ..., name
        As for `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_1 = number(beta_1, "beta_1", type(self).__name__, "(0, 1]")
        self.beta_2 = number(beta_2, "beta_2", type(self).__name__, "[0, 1]")

    def slots(self):
        return (("momentum",),)

    def update_step(self, gradient, value, learning_rate, slots, work):
        m = slots["momentum"]
        value -= learning_rate * xp.sign(self.beta_1 * m + (1 - self.beta_1) * gradient)
        m *= self.beta_2
        m += xp.multiply(gradient, 1 - self.beta_2, out=work)

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
