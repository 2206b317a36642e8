"""13: how it is fast."""

from __future__ import annotations

import numpy as np

from rnn_ref.exercises.answers import Unanswered, Wrong, compare, function, run
from rnn_ref.exercises.course import exercise, notebook
from rnn_ref.exercises.threads import Launch, launch

notebook("13", "How it is fast")


@exercise("13.1", "the work of a step", "Two operations for each weight and row: 2 * B * 4H * (F + H).")
def _work(answer):
    function(answer, "B", "F", "H")
    for B, F, H in ((1, 5, 64), (32, 3, 8)):
        work = 2 * B * 4 * H * (F + H)
        shown = f"B={B}, F={F}, H={H}"
        compare(
            run(answer, B, F, H, shown=shown),
            work,
            f"with {shown} the number",
            {
                "a multiplication and an addition are two operations.": work / 2,
                "each row of the batch is work of its own.": work / B if B > 1 else np.nan,
                "an LSTM has four blocks.": work / 4,
                "the product with U is missing.": 2 * B * 4 * H * F,
            },
        )


@exercise(
    "13.2",
    "operations for each byte",
    "Work over bytes: 4 bytes for each number of W and U (once), x (B, F), h (B, H) and z (B, 4H).",
)
def _intensity(answer):
    function(answer, "B", "F", "H")
    for B, F, H in ((1, 5, 64), (64, 5, 64)):
        work, weights, rows = 2 * B * 4 * H * (F + H), 4 * H * (F + H), B * (F + H + 4 * H)
        shown = f"B={B}, F={F}, H={H}"
        compare(
            run(answer, B, F, H, shown=shown),
            work / (4 * (weights + rows)),
            f"with {shown} the ratio",
            {
                "a number has 4 bytes: this is operations for each number.": work / (weights + rows),
                "weights are read once for the whole batch, not once for each row.": (
                    work / (4 * (B * weights + rows)) if B > 1 else np.nan
                ),
                "x, h and z are read or written, too.": work / (4 * weights),
                "it is upside down: operations over bytes.": 4 * (weights + rows) / work,
            },
        )


def _launched(answer, threads: int, out: dict, **given) -> Launch:
    function(answer, "t", *given, *out)
    try:
        found = launch(answer, threads, out, **given)
    except Wrong:
        raise
    except Exception as error:
        raise Wrong(f"a thread raised {type(error).__name__}: {error}.") from None
    if not any(memory.writes for memory in found.memory.values()):
        raise Unanswered
    return found


@exercise(
    "13.3",
    "the cell's update, a thread for each number",
    "b, k = divmod(t, H) with H = f.shape[1]; if b < f.shape[0]: c[b, k] = f[b, k] * c_prev[b, k] + i[b, k] * g[b, k].",
)
def _update(answer):
    rng = np.random.default_rng(13)
    B, H = 3, 4
    f, c_prev, i, g = rng.random((4, B, H))
    found = _launched(answer, 16, {"c": np.zeros((B, H))}, f=f, c_prev=c_prev, i=i, g=g)  # 16 threads for 12 numbers
    compare(
        found.memory["c"].values,
        f * c_prev + i * g,
        "c",
        {
            "the old cell is not carried over: f * c_prev is missing.": i * g,
            "what is written is g without its gate.": f * c_prev + g,
        },
    )
    if (found.touched("c", "writes").sum(axis=1) > 1).any():
        raise Wrong("a thread writes several numbers: one each.")


@exercise(
    "13.4",
    "a product, a thread for each number of the result",
    "b, k = divmod(t, U.shape[1]); total = 0; for j in range(U.shape[0]): total += h[b, j] * U[j, k]; z[b, k] = total.",
)
def _product(answer):
    rng = np.random.default_rng(14)
    h, U = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    found = _launched(answer, 10, {"z": np.zeros((2, 4))}, h=h, U=U)  # 10 threads for 8 numbers
    compare(
        found.memory["z"].values,
        h @ U,
        "z",
        {
            "only the last term is kept: add them up, then write.": np.outer(h[:, -1], U[-1]),
            "the first term is missing.": h[:, 1:] @ U[1:],
        },
    )
    if len(found.memory["z"].writes) > 8:
        raise Wrong("z is written in every round: add up in a variable, which is a register, and write once.")


@exercise(
    "13.5",
    "neighbours read neighbours",
    "In (B, H) neighbours in memory have the same row. So the unit must run fastest: b, k = divmod(t, H).",
)
def _coalesced(answer):
    x = np.arange(12.0).reshape(3, 4)
    found = _launched(answer, 12, {"y": np.zeros((3, 4))}, x=x)
    compare(
        found.memory["y"].values, np.tanh(x), "y", {"tanh is missing.": x, "this is the transpose's order.": np.nan}
    )
    places = found.touched("x").argmax(axis=1)
    jumps = int((np.diff(places) != 1).sum())
    if jumps:
        raise Wrong(
            f"right, but slow: {jumps} of 11 threads read another place than the one after their neighbour's, and each "
            "such read is a transfer of its own. Let the last index run fastest."
        )
