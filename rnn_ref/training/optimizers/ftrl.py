"""Ftrl: follow the regularized leader, which sets weights to exactly zero."""

from __future__ import annotations

from rnn_ref.checks import number
from rnn_ref.device import xp

from .base import Optimizer


class Ftrl(Optimizer):
    """ "Follow the regularized leader", for sparse models (https://keras.io/api/optimizers/ftrl/).

    With the exponent ``p = -learning_rate_power``, the regularization l1 and l2, and the learning rate r:

    - ``a_new = a + g^2``
    - ``z += g + 2 * l2_shrinkage * w - (a_new^p - a^p) / r * w``
    - ``w = (clip(z, -l1, l1) - z) / (a_new^p / r + 2 * l2 + beta / r)``
    - ``a = a_new``

    McMahan et al., "Ad click prediction: a view from the trenches", 2013.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable
    learning_rate_power : float
        At most 0; 0 keeps the learning rate fixed.
    initial_accumulator_value : float
        What a starts from.
    l1_regularization_strength, l2_regularization_strength : float
    l2_shrinkage_regularization_strength : float
        Unlike l2, which pulls the solution, this penalizes the weights in each gradient.
    beta : float
    weight_decay, clipnorm, clipvalue, global_clipnorm, ..., name
        As for `Optimizer`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        learning_rate_power=-0.5,
        initial_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        l2_shrinkage_regularization_strength=0.0,
        beta=0.0,
        *args,
        **kwargs,
    ):
        super().__init__(learning_rate, *args, **kwargs)

        def checked(value, name):
            return number(value, name, type(self).__name__, "[0, inf)")

        self.learning_rate_power = number(learning_rate_power, "learning_rate_power", type(self).__name__, "(-inf, 0]")
        self.initial_accumulator_value = checked(initial_accumulator_value, "initial_accumulator_value")
        self.l1_regularization_strength = checked(l1_regularization_strength, "l1_regularization_strength")
        self.l2_regularization_strength = checked(l2_regularization_strength, "l2_regularization_strength")
        self.l2_shrinkage_regularization_strength = checked(
            l2_shrinkage_regularization_strength, "l2_shrinkage_regularization_strength"
        )
        self.beta = checked(beta, "beta")

    def slots(self):
        return (("accumulator", "linear"),)

    def initial_slot(self, name):
        return self.initial_accumulator_value if name == "accumulator" else 0.0

    def update_step(self, gradient, value, learning_rate, slots, work):
        a, z, p = slots["accumulator"], slots["linear"], -self.learning_rate_power
        new = a + xp.square(gradient, out=work)
        sigma = (new**p - a**p) / learning_rate
        z += gradient + 2 * self.l2_shrinkage_regularization_strength * value - sigma * value
        curvature = new**p / learning_rate + 2 * self.l2_regularization_strength + self.beta / learning_rate
        l1 = self.l1_regularization_strength
        value[...] = (xp.clip(z, -l1, l1) - z) / curvature
        a[...] = new

    def get_config(self):
        own = (
            "learning_rate_power",
            "initial_accumulator_value",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
            "beta",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
