"""What no description of a model needs, refused before anything is made of it."""

from __future__ import annotations

from rnn_ref.interop.errors import UnsafeFile

DEPTH = 200
LARGEST = 1 << 40
# Numbers that memory or time grows with, beside those of weights, which the file must have itself.
LIMITS = {
    "num_thresholds": 100_000,
    "num_classes": 4096,
    "max_length": 1 << 24,
}


# Numbers that nothing grows with: seeds, states of generators, and what Keras numbers objects by.
FREE = ("seed", "state", "inc", "key", "shared_object_id")


def check_description(described, where: str) -> None:
    """Look at every number, and at how deeply it is nested.

    Raises
    ------
    UnsafeFile
        For numbers that would ask for more memory than any model has.
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
