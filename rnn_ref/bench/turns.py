"""Measuring in turn, so that what else the machine does hits everyone alike; medians, spread, ratios."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median


def in_turn(runs: dict[str, Callable[[], float | None]], rounds: int) -> dict[str, dict]:
    """Everyone once in every round; those that answer None are left out.

    Returns
    -------
    dict
        By name: ``median``, ``least``, ``greatest`` of the rounds, and the ``rounds`` themselves.
    """
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, run in runs.items():
            found = run()
            if found is not None:
                seconds.setdefault(name, []).append(found)
    return {name: spread(values) for name, values in seconds.items()}


def spread(values: list[float]) -> dict:
    return {"median": median(values), "least": min(values), "greatest": max(values), "rounds": values}


def ratio(one: dict, other: dict) -> float:
    """Of two measured in the same rounds: the median of the ratios within a round."""
    return median(a / b for a, b in zip(one["rounds"], other["rounds"], strict=True))
