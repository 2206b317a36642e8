"""The pages of the reference, one for each module; Sphinx reads the docstrings into them."""

from __future__ import annotations

import inspect
from pathlib import Path

from rnn_ref.documentation import public

FOLDER = "reference"


def summary(value) -> str:
    """The first paragraph of a docstring, in one line.

    Examples
    --------
    >>> summary(summary)
    'The first paragraph of a docstring, in one line.'
    """
    return " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())


def pages() -> dict[str, str]:
    """The pages in reStructuredText, by their names."""
    homes = public.homes()
    written = {}
    for path, title in public.TITLES.items():
        written[page_of(path)] = _module_page(path, title, homes)
    written["index"] = _index()
    return written


def write(folder: Path) -> None:
    """Write the pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / f"{name}.rst").write_text(text, encoding="utf-8")


def page_of(path: str) -> str:
    """The name of a module's page."""
    return f"rnn_ref.{path}" if path else "rnn_ref"


def _home(value, name: str, homes: dict[str, str]) -> str:
    return homes.get(public.defined(value, name), "")


def _heading(text: str, line: str = "=") -> list[str]:
    return [text, line * len(text), ""]


def _index() -> str:
    rows = [
        f"   * - :doc:`{title} <{page_of(path)}>`\n     - ``{page_of(path)}``" for path, title in public.TITLES.items()
    ]
    return "\n".join(
        [
            *_heading("Reference"),
            "Every public name, from its docstring. Sizes have the same letters everywhere: B samples, T time",
            "steps, F features, H units. What is not in this list may change without a word in the changelog.",
            "",
            ".. list-table::",
            "   :widths: 40 60",
            "",
            *rows,
            "",
            ".. toctree::",
            "   :hidden:",
            "",
            *(f"   {title} <{page_of(path)}>" for path, title in public.TITLES.items()),
            "",
        ]
    )


def _module_page(path: str, title: str, homes: dict[str, str]) -> str:
    classes: list = []
    functions: list = []
    others: list = []
    for name, value in public.values(path).items():
        place = _home(value, name, homes)
        kind = "class" if isinstance(value, type) else "func"
        if place == public.full(path, name):
            (classes if kind == "class" else functions).append((name, value))
        else:
            others.append((name, place, kind))
    lines = [*_heading(title), f".. module:: {page_of(path)}", ""]
    if path:
        lines += [inspect.getdoc(public.module(path)) or "", ""]
    if classes:
        lines += [".. list-table::", "   :widths: 30 70", ""]
        lines += [
            f"   * - :class:`{name} <{public.full(path, name)}>`\n     - {summary(value)}" for name, value in classes
        ]
        lines += [""]
    for name, _ in classes:
        lines += _class(public.full(path, name))
    for name, value in functions:
        lines += _function(public.full(path, name), value)
    if others:
        lines += [*_heading("Other names", "-"), ".. list-table::", "   :widths: 30 70", ""]
        lines += [f"   * - ``{name}``\n     - is :{kind}:`{place}`" for name, place, kind in others]
    return "\n".join(lines) + "\n"


def _function(place: str, value) -> list[str]:
    if inspect.isfunction(value):
        return [f".. autofunction:: {place}", ""]
    if callable(value):  # an activation
        text = ["", *(f"   {line}" for line in (inspect.getdoc(value) or "").split("\n"))]
        return [f".. py:function:: {place}{inspect.signature(value)}", *text, ""]
    return [f".. py:data:: {place}", "", f"   {type(value).__name__}", ""]


def _class(place: str) -> list[str]:
    return [
        f".. autoclass:: {place}",
        "   :members:",
        "   :exclude-members: Cell, written",
        "   :show-inheritance:",
        "",
    ]
