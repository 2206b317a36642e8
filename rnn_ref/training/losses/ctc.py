"""CTC: labels without alignment in time."""

from __future__ import annotations

import warnings

import numpy as np

from rnn_ref.device import to_numpy, xp
from rnn_ref.kernels.cpu import ctc as kernels

from .._arrays import as_float
from .base import Loss

BLANK = 0


class CTC(Loss):
    """``-log p(labels)``: the probability of all alignments of the labels with the time steps, blanks in between.

    A path has one class at each time step; merging repetitions and dropping blanks gives its labels. Graves et al.
    2006, "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural Networks"
    (https://keras.io/api/losses/probabilistic_losses/#ctc-class). The equations are in :mod:`rnn_ref.kernels.cpu.ctc`;
    :func:`rnn_ref.seq2seq.ctc_decode` goes from predictions to labels.

    Targets are integers ``(B, L)``, padded with 0; predictions are logits ``(B, T, C)`` (without a softmax), with class
    0 as the blank. A mask ``(B, T)`` of the predictions that ends a sequence early shortens it.

    Raises
    ------
    ValueError
        If a sequence has fewer time steps than its labels need: one for each, and one for the blank between equal
        neighbours.

    Examples
    --------
    Two classes and the blank, all equally likely: of the nine paths of two steps ``1 1``, ``0 1`` and ``1 0`` read 1.

    >>> round(float(np.exp(-CTC()([[1, 0]], np.zeros((1, 2, 3))))), 4)
    0.3333
    """

    def __init__(self, reduction="sum_over_batch_size", name="ctc", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        """``(B, L)`` and ``(B, T, C)`` -> ``(B,)``."""
        return xp.asarray(self._run(y_true, y_pred)[0])

    def gradient(self, y_true, y_pred):
        return xp.asarray(self._run(y_true, y_pred, gradient=True)[1])

    def _masked(self, y_pred, mask):
        """Make masked steps at the end certain to be blank, which is as if they were not there."""
        y_pred = as_float(y_pred)
        if mask is None or np.ndim(mask) < 2:
            return y_pred, mask
        mask = xp.asarray(mask, dtype=bool)
        if mask.shape != y_pred.shape[:2]:
            raise ValueError(f"{self.name}: a mask of shape {mask.shape} does not fit predictions {y_pred.shape}.")
        if not (mask[:, :1].all() and (mask[:, 1:] <= mask[:, :-1]).all()):
            raise ValueError(
                f"{self.name}: masked steps must stand at the end of a sequence, and its first must not be masked. "
                "Pad with padding='post'."
            )
        sure = xp.full(y_pred.shape[2], -np.inf, y_pred.dtype)
        sure[BLANK] = 0
        return xp.where(mask[:, :, None], y_pred, sure), None

    def _arrays(self, y_true, y_pred):
        return xp.asarray(y_true), self._predictions(y_pred)  # labels stay integers

    def _run(self, y_true, y_pred, gradient: bool = False):
        labels, logits = to_numpy(y_true), to_numpy(as_float(y_pred))
        if labels.ndim != 2 or logits.ndim != 3 or len(labels) != len(logits) or not all(logits.shape[1:]):
            raise ValueError(
                f"{self.name}: expected labels (B, L) and logits (B, T, C), of one step and class at least. Received: "
                f"y_true.shape={labels.shape}, y_pred.shape={logits.shape}."
            )
        if not np.array_equal(labels, labels.astype(np.intp)) or not ((labels >= 0) & (labels < logits.shape[2])).all():
            raise ValueError(
                f"{self.name}: labels are integers from 0, which fills rows up, to {logits.shape[2] - 1}, as y_pred "
                f"has {logits.shape[2]} classes. Received labels from {labels.min()} to {labels.max()}."
            )
        lengths = np.count_nonzero(labels, axis=1)
        gaps = (labels == BLANK) & (np.arange(labels.shape[1]) < lengths[:, None])
        if gaps.any():
            warnings.warn(
                f"{self.name}: row {int(gaps.any(axis=1).argmax())} of the targets has a 0 before other labels. Zeros "
                "belong behind all labels: as in Keras, as many numbers count as are not 0, from the first one on.",
                stacklevel=4,
            )
        losses, dlogits = ctc_loss(labels, logits, lengths, gradient=gradient)
        if not np.isfinite(losses).all() and np.isfinite(logits.max(axis=2)).all():
            row = int((~np.isfinite(losses)).argmax())
            raise ValueError(
                f"{self.name}: the {lengths[row]} labels of row {row} do not fit into its time steps: "
                f"{np.array2string(labels[row, : lengths[row]])} need one step each, and one for the blank between "
                "equal neighbours. Give longer sequences, or leave the row out."
            )
        return losses.astype(logits.dtype), None if dlogits is None else dlogits.astype(logits.dtype)


def ctc_loss(
    labels: np.ndarray, logits: np.ndarray, lengths: np.ndarray, blank: int = BLANK, gradient: bool = False
) -> tuple[np.ndarray, np.ndarray | None]:
    """CTC losses and their gradients, computed in float64.

    Parameters
    ----------
    labels : ndarray of int, (B, L)
    logits : ndarray, (B, T, C)
    lengths : ndarray of int, (B,)
        The number of labels that count.
    blank : int
        The class of the blank.
    gradient : bool
        Whether to compute it.

    Returns
    -------
    losses : ndarray of float64, (B,)
        Infinite where the labels do not fit into the time steps.
    dlogits : ndarray of float64, (B, T, C), or None
    """
    y = logits.astype(np.float64)
    y -= y.max(axis=2, keepdims=True)
    y -= np.log(np.exp(y).sum(axis=2, keepdims=True))
    labels = np.ascontiguousarray(labels, np.intp)
    states = 2 * labels.shape[1] + 1
    alpha, beta = np.empty((y.shape[1], states)), np.empty((2, states))
    losses, dlogits = np.empty(len(y)), np.empty_like(y) if gradient else None
    for b, n in enumerate(np.asarray(lengths).tolist()):
        losses[b] = kernels.forward(y[b], labels[b], n, blank, alpha)
        if gradient:
            kernels.backward(y[b], labels[b], n, blank, alpha, losses[b], beta, dlogits[b])
    return losses, dlogits
