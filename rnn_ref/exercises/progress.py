"""Which exercises were answered: a small JSON file in the user's data folder, and nowhere else.

The environment variable ``RNN_REF_PROGRESS`` names another file.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

VARIABLE = "RNN_REF_PROGRESS"


def file() -> Path:
    """Where progress is kept."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return folder / "rnn_ref" / "progress.json"


def read() -> dict[str, dict]:
    """``{"06.1": {"right": True, "tries": 3}}``; empty if nothing has been answered.

    Raises
    ------
    ValueError
        If the file is not one that was written here.
    """
    path = file()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    if not text:  # as of os.devnull
        return {}
    try:
        kept = json.loads(text)
        if all(isinstance(entry["right"], bool) and isinstance(entry["tries"], int) for entry in kept.values()):
            return kept
    except (ValueError, AttributeError, KeyError, TypeError):
        pass
    raise ValueError(
        f"{path} does not hold the progress of exercises; move it away, or set {VARIABLE} to another file."
    )


def note(number: str, *, right: bool) -> str:
    """Count a try. An exercise once right stays so, and more tries are not counted.

    Returns
    -------
    str
        Empty, or why it could not be written down.
    """
    try:
        kept = read()
        entry = kept.setdefault(number, {"right": False, "tries": 0})
        if not entry["right"]:
            entry["tries"] += 1
            entry["right"] = right
            path = file()
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_file() or not path.exists():
                beside = path.with_name(f"{path.name}.{os.getpid()}")  # never half written
                beside.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
                os.replace(beside, path)
    except (OSError, ValueError) as error:
        return f" (Your progress was not kept: {error})"
    return ""


def table(titles: dict[str, str], exercises) -> str:
    """A line a notebook: which of its exercises were answered."""
    kept = read()
    lines, done = [], 0
    width = max(map(len, titles.values()), default=0)
    for notebook, title in sorted(titles.items()):
        numbers = sorted(number for number in exercises if number.startswith(f"{notebook}."))
        right = [kept.get(number, {}).get("right", False) for number in numbers]
        done += sum(right)
        marks = "".join("■" if each else "□" for each in right)
        lines.append(f"{notebook}  {title:<{width}}  {marks:<8}{sum(right)} of {len(right)}")
    return "\n".join([*lines, "", f"{done} of {len(exercises)} exercises answered; kept in {file()}"])
