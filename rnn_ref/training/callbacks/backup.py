"""`BackupAndRestore`: training that continues where it was interrupted."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from rnn_ref import state_file
from rnn_ref.checks import flag

from .base import Callback
from .checkpoint import SaveFrequency


class BackupAndRestore(Callback):
    """Continue an interrupted training where it stopped (https://keras.io/api/callbacks/backup_and_restore/).

    Pass it to ``fit``, and after a crash start the same program again: ``fit`` continues from the last recorded state,
    and ends with the same bits as if nothing had happened. It records the weights, the optimizer, the order of the
    samples, the random generators (this package's, those of layers, Python's and NumPy's), the states of stateful
    layers, the metrics of the epoch, and those attributes of callbacks that are numbers, strings, arrays, or lists or
    dicts of these.

    A source of batches other than arrays must yield the same batches again; those already trained on are drawn and
    skipped. The model must be built before ``fit``.

    Parameters
    ----------
    backup_dir : str or path
        A folder used for this training alone.
    save_freq : "epoch" or int
        Record after every epoch, or every this many batches.
    double_checkpoint : bool
        Also keep the record before the last one.
    delete_checkpoint : bool
        Delete the records when training ends.
    """

    NAME = "training.npz"

    def __init__(self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True):
        super().__init__()
        owner = type(self).__name__
        if not isinstance(backup_dir, (str, os.PathLike)) or not os.fspath(backup_dir):
            raise ValueError(f"{owner}: `backup_dir` must be a folder. Received: backup_dir={backup_dir!r}")
        self.backup_dir = os.fspath(backup_dir)
        self._frequency = SaveFrequency(save_freq, owner)
        self.save_freq = save_freq
        self.double_checkpoint = flag(double_checkpoint, "double_checkpoint", owner)
        self.delete_checkpoint = flag(delete_checkpoint, "delete_checkpoint", owner)
        self._seen = 0

    @property
    def path(self) -> Path:
        """The last record."""
        return Path(self.backup_dir) / self.NAME

    @property
    def path_before(self) -> Path:
        """The one before."""
        return self.path.with_suffix(".npz.bkp")

    def due(self, batches: int) -> bool:
        """Whether to record, now that this many more batches have been trained on."""
        self._seen, before = self._seen + batches, self._seen
        return self._frequency.due(self._seen, before)

    def write(self, state: dict) -> None:
        """Record a state."""
        Path(self.backup_dir).mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint and self.path.exists():
            os.replace(self.path, self.path_before)
        state_file.write(self.path, state)

    def read(self) -> dict | None:
        """The last recorded state; None at the beginning."""
        for path in (self.path, self.path_before):
            if path.exists():
                return state_file.read(path)
        return None

    def forget(self) -> None:
        """Training has ended."""
        if self.delete_checkpoint:
            for path in (self.path, self.path_before):
                path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # something else is in the folder
                os.rmdir(self.backup_dir)
