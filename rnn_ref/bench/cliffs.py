"""Part ``cliffs``: sizes that take rnn_ref longer than their neighbours let expect.

Batch, then units, grow in small steps. Between neighbours the time grows about as a line does; what stands out above
the line through those on both sides is a cliff: a size where rows, tiles or threads are cut badly.
"""

from __future__ import annotations

from itertools import combinations, product
from statistics import median

from rnn_ref.bench.contenders.problem import Problem
from rnn_ref.bench.process import CONTENDERS, Process
from rnn_ref.bench.settings import Settings

AXES = ("batch", "units")
BATCH, TIME, UNITS = 16, 20, 64  # of the others meanwhile; as many features as units
NEAR = 2  # neighbours on each side
LIMIT = 1.4


def run(names: list[str], settings: Settings, say=print) -> list[dict]:
    """For each ``cell``, ``what`` and ``axis``: the ``points``, sizes and seconds, and those that are ``cliffs``.

    Each size is measured in several processes, and its least time counts: what disturbs only ever adds to it.
    """
    times: dict[tuple, list[float]] = {}
    for _ in range(settings.processes):
        with Process(CONTENDERS["rnn_ref"]) as process:
            for cell in settings.cells:
                for axis in AXES:
                    for size in settings.batches if axis == "batch" else settings.units:
                        B, H = (size, UNITS) if axis == "batch" else (BATCH, size)
                        for what in ("infer", "train"):
                            seconds = process.ask("layer", Problem(cell, B, TIME, H, H), what, settings.seconds / 4)
                            times.setdefault((cell, what, axis, size), []).append(seconds["seconds"])
    walks: dict[tuple, list[tuple]] = {}
    for (*walk, size), seconds in times.items():
        walks.setdefault(tuple(walk), []).append((size, min(seconds)))
    results = []
    for (cell, what, axis), points in walks.items():
        found = cliffs(points)
        results.append({"cell": cell, "what": what, "axis": axis, "points": points, "cliffs": found})
        shown = ", ".join(f"{size} x{over:.2f}" for size, over in found) or "none"
        say(f"{cell:9s} {what:5s} along {axis}, {len(points)} sizes; cliffs: {shown}")
    return results


def cliffs(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Sizes that take more than LIMIT times what lines through pairs of neighbours predict, and how many times.

    The median of the lines: a neighbour that is a cliff itself decides nothing. At an end three on one side
    take their place.

    >>> cliffs([(1, 1.0), (2, 2.0), (3, 6.0), (4, 4.0), (5, 5.0)])
    [(3, 2.0)]
    """
    found = []
    for k, (size, seconds) in enumerate(points):
        before, after = points[max(0, k - NEAR) : k], points[k + 1 : k + 1 + NEAR]
        pairs = [*product(before, after)] or [*combinations(points[1:4] if k == 0 else points[k - 3 : k], 2)]
        predicted = median((a * (right - size) + b * (size - left)) / (right - left) for (left, a), (right, b) in pairs)
        if seconds > LIMIT * predicted > 0:
            found.append((size, seconds / predicted))
    return found
