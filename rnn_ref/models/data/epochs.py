"""A source of batches, epoch by epoch."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator

from rnn_ref import random


class Epochs:
    """Each iteration is one epoch; with ``steps``, the next one continues where this one ended.

    Parameters
    ----------
    source : ArrayBatches, IndexedBatches or IterableBatches
    steps : int, optional
        Batches in an epoch; by default all of the source's.

    Attributes
    ----------
    drawn : int
        The number of batches in the last epoch.
    over : bool
        Whether no more batches will come because a generator is exhausted.
    """

    def __init__(self, source, steps: int | None = None):
        self.source, self.steps = source, steps
        self.drawn, self.over = 0, False
        self._pass: Generator | None = None  # over the source; may last several epochs
        self._place = 0  # in this pass
        self._passes = 0  # so far, this one included
        self._start: dict | None = None  # the state of the package's generator at the start of this pass
        self._rejoined = False
        if steps is None and source.endless:
            raise ValueError(f"{source.name}: x has no end (num_batches is None); give the number of steps.")

    @property
    def number_of_steps(self) -> int | None:
        """The number of batches in an epoch, if it is known."""
        return self.source.number_of_batches if self.steps is None else self.steps

    def restart(self) -> None:
        """Let the next epoch start with the first batch."""
        self._pass = None

    def close(self) -> None:
        """No batch is wanted any more: whatever makes them ahead of time ends."""
        if self._pass is not None:
            self._pass.close()
            self._pass = None
        self.source.close()

    def __iter__(self) -> Iterator:
        source = self.source
        if self._rejoined:
            self._rejoined = False
        else:
            self.drawn = 0
            source.on_epoch_begin()
        try:
            if self._pass is None or (self.steps is None and self.drawn == 0):
                self._begin_pass()
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

    def _begin_pass(self) -> None:
        self._start = random.to_config(random.generator())
        self._place, self._passes = 0, self._passes + 1
        self.source.begin_pass(self._passes)
        self._pass = iter(self.source)

    def position(self) -> dict:
        """The current position in the source, for :meth:`rejoin` in another process."""
        place = 0 if self._pass is None else self._place
        return {"start": self._start, "place": place, "passes": self._passes, "batches": self.number_of_steps}

    def rejoin(self, position: dict, drawn: int):
        """Go to the position of another process: ``drawn`` batches into an epoch.

        Earlier batches are drawn again, with the random generator in its state of that time, and skipped; afterwards
        the package's generator is in its previous state.

        Returns
        -------
        tuple or None
            The last batch that was skipped.

        Raises
        ------
        ValueError
            If the source has a different number of batches.
        """
        if position["batches"] != self.number_of_steps:
            raise ValueError(
                f"{self.source.name}: the training to go on with had {position['batches']} batches an epoch, these "
                f"data have {self.number_of_steps}."
            )
        now, generator = random.to_config(random.generator()), random.generator()
        if drawn:
            self.source.on_epoch_begin()
        last = None
        if position["passes"] and position["start"] is not None:
            if self.source.number_of_batches is None and self.source.begins_anew and not self.source.endless:
                for _ in range(position["passes"] - 1 if position["place"] else position["passes"]):
                    for _ in self.source:  # a generator whose batches are kept
                        pass
            generator.bit_generator.state = random.from_config(position["start"]).bit_generator.state
            if position["place"]:
                self._passes = position["passes"] - 1
                self._begin_pass()
            for _ in range(position["place"]):
                last = next(self._pass, None)
                if last is None:
                    raise ValueError(f"{self.source.name}: the data end before the batch to go on with.")
            self._place = position["place"]
        self._passes, self.drawn, self._rejoined = position["passes"], drawn, drawn > 0
        generator.bit_generator.state = random.from_config(now).bit_generator.state
        return last

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
