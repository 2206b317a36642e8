"""Measuring in turn, so that what else the machine does hits everyone alike; medians, spread, ratios."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from rnn_ref.bench.process import is_peer


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


def ratio(one: dict, other: dict) -> dict:
    """Of two measured in the same rounds: the ratios within each round."""
    return spread([a / b for a, b in zip(one["rounds"], other["rounds"], strict=True)])


def to_peers(times: dict[str, dict]) -> dict[str, dict]:
    """How many times as long as rnn_ref each peer took."""
    ours = times.get("rnn_ref")
    return {name: ratio(time, ours) for name, time in times.items() if is_peer(name)} if ours else {}


def best_peer(entry: dict, wanted: str = "") -> tuple[str, dict] | None:
    """The peer that took the shortest, of those whose names begin so, and how many times as long as rnn_ref."""
    ratios = {name: value for name, value in entry["ratios"].items() if name.startswith(wanted)}
    return min(ratios.items(), key=lambda pair: pair[1]["median"]) if ratios else None
