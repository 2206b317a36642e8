"""One HTML file that shows a picture for every position of its sliders, with neither a kernel nor a network.

Everything is in the file: styles, script, and the frames. Frames are markup (SVG, or a table) of which most lines are
the same from one to the next, so each line is stored once, and all of it compressed: a frame takes some kilobytes,
and is sharp at every size. Without JavaScript the page shows its first frame, and what all of them show in words.
"""

from __future__ import annotations

import json
import os
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from rnn_ref.page_parts import SCRIPT, STYLE
from rnn_ref.writing import replacing

LARGEST = 3_000_000  # bytes: what can still be sent by mail and opened on a telephone
# The browser itself refuses to load anything into the page.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


@dataclass(frozen=True)
class Control:
    """A slider, or a list to choose from.

    Attributes
    ----------
    label : str
    values : tuple of str
        What each position is called.
    start : int
        The position to begin with.
    choice : bool
        A list instead of a slider.
    plays : int
        1 or -1: there is a button that moves it forwards or backwards by itself; 0: there is none.
    only : tuple of (int, int), or None
        It matters only while the control of this number has this position.
    """

    label: str
    values: tuple[str, ...]
    start: int = 0
    choice: bool = False
    plays: int = 0
    only: tuple[int, int] | None = None


@dataclass(frozen=True)
class Frame:
    """What one position shows: markup, and the same in words."""

    markup: str
    words: str


def save_page(
    path,
    frames: Mapping[tuple[int, ...], Frame],
    controls: list[Control],
    *,
    title: str,
    where: str,
    advice: str,
    picture: bool = True,
) -> Path:
    """Write a page with its controls.

    Parameters
    ----------
    path : str or Path
        A file that is there is replaced, at once.
    frames : dict of tuple of int to Frame
        By the positions of all controls; the same Frame may stand at several.
    controls : list of Control
    title : str
    where, advice : str
        For the error if the page is too large: who writes it, and what to leave out.
    picture : bool
        The markup is a picture, read out as its words; else it is text, which reads itself.

    Returns
    -------
    Path

    Raises
    ------
    TypeError
        If the path is none.
    ValueError
        If the file would have more than 3 MB; nothing is written.
    OSError
        If it cannot be written; what was there is untouched.
    """
    if not isinstance(path, str | os.PathLike) or not str(path):
        raise TypeError(f"{where}: path must be the name of a file, such as 'page.html'; got {path!r}.")
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{where}: {path} is a folder; give the name of a file in it, such as 'page.html'.")
    page = _page(frames, controls, title, picture).encode()
    if len(page) > LARGEST:
        raise ValueError(
            f"{where}: the page would have {len(page) / 1e6:.1f} MB, and at most {LARGEST / 1e6:.0f} are written; "
            f"{advice}. Nothing was written."
        )
    with replacing(path) as file:
        file.write(page)
    return path


def _page(frames: Mapping[tuple[int, ...], Frame], controls: list[Control], title: str, picture: bool) -> str:
    different = list(dict.fromkeys(frames.values()))
    numbers = {frame: k for k, frame in enumerate(different)}
    first = frames[tuple(control.start for control in controls)]
    role = f'role="img" aria-label="{escape(first.words)}"' if picture else 'role="group" aria-label="equations"'
    shown = escape(", ".join(f"{control.label} {control.values[control.start]}" for control in controls))
    still = f"This page stands still, at {shown}: it moves with JavaScript, in browsers from 2023 on."
    items = "\n".join(f"<li>{escape(frame.words)}</li>" for frame in different)
    places = {",".join(map(str, place)): numbers[frame] for place, frame in frames.items()}
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<form id="controls" aria-label="controls" hidden>
{"".join(_control(k, control) for k, control in enumerate(controls))}</form>
<p class="note" id="still"{"" if controls else " hidden"}>{still}</p>
<figure>
<div id="stage" class="{"picture" if picture else "text"}" {role} tabindex="0">
{first.markup}
</div>
<figcaption id="words">{escape(first.words)}</figcaption>
</figure>
<details><summary>All of it in words</summary>
<ol id="all">
{items}
</ol></details>
</main>
<script type="text/plain" id="data">{_packed(different, places)}</script>
<script>{SCRIPT}</script>
</body>
</html>
"""


def _control(k: int, control: Control) -> str:
    name, label = f"control-{k}", escape(control.label)
    only = "" if control.only is None else f' data-only="{control.only[0]},{control.only[1]}"'
    values = escape(json.dumps(control.values))
    if control.choice:
        options = "".join(
            f'<option value="{n}"{" selected" if n == control.start else ""}>{escape(value)}</option>'
            for n, value in enumerate(control.values)
        )
        return (
            f'<div><label for="{name}">{label}</label><select id="{name}" data-control{only}>{options}</select></div>\n'
        )
    play = f'<button type="button" id="play" data-by="{control.plays}">▶ Play</button>' if control.plays else ""
    return (
        f'<div><label for="{name}">{label}</label>{play}<input type="range" id="{name}" min="0" '
        f'max="{len(control.values) - 1}" step="1" value="{control.start}" data-values="{values}" '
        f'data-control{only} autocomplete="off"><output for="{name}">{escape(control.values[control.start])}</output>'
        "</div>\n"
    )


def _packed(frames: list[Frame], places: dict[str, int]) -> str:
    """Every line once; a frame is the numbers of its lines."""
    lines: dict[str, int] = {}
    numbered = [[lines.setdefault(line, len(lines)) for line in frame.markup.split("\n")] for frame in frames]
    data = json.dumps({"lines": list(lines), "frames": numbered, "places": places}, separators=(",", ":"))
    return b64encode(zlib.compress(data.encode(), 9)).decode()
