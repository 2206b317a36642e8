"""Learning-rate schedules: the learning rate as a function of the step.

(https://keras.io/api/optimizers/learning_rate_schedules/)
"""

from __future__ import annotations

import bisect
import itertools
import math
from numbers import Real

from rnn_ref.checks import flag, number
from rnn_ref.guard import Guarded, explained
from rnn_ref.spelling import Spelled

from .. import _identifiers
from .._identifiers import serialize


class LearningRateSchedule(Guarded, Spelled):
    """Base class: a subclass defines ``__call__(step)``, and `get_config` to be saved with a model.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5**step
    >>> Halving()(1)
    0.05
    """

    def __call__(self, step: int) -> float:
        """The learning rate of step 0, 1, ..."""
        raise NotImplementedError(f"{type(self).__name__} must define `__call__(step)`.")

    def get_config(self) -> dict:
        """Constructor arguments, for `from_config`."""
        raise NotImplementedError(f"{type(self).__name__} must define `get_config()` to be saved.")

    @classmethod
    def from_config(cls, config: dict) -> LearningRateSchedule:
        """A schedule from what `get_config` returned."""
        return cls(**config)


class _Builtin(LearningRateSchedule):
    """Schedules whose attributes are their constructor arguments."""

    def get_config(self):
        return dict(vars(self))

    def _check(self, interval: str, **arguments) -> None:
        """Keep arguments as they are given, if they are numbers in the interval."""
        for name, value in arguments.items():
            number(value, name, type(self).__name__, interval)
            setattr(self, name, value)


def _plain(checked: float, given):
    """What was given, or its value as a float where it is an array."""
    return given if isinstance(given, Real) else checked


class ExponentialDecay(_Builtin):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``; `staircase` rounds the exponent down.

    >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20)
    0.025
    """

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="ExponentialDecay"):
        self._check("(-inf, inf)", initial_learning_rate=initial_learning_rate)
        self._check("(0, inf)", decay_steps=decay_steps)
        self._check("[0, inf)", decay_rate=decay_rate)
        self.staircase = flag(staircase, "staircase", type(self).__name__)
        self.name = name

    def __call__(self, step):
        p = step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (math.floor(p) if self.staircase else p)


class PiecewiseConstantDecay(_Builtin):
    """``values[0]`` up to and including step ``boundaries[0]``, then ``values[1]``, and so on.

    >>> schedule = PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])
    >>> schedule(10), schedule(11), schedule(21)
    (0.1, 0.01, 0.001)
    """

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        for name_, given in (("boundaries", boundaries), ("values", values)):
            if not isinstance(given, list | tuple):
                raise TypeError(f"PiecewiseConstantDecay: `{name_}` must be a list of numbers. Received: {given!r}")
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "There must be one value more than boundaries. "
                f"Received: {len(boundaries)} boundaries and {len(values)} values."
            )
        boundaries = [_plain(number(b, "boundaries", type(self).__name__), b) for b in boundaries]
        if any(b >= c for b, c in itertools.pairwise(boundaries)):
            raise ValueError(f"PiecewiseConstantDecay: `boundaries` must rise. Received: boundaries={boundaries}")
        self.boundaries = boundaries
        self.values = [_plain(number(value, "values", type(self).__name__), value) for value in values]
        self.name = name

    def __call__(self, step):
        return self.values[bisect.bisect_left(self.boundaries, float(step))]


class PolynomialDecay(_Builtin):
    """From the initial to the end learning rate, as ``(1 - step / decay_steps) ** power``.

    With `cycle`, `decay_steps` is multiplied until it is past the step, so that the learning rate rises
    again.

    >>> PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)(5)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        end_learning_rate=0.0001,
        power=1.0,
        cycle=False,
        name="PolynomialDecay",
    ):
        self._check("(-inf, inf)", initial_learning_rate=initial_learning_rate, end_learning_rate=end_learning_rate)
        self._check("(0, inf)", decay_steps=decay_steps)
        self._check("[0, inf)", power=power)
        self.cycle = flag(cycle, "cycle", type(self).__name__)
        self.name = name

    def __call__(self, step):
        decay_steps = self.decay_steps
        if self.cycle:
            decay_steps *= max(1, math.ceil(step / decay_steps))
        remaining = 1 - min(step, decay_steps) / decay_steps
        return (self.initial_learning_rate - self.end_learning_rate) * remaining**self.power + self.end_learning_rate


class InverseTimeDecay(_Builtin):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``; `staircase` rounds the quotient
    down.

    >>> InverseTimeDecay(0.1, decay_steps=1, decay_rate=1.0)(1)
    0.05
    """

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="InverseTimeDecay"):
        self._check("(-inf, inf)", initial_learning_rate=initial_learning_rate)
        self._check("(0, inf)", decay_steps=decay_steps)
        self._check("[0, inf)", decay_rate=decay_rate)
        self.staircase = flag(staircase, "staircase", type(self).__name__)
        self.name = name

    def __call__(self, step):
        p = step / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (math.floor(p) if self.staircase else p))


class CosineDecay(_Builtin):
    """Half a cosine wave from the initial learning rate down to `alpha` times it.

    With `warmup_target`, the learning rate first rises linearly to it, over `warmup_steps`, and decays from
    there.

    Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts", 2016.

    >>> round(CosineDecay(0.1, decay_steps=10)(5), 6)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        alpha=0.0,
        name="CosineDecay",
        warmup_target=None,
        warmup_steps=0,
    ):
        self._check("(-inf, inf)", initial_learning_rate=initial_learning_rate, alpha=alpha)
        self._check("(0, inf)", decay_steps=decay_steps)
        self.name = name
        self.warmup_target = warmup_target
        if warmup_target is not None:
            self._check("(-inf, inf)", warmup_target=warmup_target)
        self._check("[0, inf)", warmup_steps=warmup_steps)

    def __call__(self, step):
        start = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return start + (self.warmup_target - start) * step / self.warmup_steps
            start = self.warmup_target
            step = step - self.warmup_steps
        fraction = min(step, self.decay_steps) / self.decay_steps
        return start * ((1 - self.alpha) * 0.5 * (1 + math.cos(math.pi * fraction)) + self.alpha)


class CosineDecayRestarts(_Builtin):
    """Cosine decay that starts over: each period is `t_mul` times as long and `m_mul` times as high as the
    last.

    Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts", 2016.

    >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=10, m_mul=0.5)
    >>> schedule(0), schedule(10)
    (0.1, 0.05)
    """

    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name="SGDRDecay"):
        self._check("(-inf, inf)", initial_learning_rate=initial_learning_rate, alpha=alpha)
        self._check("(0, inf)", first_decay_steps=first_decay_steps, t_mul=t_mul)
        self._check("[0, inf)", m_mul=m_mul)
        self.name = name

    def __call__(self, step):
        fraction = step / self.first_decay_steps
        if self.t_mul == 1:
            restarts = math.floor(fraction)
            fraction -= restarts
        else:
            # k periods last 1 + t_mul + ... + t_mul^(k-1) = (1 - t_mul^k) / (1 - t_mul) times the first.
            restarts = math.floor(math.log(1 - fraction * (1 - self.t_mul)) / math.log(self.t_mul))
            fraction -= (1 - self.t_mul**restarts) / (1 - self.t_mul)
            fraction /= self.t_mul**restarts
        height = 0.5 * self.m_mul**restarts * (1 + math.cos(math.pi * fraction))
        return self.initial_learning_rate * ((1 - self.alpha) * height + self.alpha)


_CLASSES = (
    ExponentialDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    InverseTimeDecay,
    CosineDecay,
    CosineDecayRestarts,
)
KNOWN = {cls.__name__: cls for cls in _CLASSES}


@explained
def deserialize(config, custom_objects=None):
    """A schedule from what `serialize` returned.

    >>> deserialize(serialize(CosineDecay(0.1, 10))).decay_steps
    10
    """
    return _identifiers.deserialize(config, KNOWN, "learning-rate schedule", custom_objects)


__all__ = [*KNOWN, "LearningRateSchedule", "deserialize", "serialize"]
