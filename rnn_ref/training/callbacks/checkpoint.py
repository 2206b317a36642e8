"""`ModelCheckpoint`: saves the model repeatedly during training."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from rnn_ref.checks import flag, integer, number

from .monitor import MonitorCallback


class SaveFrequency:
    """When something is due: after every epoch, or every so many batches, counted across epochs.

    Parameters
    ----------
    save_freq : "epoch" or int
    owner : str
        Whose argument it is.
    """

    def __init__(self, save_freq, owner: str):
        if save_freq != "epoch":
            if isinstance(save_freq, bool) or not isinstance(save_freq, (int, np.integer)):
                raise ValueError(
                    f"{owner}: `save_freq` must be 'epoch' or a number of batches. Received: {save_freq!r}"
                )
            integer(save_freq, "save_freq", owner, least=1)
        self.save_freq = save_freq

    def due(self, seen: int, before: int) -> bool:
        """Whether a multiple of ``save_freq`` has been passed with the batches now seen."""
        return self.save_freq != "epoch" and seen // self.save_freq > before // self.save_freq


class ModelCheckpoint(MonitorCallback):
    """Save the model, or its weights, during training (https://keras.io/api/callbacks/model_checkpoint/).

    A file is written completely or not at all. If it cannot be written, training ends with the error, and a file that
    was there before is untouched.

    Parameters
    ----------
    filepath : str or path
        May contain ``{epoch}``, ``{batch}`` and names in the logs: ``"{epoch:02d}-{val_loss:.2f}.keras"``. Ends in
        ``.keras``, or with ``save_weights_only`` in ``.weights.h5`` or ``.safetensors``.
    monitor : str
    verbose : {0, 1}
        1 prints what is saved.
    save_best_only : bool
        Save only when the metric is better than ever before.
    save_weights_only : bool
    mode : {"auto", "min", "max"}
        Whether less or more is better.
    save_freq : "epoch" or int
        After every epoch, or every so many batches.
    initial_value_threshold : float, optional
        Only values better than this count as best.

    Examples
    --------
    >>> import os, tempfile, numpy as np, rnn_ref
    >>> folder = tempfile.mkdtemp()
    >>> model = rnn_ref.Sequential([rnn_ref.Input((3,)), rnn_ref.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> save = ModelCheckpoint(os.path.join(folder, "{epoch:02d}.weights.h5"), save_weights_only=True)
    >>> _ = model.fit(np.ones((4, 3)), np.ones((4, 1)), epochs=2, callbacks=[save], verbose=0)
    >>> sorted(os.listdir(folder))
    ['01.weights.h5', '02.weights.h5']
    """

    def __init__(
        self,
        filepath,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        save_freq="epoch",
        initial_value_threshold=None,
    ):
        super().__init__(monitor, mode)
        owner = type(self).__name__
        self.save_best_only = flag(save_best_only, "save_best_only", owner)
        self.save_weights_only = flag(save_weights_only, "save_weights_only", owner)
        endings = (".weights.h5", ".safetensors") if save_weights_only else (".keras",)
        if not isinstance(filepath, (str, os.PathLike)) or not os.fspath(filepath).endswith(endings):
            raise ValueError(
                f"{owner}: with save_weights_only={save_weights_only} `filepath` must end in {' or '.join(endings)}. "
                f"Received: filepath={filepath!r}"
            )
        self.filepath, self.verbose = os.fspath(filepath), verbose
        self._frequency = SaveFrequency(save_freq, owner)
        self.save_freq = save_freq
        self.best = number(initial_value_threshold, "initial_value_threshold", owner, optional=True)
        self._epoch, self._seen, self._seen_in_epoch = 0, 0, 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._seen_in_epoch = epoch, 0

    def on_batch_end(self, batch, logs=None):
        before = self._seen
        self._seen += batch + 1 - self._seen_in_epoch
        self._seen_in_epoch = batch + 1
        if self._frequency.due(self._seen, before):
            self._save(batch, logs or {})

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(None, logs or {})

    def _save(self, batch: int | None, logs: dict) -> None:
        path = self._path(batch, logs)
        if self.save_best_only:
            current = self._monitored(logs)
            if current is not None and not self._improves(current, self.best):
                return
            self.best = self.best if current is None else current
        path.parent.mkdir(parents=True, exist_ok=True)
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)
        if self.verbose:
            print(f"\nEpoch {self._epoch + 1}: saved {path}")

    def _path(self, batch: int | None, logs: dict) -> Path:
        known = {"epoch": self._epoch + 1} | ({} if batch is None else {"batch": batch + 1}) | logs
        try:
            return Path(self.filepath.format(**known))
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise ValueError(
                f"{type(self).__name__}: {self.filepath!r} cannot be filled in: {error}. There are {', '.join(known)}."
            ) from None
