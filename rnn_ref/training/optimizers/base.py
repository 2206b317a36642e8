"""`Optimizer`: clipping, weight decay, constraints and state around one update rule per subclass."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterable, Sequence

import numpy as np

from rnn_ref.checks import flag, integer, number, text
from rnn_ref.device import converted, get_device, xp
from rnn_ref.guard import guard_class
from rnn_ref.spelling import Spelled

from .._identifiers import auto_name
from . import schedules
from .averaging import Averaging
from .clipping import clipped
from .learning_rate import LearningRate, check_learning_rate, current
from .own_classes import OwnClasses, in_a_row
from .state import State


class Optimizer(State, Averaging, OwnClasses, Spelled):
    """Base class of optimizers (https://keras.io/api/optimizers/).

    Weights are objects with an array `value`, which is updated in place, a `name`, and optionally a
    `constraint` (a function from array to array, applied after the update). A subclass names the arrays it
    remembers for each weight in `slots` and defines `update_step`.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable
        A callable takes no arguments.
    weight_decay : float, optional
        Before each update, shrink weights by ``learning_rate * weight_decay * w``.
    clipnorm : float, optional
        Scale each gradient down to at most this norm.
    clipvalue : float, optional
        Clip each element of the gradients to ``[-clipvalue, clipvalue]``.
    global_clipnorm : float, optional
        Scale all gradients together down to at most this norm.
    use_ema : bool
        Keep a running mean of every weight, ``average = ema_momentum * average + (1 - ema_momentum) * w`` after each
        step. `fit` ends with the averages in place of the weights (`finalize_variable_values`).
    ema_momentum : float
    ema_overwrite_frequency : int, optional
        Put the averages in place of the weights every so many steps, too.
    loss_scale_factor
        Not supported: there is no float16 here.
    gradient_accumulation_steps : int, optional
        Update the weights only every so many calls of `apply`, with the mean of the gradients since. `iterations`
        counts updates, a schedule calls, and averages take part in every call.
    name : str, optional

    Raises
    ------
    ValueError
        If an argument is out of its range.
    NotImplementedError
        If `loss_scale_factor` is set.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from rnn_ref.training.optimizers import SGD
    >>> w = SimpleNamespace(value=np.array([1.0, 2.0]), name="w", constraint=None)
    >>> SGD(learning_rate=0.5).apply([np.array([1.0, 1.0])], [w])
    >>> w.value.tolist()
    [0.5, 1.5]
    """

    def __init__(
        self,
        learning_rate,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name=None,
    ):
        owner = type(self).__name__
        text(name, "name", owner, optional=True)
        if loss_scale_factor is not None:
            raise NotImplementedError(
                f"{owner}: `loss_scale_factor` is not supported, as float32 and float64 need none. "
                f"Received: loss_scale_factor={loss_scale_factor!r}"
            )
        if sum(limit is not None for limit in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        self.name = name or auto_name(self)
        self.weight_decay = number(weight_decay, "weight_decay", owner, "[0, inf)", optional=True)
        self.clipnorm = number(clipnorm, "clipnorm", owner, "[0, inf)", optional=True)
        self.clipvalue = number(clipvalue, "clipvalue", owner, "[0, inf)", optional=True)
        self.global_clipnorm = number(global_clipnorm, "global_clipnorm", owner, "[0, inf)", optional=True)
        self.use_ema = flag(use_ema, "use_ema", owner)
        self.ema_momentum = number(ema_momentum, "ema_momentum", owner, "[0, 1]")
        self.ema_overwrite_frequency = integer(
            ema_overwrite_frequency, "ema_overwrite_frequency", owner, least=1, optional=True
        )
        self.gradient_accumulation_steps = integer(
            gradient_accumulation_steps, "gradient_accumulation_steps", owner, least=2, optional=True
        )
        self._iterations = 0  # calls of `apply`
        self._learning_rate = check_learning_rate(learning_rate, owner)
        self._weights: list | None = None  # those that the lists below belong to, in this order
        self._index: dict[int, int] | None = None  # id of a weight -> its place; not part of copies
        self._is_copy = False  # and has not met the weights yet that it is to go on with
        self._slots: list[dict[str, np.ndarray]] = []
        self._work: list[np.ndarray] = []  # one scratch array per weight
        self._device = "cpu"  # where these arrays are
        self._no_decay: list = []  # the weights themselves: they are copied with the optimizer
        self._no_decay_pattern: str | None = None

    def __init_subclass__(cls, **kwargs):
        """Show the shared arguments in the signature of a subclass that passes them on as ``*args, **kwargs``."""
        super().__init_subclass__(**kwargs)
        guard_class(cls)
        own = list(inspect.signature(cls.__init__).parameters.values())
        if any(p.kind is p.VAR_POSITIONAL for p in own):
            named = [p for p in own if p.kind is p.POSITIONAL_OR_KEYWORD]
            names = {p.name for p in named}
            shared = inspect.signature(Optimizer.__init__).parameters.values()
            cls.__signature__ = inspect.Signature(named[1:] + [p for p in shared if p.name not in names])

    # What a subclass defines

    def slots(self) -> Sequence[Sequence[str]]:
        """Names of the arrays to remember for each weight, in groups.

        A group's arrays are kept next to each other for each weight; this is the order of Keras's
        `variables`.
        """
        return ()

    def initial_slot(self, name: str) -> float:
        """What an array of this name is filled with at first."""
        return 0.0

    def slot_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of an array of this name, for a weight of this shape."""
        return shape

    def begin_step(self) -> None:
        """What to do once per step, before the first update."""

    def update_step(
        self,
        gradient: np.ndarray,
        value: np.ndarray,
        learning_rate: float,
        slots: dict[str, np.ndarray],
        work: np.ndarray,
    ) -> None:
        """Update one weight in place.

        Parameters
        ----------
        gradient, value : array
            Of the same shape; the gradient must be left as it is.
        learning_rate : float
        slots : dict of str to array
            What is remembered for this weight, to be updated in place.
        work : array
            Scratch memory of the same shape.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `update_step`.")

    # One step

    def build(self, weights: Iterable) -> None:
        """Make the state for these weights. Called by the first `apply`.

        A copy made without its model (`copy.deepcopy`, `pickle`) goes on with weights of the same names and shapes.
        """
        weights = list(weights)
        if self.built:
            if self._is_copy and not any(id(weight) in self._places() for weight in weights):
                self._take_over(weights)
            self._is_copy = False
            return
        self._weights, self._device = weights, get_device()
        names = [name for group in self._groups() for name in group]
        self._slots = [{name: self._new_slot(name, weight.value) for name in names} for weight in self._weights]
        self._work = [xp.empty_like(weight.value) for weight in self._weights]

    def _groups(self) -> list[Sequence[str]]:
        """`slots`, after those of averages and of gradients that add up."""
        common = {"average": self.use_ema, "gradient_accumulator": self.gradient_accumulation_steps}
        return [*((name,) for name, wanted in common.items() if wanted), *self.slots()]

    def _new_slot(self, name: str, value: np.ndarray) -> np.ndarray:
        if name in ("average", "gradient_accumulator"):
            return xp.zeros_like(value)
        return xp.full(self.slot_shape(name, value.shape), self.initial_slot(name), dtype=value.dtype)

    def _follow(self) -> None:
        """Take the state to the current device, where the weights are."""
        if self._device != get_device():
            self._device = get_device()
            self._slots = converted(self._slots, xp.asarray)
            self._work = converted(self._work, xp.asarray)

    @property
    def built(self) -> bool:
        """Whether there is state for weights yet."""
        return self._weights is not None

    def _places(self) -> dict[int, int]:
        """The place of every weight in the lists of state, by its id."""
        if self._index is None:
            self._index = {id(weight): i for i, weight in enumerate(self._weights)}
        return self._index

    def _take_over(self, weights: list) -> None:
        """Of a copy: these weights in place of the copies of weights that came with it."""

        def described(weights):
            return [(weight.name, weight.value.shape) for weight in weights]

        if described(weights) == described(self._weights):
            mine = {id(old): new for old, new in zip(self._weights, weights)}
            self._no_decay = [mine.get(id(weight), weight) for weight in self._no_decay]
            self._weights, self._index = weights, None

    def __getstate__(self):
        return self.__dict__ | {"_index": None, "_is_copy": True}  # a copy's weights have ids of their own

    def apply(self, grads: Sequence[np.ndarray | None], weights: Sequence | None = None) -> None:
        """Update weights in place.

        Parameters
        ----------
        grads : list of array or None
            Gradients in the shapes of the weights; None leaves a weight alone.
        weights : list of weights, optional
            By default those the optimizer was built with.

        Raises
        ------
        ValueError
            If there is no gradient at all, if lengths or shapes differ, or if a weight is not one of those
            that the optimizer was built with, or has another shape since.
        """
        if weights is None:
            if not self.built:
                raise ValueError("Pass `weights`, or call `build(weights)` before the first `apply(grads)`.")
            weights = self._weights
        grads = in_a_row(grads, f"{type(self).__name__}.apply", "list(gradients.values())")
        weights = list(weights)
        if len(grads) != len(weights):
            raise ValueError(f"Expected one gradient per weight. Received: {len(grads)} for {len(weights)} weights.")
        if not grads:
            return
        self.build(weights)
        self._follow()
        grads, weights = self._with_gradient(grads, weights)
        if self.gradient_accumulation_steps:
            grads = self._accumulated(grads, weights)
        if grads is not None:
            self._update(grads, weights)
        if self.use_ema:
            self._move_averages()
        for weight in weights:
            if getattr(weight, "constraint", None) is not None:
                weight.value[...] = xp.asarray(weight.constraint(weight.value))
        self._iterations += 1

    def _update(self, grads: list[np.ndarray], weights: list) -> None:
        """The step itself."""
        grads = clipped(grads, self.clipnorm, self.global_clipnorm, self.clipvalue)
        learning_rate = current(self._learning_rate, self._iterations)
        self._decay(weights, learning_rate)
        self.begin_step()
        places = self._places()
        for gradient, weight in zip(grads, weights):
            i = places[id(weight)]
            self.update_step(gradient, weight.value, learning_rate, self._slots[i], self._work[i])

    @property
    def iterations(self) -> int:
        """The number of updates so far: of calls of `apply`, unless gradients accumulate."""
        return self._iterations // (self.gradient_accumulation_steps or 1)

    @iterations.setter
    def iterations(self, iterations: int) -> None:
        self._iterations = int(iterations) * (self.gradient_accumulation_steps or 1)

    def apply_gradients(self, grads_and_vars: Iterable[tuple]) -> None:
        """`apply` for pairs of gradient and weight."""
        method = f"{type(self).__name__}.apply_gradients"
        grads, weights = zip(*in_a_row(grads_and_vars, method, "zip(gradients.values(), weights)"))
        self.apply(grads, weights)

    def _with_gradient(self, grads: list, weights: list) -> tuple[list[np.ndarray], list]:
        """Gradients that are not None, in the precision of their weights, and those weights."""
        kept, missing, places = [], [], self._places()
        for gradient, weight in zip(grads, weights):
            if id(weight) not in places:
                raise ValueError(
                    f"The weight {weight.name!r} is not one of those this optimizer was built with. "
                    "Use a new optimizer for a new set of weights."
                )
            value, built_with = weight.value, self._work[places[id(weight)]].shape
            if value.shape != built_with:
                raise ValueError(
                    f"{self.name}: {weight.name!r} has shape {value.shape}, and had {built_with} when this "
                    "optimizer was built. Use a new optimizer."
                )
            if gradient is None:
                missing.append(weight.name)
                continue
            gradient = xp.asarray(gradient, dtype=value.dtype)
            if gradient.shape != value.shape:
                raise ValueError(
                    f"The gradient of {weight.name!r} has shape {gradient.shape}, its value {value.shape}."
                )
            kept.append((gradient, weight))
        if not kept:
            raise ValueError("No gradients provided for any weight: all of them are None.")
        if missing:
            warnings.warn(f"There are no gradients for the weights {missing}.", stacklevel=3)
        grads, weights = zip(*kept)
        return list(grads), list(weights)

    def _decay(self, weights: list, learning_rate: float) -> None:
        spared = {id(weight) for weight in self._no_decay}
        for weight in weights if self.weight_decay is not None else ():
            named = self._no_decay_pattern is not None and re.search(self._no_decay_pattern, weight.name)
            if not named and id(weight) not in spared:
                weight.value *= 1 - self.weight_decay * learning_rate

    def exclude_from_weight_decay(self, var_list: Iterable = (), var_names: Iterable[str] = ()) -> None:
        """Leave weights out of weight decay.

        Parameters
        ----------
        var_list : list of weights, optional
        var_names : list of str, optional
            Regular expressions; a weight is left out if its name contains one, for example ``"bias"``.
        """
        self._no_decay = list(var_list or ())
        self._no_decay_pattern = "|".join(var_names or ()) or None

    # Learning rate

    @property
    def learning_rate(self) -> LearningRate:
        """The learning rate of the next step. Settable, unless the optimizer was made with a schedule."""
        return LearningRate(current(self._learning_rate, self._iterations), self)

    @learning_rate.setter
    def learning_rate(self, learning_rate) -> None:
        learning_rate = check_learning_rate(learning_rate, type(self).__name__)
        if isinstance(self._learning_rate, schedules.LearningRateSchedule) and not callable(learning_rate):
            raise TypeError(
                "The learning rate follows a schedule and cannot be set to a number. "
                "Set it to another schedule, or make the optimizer with a float."
            )
        self._learning_rate = learning_rate

    def get_config(self) -> dict:
        """Constructor arguments, for `from_config`."""
        learning_rate = self._learning_rate
        if isinstance(learning_rate, schedules.LearningRateSchedule):
            learning_rate = schedules.serialize(learning_rate)
        elif callable(learning_rate):
            raise NotImplementedError("A learning rate that is a plain callable cannot be saved. Use a schedule.")
        return {
            "name": self.name,
            "learning_rate": learning_rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "clipvalue": self.clipvalue,
            "global_clipnorm": self.global_clipnorm,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": None,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(cls, config: dict) -> Optimizer:
        """An optimizer from what `get_config` returned."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = schedules.deserialize(config["learning_rate"])
        return cls(**config)
