"""`Perplexity`: how many words a language model hesitates between."""

from __future__ import annotations

import math

import numpy as np

from rnn_ref.checks import flag, integer
from rnn_ref.device import xp

from .. import losses
from .._arrays import divide_no_nan, fold_mask, weight_like
from .base import Metric


class Perplexity(Metric):
    """The exponential of the weighted mean cross-entropy, in nats, of all targets seen.

    Jelinek et al., "Perplexity: a measure of the difficulty of speech recognition tasks", 1977. Every unmasked time
    step counts the same, however the sequences are batched and padded.

    Parameters
    ----------
    from_logits : bool
        Predictions are logits; otherwise probabilities.
    ignore_class : int, optional
        Targets with this value are left out, for example 0 for padding.
    name, dtype : str, optional

    Examples
    --------
    >>> round(Perplexity()([[0, 1]], [[[0.25, 0.75], [0.5, 0.5]]]), 4)
    2.8284
    """

    _direction = "down"

    def __init__(self, from_logits=False, ignore_class=None, name="perplexity", dtype=None):
        super().__init__(dtype, name)
        owner = type(self).__name__
        self.from_logits = flag(from_logits, "from_logits", owner)
        self.ignore_class = integer(ignore_class, "ignore_class", owner, optional=True)
        self._loss = losses.SparseCategoricalCrossentropy(self.from_logits, self.ignore_class)
        self.total = self.add_variable((), name="total")
        self.count = self.add_variable((), name="count")

    def update_state(self, y_true, y_pred, sample_weight=None, mask=None):
        """Take in a batch.

        Parameters
        ----------
        y_true : array of int, shape (...,)
        y_pred : array, shape (..., C)
        sample_weight : array, optional
            ``(B,)``, or the shape of the targets.
        mask : array of bool, optional
            Likewise; entries that are False are left out.
        """
        crossentropy = self._loss.call(y_true, y_pred)
        weight = weight_like(fold_mask(sample_weight, mask, dtype=np.float64), crossentropy)
        weight = xp.broadcast_to(weight, crossentropy.shape)
        valid = self._loss.valid_mask(y_true, y_pred)
        if valid is not None:
            weight = xp.where(valid, weight, 0)
        self.total.assign_add(xp.sum(crossentropy * weight, dtype=np.float64))
        self.count.assign_add(xp.sum(weight, dtype=np.float64))

    def result(self):
        mean = float(divide_no_nan(self.total, self.count))
        return math.exp(mean) if mean < 709 else math.inf

    def get_config(self):
        return {**super().get_config(), "from_logits": self.from_logits, "ignore_class": self.ignore_class}
