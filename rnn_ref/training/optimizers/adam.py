"""Adam and its relatives: momentum, and steps relative to the gradient's running size."""

from __future__ import annotations

import math

import numpy as np

from rnn_ref.checks import flag, number
from rnn_ref.device import xp
from rnn_ref.jit import R1, READ1, REAL, equation, kernel, link, uncompiled
from rnn_ref.kernels.gate import NAMES, admitted, in_place

from .base import Optimizer


@equation
def running_means(g, m, v, share_m, share_v):
    """Of a gradient and of its square -> ``m, v``; a number each, or arrays. The shares are 1 - beta."""
    return m + share_m * (g - m), v + share_v * (g * g - v)


@equation
def descended(w, m, v, rate, epsilon):
    """A weight after the step; a number each, or arrays."""
    return w - rate * m / (np.sqrt(v) + epsilon)


@kernel
def _adam(w: R1, g: READ1, m: R1, v: R1, share_m: REAL, share_v: REAL, rate: REAL, epsilon: REAL):
    """All in one pass over memory, where arrays would take a dozen."""
    for k in range(w.size):
        m[k], v[k] = running_means(g[k], m[k], v[k], share_m, share_v)
        w[k] = descended(w[k], m[k], v[k], rate, epsilon)


class Adam(Optimizer):
    """Running means of the gradient and of its square (https://keras.io/api/optimizers/adam/).

    - ``m = beta_1 * m + (1 - beta_1) * g``
    - ``v = beta_2 * v + (1 - beta_2) * g^2``
    - ``w -= learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)`` in step t = 1,
      2, ...

    With `amsgrad`, the largest v so far takes the place of v.

    Kingma & Ba, "Adam: a method for stochastic optimization", 2014; Reddi et al., "On the convergence of
    Adam and beyond", 2018.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable
    beta_1, beta_2 : float
    epsilon : float
    amsgrad : bool
    weight_decay, clipnorm, clipvalue, global_clipnorm, ..., name
        As for `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, *args, **kwargs):
        super().__init__(learning_rate, *args, **kwargs)
        owner = type(self).__name__
        self.beta_1 = number(beta_1, "beta_1", owner, "[0, 1)")
        self.beta_2 = number(beta_2, "beta_2", owner, "[0, 1)")
        self.epsilon = number(epsilon, "epsilon", owner, "[0, inf)")
        self.amsgrad = flag(amsgrad, "amsgrad", owner)

    def slots(self):
        return (("momentum", "velocity"), *((("velocity_hat",),) if self.amsgrad else ()))

    def update_step(self, gradient, value, learning_rate, slots, work):
        m, v = slots["momentum"], slots["velocity"]
        t = self.iterations + 1
        rate = learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        shares = 1 - self.beta_1, 1 - self.beta_2
        if in_place(value.shape, self.name, value=value, momentum=m, velocity=v) and not self.amsgrad:
            gradient = admitted(gradient, value.shape, NAMES[value.dtype], self.name, "gradient")
            link(_adam, value.dtype)
            _adam(value.reshape(-1), gradient.reshape(-1), m.reshape(-1), v.reshape(-1), *shares, rate, self.epsilon)
            return
        m[...], v[...] = uncompiled(running_means)(gradient, m, v, *shares)
        if self.amsgrad:
            v = xp.maximum(slots["velocity_hat"], v, out=slots["velocity_hat"])
        value[...] = uncompiled(descended)(value, m, v, rate, self.epsilon)

    def get_config(self):
        own = {
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }
        return {**super().get_config(), **own}


class AdamW(Adam):
    """`Adam` with weight decay: each step also shrinks the weights (https://keras.io/api/optimizers/adamw/).

    Loshchilov & Hutter, "Decoupled weight decay regularization", 2019.

    Parameters
    ----------
    weight_decay : float
        The other parameters are those of `Adam`.
    """

    def __init__(
        self,
        learning_rate=0.001,
        weight_decay=0.004,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        *args,
        **kwargs,
    ):
        if weight_decay is None:
            raise ValueError("`weight_decay` must be a float for AdamW. Received: None. Without decay, use Adam.")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, *args, **kwargs)


class Nadam(Optimizer):
    """Adam with Nesterov momentum, whose rate grows over the first steps
    (https://keras.io/api/optimizers/Nadam/).

    With ``u_t = beta_1 * (1 - 0.96^t / 2)`` and U_t the product of u_1 to u_t:

    - m and v as in `Adam`
    - ``m_hat = u_{t+1} * m / (1 - U_{t+1}) + (1 - u_t) * g / (1 - U_t)``
    - ``w -= learning_rate * m_hat / (sqrt(v / (1 - beta_2^t)) + epsilon)``

    Dozat, "Incorporating Nesterov momentum into Adam", 2016.

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
        self.u_product = 1.0

    def slots(self):
        return (("momentum", "velocity"),)

    def extra_state(self):
        return {"u_product": self.u_product}

    def _u(self, t: int) -> float:
        return self.beta_1 * (1 - 0.5 * 0.96**t)

    def begin_step(self):
        self.u_product *= self._u(self.iterations + 1)

    def update_step(self, gradient, value, learning_rate, slots, work):
        m, v = slots["momentum"], slots["velocity"]
        m[...], v[...] = uncompiled(running_means)(gradient, m, v, 1 - self.beta_1, 1 - self.beta_2)
        t = self.iterations + 1
        u, u_next = self._u(t), self._u(t + 1)
        m_hat = m * (u_next / (1 - self.u_product * u_next))
        m_hat += xp.multiply(gradient, (1 - u) / (1 - self.u_product), out=work)
        xp.multiply(v, 1 / (1 - self.beta_2**t), out=work)
        xp.sqrt(work, out=work)
        work += self.epsilon
        m_hat /= work
        m_hat *= learning_rate
        value -= m_hat

    def get_config(self):
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
