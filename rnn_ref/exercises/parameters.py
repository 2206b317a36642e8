"""06: counting parameters."""

from __future__ import annotations

import numpy as np

from rnn_ref import layers
from rnn_ref.exercises.answers import Wrong, compare, function, parts, run
from rnn_ref.exercises.course import exercise, notebook
from rnn_ref.models import Sequential

notebook("06", "Counting parameters")
SIZES = ((5, 64), (3, 4), (1, 1), (300, 7))


def _count(layer, features: int) -> int:
    return Sequential([layers.Input((None, features)), layer]).count_params()


def _formula(answer, make, mistakes) -> None:
    """Hold a function of F and H against what layers have."""
    function(answer, "F", "H")
    for F, H in SIZES:
        shown = f"F={F}, H={H}"
        compare(
            run(answer, F, H, shown=shown),
            _count(make(H), F),
            f"with {shown} the number",
            {message: wrong(F, H) for message, wrong in mistakes.items()},
        )


@exercise("06.1", "the parameters of a SimpleRNN", "Three arrays: W is F × H, U is H × H, b has H numbers.")
def _simple_rnn(answer):
    _formula(
        answer,
        layers.SimpleRNN,
        {
            "the bias is missing: one number for each unit.": lambda F, H: F * H + H * H,
            "F and H have changed places: every unit sees F features and all H units.": lambda F, H: F * (F + H + 1),
            "the recurrent kernel is missing: every unit sees all H units of the step before.": lambda F, H: F * H + H,
            "the bias is counted twice: Keras's SimpleRNN has one.": lambda F, H: H * (F + H + 2),
        },
    )


@exercise("06.2", "the parameters of an LSTM", "A SimpleRNN's block for every gate and for the candidate.")
def _lstm(answer):
    _formula(
        answer,
        layers.LSTM,
        {
            "these are three blocks: the candidate has weights of its own, like the three gates.": (
                lambda F, H: 3 * H * (F + H + 1)
            ),
            "this is PyTorch's and cuDNN's count; Keras's LSTM has one bias for each gate.": (
                lambda F, H: 4 * H * (F + H + 2)
            ),
            "the biases are missing: each of the four blocks has H.": lambda F, H: 4 * H * (F + H),
            "one bias of H numbers is not enough: each of the four blocks has its own.": (
                lambda F, H: 4 * H * (F + H) + H
            ),
        },
    )


@exercise(
    "06.3",
    "the parameters of a GRU, with reset_after or without",
    "Three blocks; with reset_after each block has two biases, one beside W and one beside U.",
)
def _gru(answer):
    function(answer, "F", "H", "reset_after")
    for after in (True, False):
        for F, H in SIZES:
            shown = f"F={F}, H={H}, reset_after={after}"
            compare(
                run(answer, F, H, after, shown=shown),
                _count(layers.GRU(H, reset_after=after), F),
                f"with {shown} the number",
                {
                    "with reset_after the candidate's second bias is multiplied by r, and cannot be merged with the "
                    "first; Keras keeps two for each block.": 3 * H * (F + H + 1) if after else np.nan,
                    "without reset_after one bias for each block is left.": np.nan if after else 3 * H * (F + H + 2),
                    "only the candidate's second bias is counted; Keras keeps a second one for all three blocks.": (
                        3 * H * (F + H + 1) + H
                    ),
                    "these are four blocks; a GRU has update, reset and candidate.": 4 * H * (F + H + 1 + after),
                },
            )


@exercise(
    "06.4",
    "the parameters of a stack of bidirectional LSTMs",
    "A bidirectional layer has two LSTMs, and hands twice its units to the next layer as features.",
)
def _stack(answer):
    function(answer, "F", "units")

    def total(F, units, *, both=2, handed=2):
        number = 0
        for H in units:
            number += both * 4 * H * (F + H + 1)
            F = handed * H
        return number

    for F, units in ((5, (8,)), (16, (32, 32)), (3, (4, 6, 5))):
        stack = [layers.Bidirectional(layers.LSTM(H, return_sequences=True)) for H in units]
        compare(
            run(answer, F, list(units), shown=f"F={F}, units={list(units)}"),
            Sequential([layers.Input((None, F)), *stack]).count_params(),
            f"with F={F}, units={list(units)} the number",
            {
                "the next layer sees both directions: its features are twice the units below.": (
                    total(F, units, handed=1)
                ),
                "each layer is there twice, once for each direction.": total(F, units, both=1),
                "this is a stack with one direction.": total(F, units, both=1, handed=1),
                "only the first layer sees F features; the others see what the layer below hands them.": sum(
                    8 * H * (F + H + 1) for H in units
                ),
            },
        )


@exercise(
    "06.5",
    "the largest LSTM within a budget",
    "Solve 4H(F + H + 1) = budget for H, a quadratic equation, and round towards the side that stays within it.",
)
def _largest(answer):
    function(answer, "F", "budget")
    for F, budget in ((5, 20_000), (5, 17_920), (5, 17_919), (100, 1_000), (1, 12)):
        shown = f"F={F}, budget={budget}"
        H = run(answer, F, budget, shown=shown)
        if isinstance(H, bool) or not isinstance(H, int | np.integer):
            raise Wrong(f"with {shown} it returned {H!r}: a layer has a whole number of units, so return an int.")
        best = max(k for k in range(1, 200) if 4 * k * (F + k + 1) <= budget)
        if best < H:
            used = 4 * int(H) * (F + int(H) + 1)
            raise Wrong(f"with {shown}, {H} units have {used:,} parameters, more than allowed.")
        if best > H:
            used = 4 * best * (F + best + 1)
            raise Wrong(f"with {shown}, {H} is not the most: {best} units still have only {used:,} parameters.")


@exercise(
    "06.6",
    "the superfluous numbers of a GRU",
    "Add 1 to a gate's input bias, take 1 from its recurrent bias, call the layer before and after. "
    "`gru.gate_weights()['update'].bias` is a view, (2, H).",
)
def _superfluous(answer):
    gates, number = parts(answer, "the gates", "the number")
    if isinstance(gates, str) or not all(isinstance(gate, str) for gate in gates):
        raise Wrong('the gates should be names in a set, such as {"update"}.')
    gates, H = set(gates), 64
    gru = layers.GRU(H)
    x = np.random.default_rng(0).normal(size=(2, 6, 5)).astype("float32")
    before = gru(x)
    names = list(gru.gate_weights())
    if gates - set(names):
        raise Wrong(f"there is no gate {min(gates - set(names))!r}; there are {', '.join(names)}.")
    same = set()
    for name in names:
        bias = gru.gate_weights()[name].bias
        bias += np.array([[1], [-1]], "float32")
        if np.abs(gru(x) - before).max() < 1e-4:
            same.add(name)
        bias -= np.array([[1], [-1]], "float32")
    for name in sorted(gates - same):
        raise Wrong(f"moving 1 from one bias of {name} to the other changes the output: both are needed.")
    for name in sorted(same - gates):
        raise Wrong(f"{name} is missing: moving 1 from one of its biases to the other leaves the output as it is.")
    compare(
        number,
        len(same) * H,
        "with 64 units the number of superfluous parameters",
        {
            "of each of these gates only one bias is superfluous: their sum is needed.": 2 * len(same) * H,
            "the candidate's second bias is not superfluous: the reset gate multiplies it.": 3 * H,
            "this is the number of gates; each bias has H = 64 numbers.": len(same),
        },
    )
