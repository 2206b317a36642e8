"""`Loss`: from losses per sample to one number, and from there back to the predictions."""

from __future__ import annotations

import numpy as np

from rnn_ref import shares
from rnn_ref.device import xp
from rnn_ref.guard import explained, guard_class
from rnn_ref.layers.border import mask_of
from rnn_ref.spelling import Spelled

from .._arrays import align_weight, as_float, as_numbers, dtype_of, fold_mask, same_rank
from .._identifiers import auto_name, one_of
from .._recording import is_recorded, plain, reduced, with_gradient

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss(Spelled):
    """Base class of losses (https://keras.io/api/losses/).

    A subclass defines the loss of each sample and, next to it, its derivative:

    - ``call(y_true, y_pred)``: losses per sample, usually of shape ``y_pred.shape[:-1]``;
    - ``gradient(y_true, y_pred)``: the derivative of each sample's loss with respect to that sample's
      predictions, in the shape of `y_pred`. Without it (and if a subclass changes only the ``call`` of a loss that has
      one) HIPS autograd differentiates ``call``, which must then compute with operators and NumPy functions.

    Parameters
    ----------
    name : str, optional
    reduction : {"sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None}
        How to reduce losses per sample to one number. ``"sum_over_batch_size"`` and ``"mean"`` divide their sum by
        their number, ``"mean_with_sample_weight"`` by the sum of the weights; ``"none"`` and None leave them as they
        are.
    dtype : str, optional
        Precision of the computation; by default that of the predictions.

    Examples
    --------
    >>> class Cubed(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return np.mean((y_pred - y_true) ** 3, axis=-1)
    ...
    ...     def gradient(self, y_true, y_pred):
    ...         return 3 * (y_pred - y_true) ** 2 / y_pred.shape[-1]
    >>> value, dy_pred = Cubed().value_and_gradient(np.zeros((2, 1)), np.array([[1.0], [2.0]]))
    >>> float(value), dy_pred.tolist()
    (4.5, [[1.5], [6.0]])
    """

    axis = -1  # the axis of y_pred over which `call` reduces

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype=None):
        self.name = name or auto_name(self)
        self.reduction = one_of("reduction", reduction, REDUCTIONS)
        self.dtype = None if dtype is None else dtype_of(dtype, type(self).__name__, "f")

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """Losses per sample."""
        raise NotImplementedError(f"{type(self).__name__} must define `call(y_true, y_pred)`: the losses per sample.")

    def gradient(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The derivative of each sample's loss with respect to its predictions, in the shape of `y_pred`."""
        _, back = self._record(lambda p: self.call(y_true, p), y_pred, "call")
        return back(1.0)

    _has_gradient = False  # whether `gradient` belongs to `call`

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        guard_class(cls)
        own = vars(cls)
        if "gradient" in own:
            cls._has_gradient = True
        elif "call" in own:
            cls._has_gradient = False  # the inherited one is the gradient of another call
        if "call" in own and "gradient" in own:
            cls.call = with_gradient(own["call"], own["gradient"])

    def valid_mask(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray | None:
        """Which of the losses per sample count; None if all do."""
        return None

    @explained
    def __call__(self, y_true, y_pred, sample_weight=None, mask=None):
        """The reduced loss.

        Parameters
        ----------
        y_true, y_pred : array
            Targets and predictions.
        sample_weight : array, optional
            ``(B,)`` or the shape of the losses per sample.
        mask : array of bool, optional
            In the shape of the losses per sample; entries that are False are left out. By default the mask that travels
            with the predictions.
        """
        mask = mask_of(y_pred) if mask is None else mask
        if is_recorded(y_pred) or is_recorded(y_true):
            return self._recorded(y_true, y_pred, plain(sample_weight), plain(mask))
        y_pred, mask = self._masked(y_pred, mask)
        y_true, y_pred = self._arrays(y_true, y_pred)
        losses = self.call(y_true, y_pred)
        return self._reduce(losses, sample_weight, self._full_mask(mask, y_true, y_pred))[0]

    def _recorded(self, y_true, y_pred, sample_weight, mask):
        """The same while autograd is recording."""
        if not is_recorded(y_true):
            y_true = self._arrays(y_true, plain(y_pred))[0]
        losses = self.call(y_true, y_pred if self.dtype is None else y_pred.astype(self.dtype))
        return reduced(self, losses, sample_weight, self._full_mask(mask, plain(y_true), plain(y_pred)))

    @explained
    def value_and_gradient(self, y_true, y_pred, sample_weight=None, mask=None):
        """The reduced loss and its derivative with respect to the predictions.

        Arguments are those of calling the loss.

        Returns
        -------
        value : scalar
        dy_pred : array
            In the shape and precision of `y_pred`.
        """
        given = as_float(y_pred)
        if type(self).__call__ is not Loss.__call__:  # a subclass with a reduction of its own
            return self._whole_value_and_gradient(y_true, given, sample_weight, mask)
        y_pred, mask = self._masked(given, mask)
        y_true, y_pred = self._arrays(y_true, y_pred)
        if self._has_gradient:
            losses = self.call(y_true, y_pred)
        else:
            losses, back = self._record(lambda p: self.call(y_true, p), y_pred, "call")
        value, dlosses = self._reduce(losses, sample_weight, self._full_mask(mask, y_true, y_pred))
        if np.ndim(value):
            raise ValueError(
                f"Training needs one number, but with reduction={self.reduction!r} the loss {self.name!r} has shape "
                f"{np.shape(value)}. Use reduction='sum_over_batch_size' or 'sum'."
            )
        if not self._has_gradient:
            return value, back(dlosses).astype(given.dtype, copy=False)
        dy_pred = xp.asarray(self.gradient(y_true, y_pred))
        if dy_pred.size != given.size:
            raise ValueError(
                f"`gradient` of {type(self).__name__} must have the shape of y_pred, {given.shape}. Received: "
                f"{dy_pred.shape}, from targets of shape {y_true.shape}."
            )
        dy_pred = dy_pred * self._spread(dlosses, dy_pred)
        return value, dy_pred.reshape(given.shape).astype(given.dtype, copy=False)

    def _whole_value_and_gradient(self, y_true, y_pred, sample_weight, mask):
        if mask is not None:
            sample_weight = fold_mask(sample_weight, mask, self.reduction, y_pred.dtype)
        value, back = self._record(lambda p: self(y_true, p, sample_weight=sample_weight), y_pred, "__call__")
        if np.ndim(value):
            raise ValueError(f"{type(self).__name__}: __call__ must return one number, got the shape {value.shape}.")
        return value, back(1.0).astype(y_pred.dtype, copy=False)

    def _record(self, function, y_pred, method: str):
        """By autograd: ``function(y_pred)``, and the map from its gradient to that of the predictions."""
        from rnn_ref.layers.autodiff import pullback

        what = f"{type(self).__name__}.{method}"
        if xp.module is not np:  # autograd knows only NumPy arrays
            raise NotImplementedError(
                f"{what} has no gradient written out; on a GPU write `gradient(y_true, y_pred)` beside `call`."
            )
        (losses,), pull = pullback(lambda p: [function(p)], [y_pred], what)
        losses = np.asarray(losses)
        if losses.dtype.kind != "f":
            raise TypeError(f"{what} must return an array of floats, got {losses!r}.")

        def back(dlosses):
            seed = np.asarray(dlosses, losses.dtype)
            (dy_pred,), _ = pull([np.broadcast_to(seed, losses.shape)])
            return np.zeros_like(y_pred) if dy_pred is None else np.asarray(dy_pred)

        return losses, back

    def _masked(self, y_pred, mask) -> tuple:
        """Overridden by losses to which the mask of the predictions does not apply directly."""
        return y_pred, mask

    def _arrays(self, y_true, y_pred) -> tuple[np.ndarray, np.ndarray]:
        y_pred = self._predictions(y_pred)
        return as_numbers(y_true).astype(y_pred.dtype, copy=False), y_pred

    def _predictions(self, y_pred) -> np.ndarray:
        y_pred = as_float(y_pred)
        return y_pred if self.dtype is None else y_pred.astype(self.dtype, copy=False)

    def _full_mask(self, mask, y_true, y_pred) -> np.ndarray | None:
        valid = self.valid_mask(y_true, y_pred)
        if mask is None or valid is None:
            return valid if mask is None else xp.asarray(mask, dtype=bool)
        return xp.logical_and(*same_rank(xp.asarray(mask, dtype=bool), valid))

    def _reduce(self, losses: np.ndarray, sample_weight, mask) -> tuple[np.ndarray, np.ndarray]:
        """One number from the losses per sample, and its derivative by each (or one number for all)."""
        losses = xp.asarray(losses)
        shape = losses.shape
        weight = fold_mask(sample_weight, mask, self.reduction, losses.dtype)
        if weight is None:
            weighted = losses
        else:
            total_weight = weight.sum()
            if self.reduction == "mean_with_sample_weight":
                total_weight = shares.counted(total_weight)
            losses, weight = same_rank(losses, weight)
            weight = align_weight(weight, losses.shape)
            if any(w not in (1, n) for w, n in zip(weight.shape, losses.shape)) or weight.ndim > losses.ndim:
                raise ValueError(
                    f"Sample weights or mask of shape {weight.shape} do not fit losses of shape {shape}. "
                    "Give one weight per sample, shape (B,), or one per loss. If each time step has one target, give "
                    "y_true the shape (B, T, 1), so that there is a loss for each step."
                )
            weighted = losses * weight
        if shape == () and self.reduction != "sum":
            shares.refuse(f"The loss {self.name!r} is one number for all samples")
        if self.reduction in (None, "none", "sum") or shape in ((), (0,)):
            divisor = 1
        elif self.reduction == "mean_with_sample_weight" and weight is not None:
            divisor = xp.where(total_weight == 0, np.inf, total_weight)  # weights that sum to zero: a loss of zero
        else:
            divisor = shares.whole(losses.size) or np.inf
        if weight is None:
            dlosses = losses.dtype.type(1) / divisor  # a float, whatever the losses are
        else:
            dlosses = xp.broadcast_to(weight / divisor, losses.shape).reshape(shape)
        if self.reduction in (None, "none") or shape in ((), (0,)):
            return weighted, dlosses
        return weighted.sum() / divisor, dlosses

    def _spread(self, dlosses: np.ndarray, dy_pred: np.ndarray) -> np.ndarray:
        """Restore the axes that `call` reduced, so that one derivative per sample broadcasts to its predictions."""
        if dlosses.ndim == 0:
            return dlosses
        if dy_pred.ndim == dlosses.ndim + 1:
            return xp.expand_dims(dlosses, self.axis)
        return dlosses.reshape(dlosses.shape + (1,) * (dy_pred.ndim - dlosses.ndim))

    def get_config(self) -> dict:
        """Constructor arguments, for `from_config`."""
        config = {"name": self.name, "reduction": self.reduction}
        return config if self.dtype is None else {**config, "dtype": self.dtype.name}

    @classmethod
    def from_config(cls, config: dict) -> Loss:
        """A loss from what `get_config` returned."""
        return cls(**config)
