"""Dropout on several ranks: what layers draw is each rank's own, what orders the samples is the same on all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from rnn_ref import random
from rnn_ref.models.resuming import generators_of


class OwnDraws:
    """Generators of random numbers that stand in for those of the package and of layers while a step is computed.

    They begin from what the generator was at the start of training and the number of the rank, so that the same seed
    and the same number of ranks give the same draws. The package's own goes on as if no layer had drawn.

    Parameters
    ----------
    model : Model
    rank : int
    """

    def __init__(self, model, rank: int):
        self._model = model
        self.states = [self._begin(generator, rank) for generator in self._generators()]

    def _generators(self) -> list[np.random.Generator]:
        ours = random.generator()
        return [ours, *(generator for generator in generators_of(self._model) if generator is not ours)]

    @staticmethod
    def _begin(generator: np.random.Generator, rank: int) -> dict:
        described = hashlib.sha256(repr(random.to_config(generator)).encode()).digest()
        seed = np.random.SeedSequence(int.from_bytes(described), spawn_key=(rank,))
        return type(generator.bit_generator)(seed).state

    @contextmanager
    def taken(self) -> Iterator[None]:
        """What is drawn inside is this rank's."""
        generators = self._generators()
        before = [generator.bit_generator.state for generator in generators]
        for generator, state in zip(generators, self.states):
            generator.bit_generator.state = state
        try:
            yield
        finally:
            self.states = [generator.bit_generator.state for generator in generators]
            for generator, state in zip(generators, before):
                generator.bit_generator.state = state
