"""Refuses what no description of a model needs, before anything is made from it."""

from __future__ import annotations

from rnn_ref.interop.errors import UnsafeFile

DEPTH = 200
LARGEST = 1 << 40
# Numbers that memory or time grows with, apart from those of weights, which must be in the file.
LIMITS = {
    "num_thresholds": 100_000,
    "num_classes": 4096,
    "max_length": 1 << 24,
}


# Numbers that nothing grows with: seeds, states of generators, and Keras's numbers of objects.
FREE = ("seed", "state", "inc", "key", "shared_object_id")


def check_description(described, where: str) -> None:
    """Check every number, and the depth of nesting.

    Raises
    ------
    UnsafeFile
        For numbers that would need more memory than any model does.
    """
    waiting = [("", described, 0)]
    while waiting:
        name, entry, depth = waiting.pop()
        if depth > DEPTH:
            raise UnsafeFile(f"{where}: is nested more than {DEPTH} times.")
        if isinstance(entry, dict):
            waiting += [(key, inner, depth + 1) for key, inner in entry.items()]
        elif isinstance(entry, list):
            waiting += [(name, inner, depth + 1) for inner in entry]
        elif isinstance(entry, int) and name not in FREE and abs(entry) > LIMITS.get(name, LARGEST):
            raise UnsafeFile(f"{where}: {name}={entry} is larger than any model needs.")
