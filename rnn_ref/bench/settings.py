"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_ref.bench.contenders.guide import MODELS
from rnn_ref.bench.contenders.problem import CASES, CELLS


@dataclass(frozen=True)
class Settings:
    """Sizes and repetitions; a case is ``(batch, time, features, units)``."""

    rounds: int = 5
    seconds: float = 0.1  # of measuring in each turn
    cells: tuple[str, ...] = tuple(CELLS)
    cases: tuple[tuple[int, int, int, int], ...] = CASES
    product: int = 1536  # rows and columns of the matrices whose product gives the machine's peak
    variants: tuple[tuple[int, int, int, int], ...] = ((32, 100, 32, 64), (32, 100, 128, 128))
    models: tuple[str, ...] = tuple(MODELS)
    epochs: int = 10
    fits: int = 3  # rounds of so many epochs
    starts: int = 3
    start_with: str = "LSTM"  # the model of the guide
    scaling: tuple[int, int, int, int] = (32, 100, 128, 128)
    factors: tuple[int, ...] = (1, 2, 4, 8)  # of batch, time and units in turn
    memory: tuple[tuple[int, int, int, int], ...] = ((32, 250, 128, 128), (32, 1000, 128, 128), (32, 4000, 128, 128))


QUICK = Settings(
    rounds=2,
    seconds=0.005,
    cases=((3, 9, 2, 17),),
    product=64,
    variants=((3, 9, 2, 17),),
    models=("LSTM", "Bidirectional"),
    epochs=1,
    fits=2,
    starts=1,
    start_with="SimpleRNN",
    scaling=(2, 3, 4, 5),
    factors=(1, 2),
    memory=((2, 3, 4, 5), (2, 9, 4, 5)),
)
