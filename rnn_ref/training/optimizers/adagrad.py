"""Adagrad and Adadelta: steps relative to the gradients seen so far, element by element."""

from __future__ import annotations

from rnn_ref.checks import number
from rnn_ref.device import xp

from .base import Optimizer


class Adagrad(Optimizer):
    """Divide the gradient by the root of the sum of all its squares
    (https://keras.io/api/optimizers/adagrad/).

    - ``a += g^2``
    - ``w -= learning_rate * g / sqrt(a + epsilon)``

    Duchi et al., "Adaptive subgradient methods for online learning and stochastic optimization", 2011.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable
    initial_accumulator_value : float
        What a starts from.
    epsilon : float
    weight_decay, clipnorm, clipvalue, global_clipnorm, ..., name
        As for `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)
        owner = type(self).__name__
        self.initial_accumulator_value = number(
            initial_accumulator_value, "initial_accumulator_value", owner, "[0, inf)"
        )
        self.epsilon = number(epsilon, "epsilon", owner, "[0, inf)")

    def slots(self):
        return (("accumulator",),)

    def initial_slot(self, name):
        return self.initial_accumulator_value

    def update_step(self, gradient, value, learning_rate, slots, work):
        a = slots["accumulator"]
        a += xp.square(gradient, out=work)
        xp.add(a, self.epsilon, out=work)
        xp.sqrt(work, out=work)
        step = xp.divide(gradient, work, out=work)
        step *= learning_rate
        value -= step

    def get_config(self):
        own = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class Adadelta(Optimizer):
    """Steps whose size follows that of past steps over past gradients
    (https://keras.io/api/optimizers/adadelta/).

    - ``a = rho * a + (1 - rho) * g^2``
    - ``delta = -g * sqrt(d + epsilon) / sqrt(a + epsilon)``
    - ``d = rho * d + (1 - rho) * delta^2``
    - ``w += learning_rate * delta``

    Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable
        The paper's is 1.0.
    rho : float
    epsilon : float
    weight_decay, clipnorm, clipvalue, global_clipnorm, ..., name
        As for `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)
        self.rho = number(rho, "rho", type(self).__name__, "[0, 1]")
        self.epsilon = number(epsilon, "epsilon", type(self).__name__, "[0, inf)")

    def slots(self):
        return (("accumulated_grad", "accumulated_delta_var"),)

    def update_step(self, gradient, value, learning_rate, slots, work):
        a, d = slots["accumulated_grad"], slots["accumulated_delta_var"]
        self._average(a, gradient, work)
        delta = xp.sqrt((d + self.epsilon) / (a + self.epsilon))
        delta *= gradient
        self._average(d, delta, work)
        delta *= learning_rate
        value -= delta

    def _average(self, average, x, work):
        """``average = rho * average + (1 - rho) * x^2``."""
        xp.square(x, out=work)
        work *= 1 - self.rho
        average *= self.rho
        average += work

    def get_config(self):
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
