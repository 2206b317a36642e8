"""The results of a sweep on disk, a line of JSON each as they come: a sweep that is killed goes on where it was."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnn_ref.distribution.run import Outcome, Run


class Store:
    """Results by labels and seed, in a file that grows by a line at a time.

    The first line says which sweep they are of: the function, a hash of its source, and the grid. Seeds may be added.

    Raises
    ------
    ValueError
        If the file is of another sweep, or no store.
    """

    def __init__(self, path, train: Callable, grid: dict[str, list]):
        self.path = Path(path)
        self.found: dict[str, Outcome] = {}
        header = {"rnn_ref sweep": 1, "train": name_of(train), "source": _fingerprint(train), "grid": grid}
        lines = self._whole_lines() if self.path.exists() else []
        if lines:
            self._check(lines[0], header)
            for line in lines[1:]:
                if line.get("error") is None:  # those that failed are tried again
                    self.found[_key(line["point"], line["seed"])] = Outcome(line["result"], None)
        else:
            self._append(header)

    def get(self, run: Run) -> Outcome | None:
        """What a run gave before, unless it failed."""
        return self.found.get(_key(run.labels, run.seed))

    def add(self, run: Run, outcome: Outcome) -> None:
        """Write a line, through to the disk."""
        self._append({"point": run.labels, "seed": run.seed, **outcome._asdict()})

    def _append(self, line: dict) -> None:
        with self.path.open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _whole_lines(self) -> list[dict]:
        """What can be read; half a line at the end, written when the power failed, is cut off."""
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        try:
            lines = [json.loads(line) for line in whole.splitlines()]
        except ValueError:
            lines = [None]
        if any(not isinstance(line, dict) for line in lines) or (content and not whole and content[:1] != b"{"):
            raise ValueError(f"sweep: {self.path} is no store of a sweep; pass the path of another file.")
        if len(whole) < len(content):
            os.truncate(self.path, len(whole))
        return lines

    def _check(self, found: dict, header: dict) -> None:
        for what, told in (
            ("rnn_ref sweep", "the format"),
            ("train", "the function"),
            ("grid", "the grid"),
            ("source", "the source of the function"),
        ):
            if found.get(what) != header[what]:
                raise ValueError(
                    f"sweep: {self.path} was written by another sweep: {told} was {found.get(what)!r:.200}, is "
                    f"{header[what]!r:.200}; pass the path of a new file, or delete this one."
                )


def name_of(function: Callable) -> str:
    """Module and name."""
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__name__)}"


def _fingerprint(function: Callable) -> str | None:
    try:
        return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]
    except (OSError, TypeError):  # typed at a prompt, or no function
        return None


def _key(labels: dict[str, Any], seed: int) -> str:
    return json.dumps([labels, seed], sort_keys=True)
