"""RMSprop: steps relative to a running mean of the gradient's size."""

from __future__ import annotations

from rnn_ref.checks import flag, number
from rnn_ref.device import xp

from .base import Optimizer


class RMSprop(Optimizer):
    """Divide the gradient by a running root mean square of itself (https://keras.io/api/optimizers/rmsprop/).

    - ``v = rho * v + (1 - rho) * g^2``
    - ``w -= learning_rate * g / sqrt(v + epsilon)``

    With `centered`, ``v - a^2`` takes the place of v, where a is the running mean of g. With `momentum`, the
    step is added to ``momentum`` times the last one.

    Hinton, "Neural networks for machine learning", lecture 6e, 2012; centered: Graves, "Generating sequences
    with recurrent neural networks", 2013.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable
    rho : float
    momentum : float
    epsilon : float
    centered : bool
    weight_decay, clipnorm, clipvalue, global_clipnorm, ..., name
        As for `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)
        owner = type(self).__name__
        self.rho = number(rho, "rho", owner, "[0, 1]")
        self.momentum = number(momentum, "momentum", owner, "[0, 1]")
        self.epsilon = number(epsilon, "epsilon", owner, "[0, inf)")
        self.centered = flag(centered, "centered", owner)

    def slots(self):
        groups = [("velocity",)]
        if self.momentum > 0:
            groups.append(("momentum",))
        if self.centered:
            groups.append(("average_gradient",))
        return groups

    def update_step(self, gradient, value, learning_rate, slots, work):
        v = slots["velocity"]
        xp.square(gradient, out=work)
        work *= 1 - self.rho
        v *= self.rho
        v += work
        if self.centered:
            a = slots["average_gradient"]
            a *= self.rho
            a += xp.multiply(gradient, 1 - self.rho, out=work)
            xp.square(a, out=work)
            xp.subtract(v, work, out=work)
            work += self.epsilon
        else:
            xp.add(v, self.epsilon, out=work)
        xp.sqrt(work, out=work)
        step = xp.divide(gradient, work, out=work)
        step *= learning_rate
        if self.momentum > 0:
            m = slots["momentum"]
            m *= self.momentum
            m += step
            step = m
        value -= step

    def get_config(self):
        own = {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}
        return {**super().get_config(), **own}
