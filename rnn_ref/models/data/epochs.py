"""A source of batches, epoch by epoch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator


class Epochs:
    """Iterating it is one epoch; with ``steps`` the next goes on where this one ended.

    Parameters
    ----------
    source : ArrayBatches, IndexedBatches or IterableBatches
    steps : int, optional
        Batches in an epoch; without it an epoch is all there are.

    Attributes
    ----------
    drawn : int
        How many batches the last epoch had.
    over : bool
        Whether nothing more will come: a generator came to its end.
    """

    def __init__(self, source, steps: int | None = None):
        self.source, self.steps = source, steps
        self.drawn, self.over = 0, False
        self._pass: Iterator | None = None  # through the source; may last several epochs
        self._place = 0  # in this pass
        if steps is None and source.endless:
            raise ValueError(f"{source.name}: x has no end (num_batches is None); give the number of steps.")

    @property
    def number_of_steps(self) -> int | None:
        """Batches in an epoch, if that is known."""
        return self.source.number_of_batches if self.steps is None else self.steps

    def restart(self) -> None:
        """Let the next epoch begin with the first batch."""
        self._pass = None

    def __iter__(self) -> Iterator:
        source, self.drawn = self.source, 0
        source.on_epoch_begin()
        try:
            if self._pass is None or self.steps is None:
                self._pass, self._place = iter(source), 0
            while self.steps is None or self.drawn < self.steps:
                batch = next(self._pass, None)
                if batch is None:
                    self._come_to_the_end()
                    return
                self.drawn += 1
                self._place += 1
                yield batch
            if self._place == source.number_of_batches:
                self._pass = None
        finally:
            source.on_epoch_end()

    def _come_to_the_end(self) -> None:
        self._pass, self.over = None, not self.source.begins_anew
        if self._place == 0:
            raise ValueError(f"{self.source.name}: x gave no batch. {self.source.why_empty}")
        if self.steps is not None:
            warnings.warn(
                f"{self.source.name}: Your input ran out of data; interrupting training: it gave {self.drawn} of "
                f"steps={self.steps} batches. A generator must give steps_per_epoch * epochs of them.",
                stacklevel=5,
            )
