"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_ref.bench.contenders.guide import MODELS
from rnn_ref.bench.contenders.problem import CASES, CELLS


@dataclass(frozen=True)
class Settings:
    """Sizes and repetitions; a case is ``(batch, time, features, units)``."""

    rounds: int = 5
    processes: int = 5  # of each contender in `cases` and `random`, one after the other
    rounds_each: int = 3  # in each of these
    seconds: float = 0.1  # of measuring in each turn
    cells: tuple[str, ...] = tuple(CELLS)
    cases: tuple[tuple[int, int, int, int], ...] = CASES
    random: int = 12  # cells and cases drawn
    seed: int = 0
    sizes: tuple[int, ...] = (1 << 16, 1 << 30)  # operations of a forward pass of those, at least and at most
    product: int = 1536  # rows and columns of the matrices whose product gives the machine's peak
    variants: tuple[tuple[int, int, int, int], ...] = ((32, 100, 32, 64), (32, 100, 128, 128))
    models: tuple[str, ...] = tuple(MODELS)
    epochs: int = 10
    fits: int = 3  # rounds of so many epochs
    starts: int = 3
    start_with: str = "LSTM"  # the model of the guide
    scaling: tuple[int, int, int, int] = (32, 100, 128, 128)
    factors: tuple[int, ...] = (1, 2, 4, 8)  # of batch, time and units in turn
    batches: tuple[int, ...] = tuple(range(1, 49))  # that `cliffs` walks along
    units: tuple[int, ...] = tuple(range(8, 301, 4))
    memory: tuple[tuple[int, int, int, int], ...] = ((32, 250, 128, 128), (32, 1000, 128, 128), (32, 4000, 128, 128))


QUICK = Settings(
    rounds=2,
    processes=1,
    rounds_each=2,
    seconds=0.005,
    cases=((3, 9, 2, 17),),
    random=2,
    sizes=(1 << 12, 1 << 16),
    product=64,
    variants=((3, 9, 2, 17),),
    models=("LSTM", "Bidirectional"),
    epochs=1,
    fits=2,
    starts=1,
    start_with="SimpleRNN",
    scaling=(2, 3, 4, 5),
    factors=(1, 2),
    batches=(1, 2, 3, 4, 5),
    units=(8, 12, 16, 20, 24),
    memory=((2, 3, 4, 5), (2, 9, 4, 5)),
)
