"""`FunctionLoss`: a Python function as a loss."""

from __future__ import annotations

from collections.abc import Callable

from .._arrays import same_rank
from .._identifiers import serialize, snake_case
from .base import Loss


class FunctionLoss(Loss):
    """A loss computed by a Python function, which HIPS autograd differentiates.

    Parameters
    ----------
    fn : callable
        ``fn(y_true, y_pred, **kwargs)`` returns losses per sample, or one number, and computes with operators and
        NumPy functions.
    reduction, name, dtype
        As for every :class:`Loss`; named after the function by default.
    **kwargs
        Passed on to `fn`.

    Examples
    --------
    >>> fourth_power = FunctionLoss(lambda y_true, y_pred: (y_true - y_pred) ** 4)
    >>> value, dy_pred = fourth_power.value_and_gradient([[0.0]], [[2.0]])
    >>> float(value), dy_pred.tolist()
    (16.0, [[32.0]])
    """

    def __init__(self, fn: Callable, reduction="sum_over_batch_size", name: str | None = None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", None) or snake_case(type(fn).__name__), reduction, dtype)
        self.fn, self.fn_kwargs = fn, kwargs

    def call(self, y_true, y_pred):
        return self.fn(*same_rank(y_true, y_pred), **self.fn_kwargs)

    def get_config(self) -> dict:
        return {**super().get_config(), "fn": serialize(self.fn), **self.fn_kwargs}
