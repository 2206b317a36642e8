"""Gradient descent with momentum. In every rule, w is a weight and g its gradient."""

from __future__ import annotations

from rnn_ref.checks import flag, number
from rnn_ref.device import xp

from .base import Optimizer


class SGD(Optimizer):
    """Gradient descent, optionally with momentum (https://keras.io/api/optimizers/sgd/).

    ``w -= learning_rate * g``, or with a velocity m:

    - ``m = momentum * m - learning_rate * g``
    - ``w += m``, with `nesterov` ``w += momentum * m - learning_rate * g``

    Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable
    momentum : float
        In ``[0, 1]``.
    nesterov : bool
    weight_decay, clipnorm, clipvalue, global_clipnorm, ..., name
        As for `Optimizer`.
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)
        self.momentum = number(momentum, "momentum", type(self).__name__, "[0, 1]")
        self.nesterov = flag(nesterov, "nesterov", type(self).__name__)

    def slots(self):
        return (("momentum",),) if self.momentum else ()

    def update_step(self, gradient, value, learning_rate, slots, work):
        step = xp.multiply(gradient, learning_rate, out=work)
        if not self.momentum:
            value -= step
            return
        m = slots["momentum"]
        m *= self.momentum
        m -= step
        if self.nesterov:
            value -= step
            value += xp.multiply(m, self.momentum, out=work)
        else:
            value += m

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
