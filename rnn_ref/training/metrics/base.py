"""`Metric`, a number accumulated over batches, and the means that most metrics are."""

from __future__ import annotations

import functools

import numpy as np

from rnn_ref import shares
from rnn_ref.device import xp
from rnn_ref.guard import explained, guard_class
from rnn_ref.layers.border import mask_of
from rnn_ref.reading import later
from rnn_ref.spelling import Spelled

from .. import losses
from .._arrays import align_weight, as_float, as_weights, divide_no_nan, dtype_of, fold_mask, same_rank, weight_like
from .._identifiers import auto_name, serialize
from .._recording import plain


class MetricVariable(np.ndarray):
    """An array with Keras's `assign` methods: the state of a metric.

    Attributes
    ----------
    name : str or None
    """

    name: str | None = None

    def __array_finalize__(self, other):
        self.name = getattr(other, "name", None)

    def __reduce__(self):
        make, arguments, state = super().__reduce__()
        return make, arguments, (*state, self.name)

    def __setstate__(self, state):
        super().__setstate__(state[:-1])
        self.name = state[-1]

    def numpy(self) -> np.ndarray:
        """A copy of the value."""
        return np.array(self)

    def assign(self, value):
        self[...] = plain(value)

    # What is added may be on a GPU, and is read once a training step has queued all its work.
    def assign_add(self, value):
        later(self._add, plain(value))

    def assign_sub(self, value):
        later(self._subtract, plain(value))

    def _add(self, value):
        self[...] += value

    def _subtract(self, value):
        self[...] -= value


class Metric(Spelled):
    """Base class of metrics (https://keras.io/api/metrics/base_metric/).

    A subclass makes its state with `add_variable`, adds to it in `update_state` and reads it in `result`. Metrics in
    its attributes (or in lists or dicts there) are reset with it.

    Parameters
    ----------
    dtype : str, optional
        Precision of the state; by default float64, which is precise enough for sums over epochs of any length.
    name : str, optional

    Examples
    --------
    >>> class Count(Metric):
    ...     def __init__(self, name="count"):
    ...         super().__init__(name=name)
    ...         self.seen = self.add_variable((), "zeros", name="seen")
    ...
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.seen.assign_add(len(y_pred))
    ...
    ...     def result(self):
    ...         return float(self.seen)
    >>> Count()(np.zeros(3), np.zeros(3))
    3.0
    """

    _direction: str | None = None  # "up" if more is better, "down" if less is

    def __init__(self, dtype=None, name: str | None = None):
        self.name = name or auto_name(self)
        if dtype is not None:
            dtype_of(dtype, type(self).__name__)
        self.dtype = dtype
        self._state: dict[str, MetricVariable] = {}

    def add_variable(self, shape, initializer="zeros", dtype=None, name: str | None = None) -> MetricVariable:
        """An array of state, which `reset_state` sets to zero.

        Parameters
        ----------
        shape : tuple of int
        initializer : {"zeros", "ones"} or callable
            A callable gets the shape.
        """
        named = {"zeros": np.zeros, "ones": np.ones, None: np.zeros}
        fill = named.get(initializer) if initializer is None or isinstance(initializer, str) else initializer
        if not callable(fill):
            raise ValueError(f"`initializer` must be 'zeros', 'ones' or callable. Received: {initializer!r}")
        variable = np.array(fill(shape), dtype=dtype or self.dtype or np.float64).view(MetricVariable)
        variable.name = name or f"variable_{len(self._state)}"
        self._state[variable.name] = variable
        return variable

    def add_weight(self, shape=(), initializer="zeros", dtype=None, name: str | None = None) -> MetricVariable:
        """The same as `add_variable`."""
        return self.add_variable(shape, initializer, dtype, name)

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        guard_class(cls)
        if "update_state" in vars(cls):
            cls.update_state = _of_plain_arrays(vars(cls)["update_state"])

    @property
    def _inner(self) -> list[Metric]:
        """Metrics inside this one."""
        return metrics_in(list(vars(self).values()))

    @property
    def variables(self) -> list[MetricVariable]:
        """The state, in order of creation, followed by that of the metrics inside."""
        return [*self._state.values(), *(variable for metric in self._inner for variable in metric.variables)]

    def reset_state(self) -> None:
        """Forget everything seen so far."""
        for variable in self._state.values():
            variable.assign(0)
        for metric in self._inner:
            metric.reset_state()

    def update_state(self, *args, **kwargs) -> None:
        """Take in a batch."""
        raise NotImplementedError(f"{type(self).__name__} must define `update_state(y_true, y_pred, sample_weight)`.")

    def result(self):
        """The metric over everything seen since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} must define `result()`.")

    @explained
    def __call__(self, *args, **kwargs):
        """Take in a batch and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    def get_config(self) -> dict:
        """Constructor arguments, for `from_config`."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict) -> Metric:
        """A metric from what `get_config` returned."""
        return cls(**config)


def metrics_in(structure) -> list[Metric]:
    """The metrics in nested lists, tuples and dicts, each once."""
    found: dict = {}
    waiting, seen = [structure], set()
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, Metric):
            found[entry] = None
        elif id(entry) not in seen:  # it may hold itself
            seen.add(id(entry))
            inside = entry.values() if isinstance(entry, dict) else entry
            waiting += [each for each in inside if isinstance(each, _MAY_HOLD)][::-1]  # of most attributes nothing
    return list(found)


_MAY_HOLD = (Metric, list, tuple, dict)


def _of_plain_arrays(update_state):
    """Pass plain arrays to metrics where autograd is recording, as they have no gradient."""

    @functools.wraps(update_state)
    def update(self, *args, **kwargs):
        return update_state(self, *plain(args), **plain(kwargs))

    return update


def _per_sample(values, sample_weight, reduce) -> tuple[np.ndarray, np.ndarray | None]:
    """Weighted values and weights of shape ``(B,)`` (or scalars): further axes are reduced, those of values first."""
    values = as_float(values)
    if sample_weight is not None:
        weight = xp.asarray(as_weights(sample_weight), dtype=values.dtype)
        values, weight = same_rank(values, weight)
        if values.ndim > weight.ndim:
            values = reduce(values, axis=tuple(range(weight.ndim, values.ndim)))
        weight_like(weight, values)
        weight = xp.broadcast_to(align_weight(weight, values.shape), values.shape)
        values = values * weight
        sample_weight = reduce(weight, axis=tuple(range(1, weight.ndim))) if weight.ndim > 1 else weight
    if values.ndim > 1:
        values = reduce(values, axis=tuple(range(1, values.ndim)))
    return values, sample_weight


class Sum(Metric):
    """The weighted sum of values (https://keras.io/api/metrics/base_metric/).

    >>> Sum()([1.0, 3.0], sample_weight=[1, 0])
    1.0
    """

    def __init__(self, name="sum", dtype=None):
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")

    def update_state(self, values, sample_weight=None):
        self.total.assign_add(xp.sum(_per_sample(values, sample_weight, xp.sum)[0], dtype=np.float64))

    def result(self):
        return float(self.total)


class Mean(Metric):
    """The weighted mean of values (https://keras.io/api/metrics/base_metric/).

    Values of shape ``(B, ...)`` are first averaged per sample, each sample then counts with its weight.

    >>> Mean()([1.0, 3.0])
    2.0
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")
        self.count = self.add_variable((), name="count")

    def update_state(self, values, sample_weight=None):
        values, weight = _per_sample(values, sample_weight, xp.mean)
        if not values.ndim:
            shares.refuse(f"The metric {self.name!r} is one number for all samples")
        self.total.assign_add(xp.sum(values, dtype=np.float64))
        if weight is not None:
            self.count.assign_add(xp.sum(weight, dtype=np.float64))
        else:
            self.count.assign_add(len(values) if values.ndim else 1)

    def result(self):
        return float(divide_no_nan(self.total, self.count))


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions (https://keras.io/api/metrics/base_metric/).

    Parameters
    ----------
    fn : callable
        ``fn(y_true, y_pred, **kwargs)`` returns one value per sample, or per sample and time step.
    name : str, optional
    dtype : str, optional
    **kwargs
        Passed on to `fn`.

    Examples
    --------
    >>> MeanMetricWrapper(lambda y_true, y_pred: np.abs(y_true - y_pred))(np.zeros(2), np.ones(2))
    1.0
    """

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name or auto_name(self), dtype)
        self._fn = fn
        self._fn_kwargs = kwargs
        if fn in losses.CLASS_OF or isinstance(fn, losses.Loss):
            self._direction = "down"

    def update_state(self, y_true, y_pred, sample_weight=None, mask=None):
        """Take in a batch.

        Parameters
        ----------
        y_true, y_pred : array
        sample_weight : array, optional
            ``(B,)``, or ``(B, T)`` for values per time step.
        mask : array of bool, optional
            Likewise; entries that are False are left out. By default the mask that travels with the predictions.
        """
        mask = mask_of(y_pred) if mask is None else mask
        values = self._fn(xp.asarray(y_true), xp.asarray(y_pred), **self._fn_kwargs)
        super().update_state(values, fold_mask(sample_weight, mask, dtype=np.float64))

    def get_config(self):
        config = super().get_config()
        if type(self) is MeanMetricWrapper:  # subclasses set their own `fn`
            config["fn"] = serialize(self._fn)
        return {**config, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config):
        if isinstance(config.get("fn"), str | dict):
            config = {**config, "fn": losses.deserialize(config["fn"])}
        return cls(**config)
