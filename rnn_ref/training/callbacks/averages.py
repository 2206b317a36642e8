"""`SwapEMAWeights`: evaluate a model with the running means of its weights."""

from __future__ import annotations

from rnn_ref.checks import flag

from .base import Callback


class SwapEMAWeights(Callback):
    """Use the averages instead of the weights for evaluation and prediction, and the weights for training.

    (https://keras.io/api/callbacks/swap_ema_weights/)

    The optimizer must keep averages (``use_ema=True``).

    Parameters
    ----------
    swap_on_epoch : bool
        Swap at the end of every epoch, for the callbacks after this one, and back at the start of the next.
    """

    def __init__(self, swap_on_epoch=False):
        super().__init__()
        self.swap_on_epoch = flag(swap_on_epoch, "swap_on_epoch", type(self).__name__)

    def _put(self, averages: bool) -> None:
        if averages is not self.model.optimizer.averages_swapped:
            self.model.optimizer.swap_averages()

    def on_epoch_begin(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._put(averages=False)

    def on_epoch_end(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._put(averages=True)

    def on_test_begin(self, logs=None):
        self._put(averages=True)

    def on_test_end(self, logs=None):
        self._put(averages=False)

    def on_predict_begin(self, logs=None):
        self._put(averages=True)

    def on_predict_end(self, logs=None):
        self._put(averages=False)
