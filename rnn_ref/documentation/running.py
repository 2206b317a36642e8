"""Pages whose code is run: what it prints and draws is what the page shows.

All blocks of Python on a page are run in one set of names. If a block of text follows, that is what the code prints
(``...`` stands for anything). A block that begins with "python NAME.png" ends in a figure, which stands below the code
on the page that is built; one that begins with "python LIBRARY" is run only if that library is installed, and one that
begins with "python slow" only when the documentation is built.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BLOCK = re.compile(
    r"^```python *(?P<info>\S*)\n(?P<code>.*?)^```$(?:\n+```text\n(?P<printed>.*?)^```$)?", re.MULTILINE | re.DOTALL
)
LIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class WrongPage(AssertionError):
    """A page shows something other than what its code does."""


def missing(text: str) -> list[str]:
    """The libraries that blocks of a page need and that are not there."""
    needed = {match["info"] for match in BLOCK.finditer(text)} - {"", "slow"}
    return sorted(name for name in needed if not name.endswith(".png") and find_spec(name) is None)


def run(page: Path, folder: Path, *, slow: bool = False) -> str:
    """Run the code of a page; pictures and files that it writes go into a folder, which is the current one meanwhile.

    Parameters
    ----------
    page : Path
        A page of Markdown.
    folder : Path
    slow : bool
        Whether to run blocks that begin with "python slow", too.

    Returns
    -------
    str
        The page, with every picture below the code that made it.

    Raises
    ------
    WrongPage
        If a block prints something other than the page says, or does not end in a figure where it should.
    """
    text = page.read_text(encoding="utf-8")
    names: dict = {"__name__": page.stem}

    def with_picture(match: re.Match) -> str:
        info, code = match["info"], match["code"]
        if not slow if info == "slow" else info and not info.endswith(".png") and find_spec(info) is None:
            return match[0].replace(f"python {info}", "python", 1)
        line = text.count("\n", 0, match.start()) + 1
        value, printed = _execute(code, names, page, line)
        if match["printed"] is not None and not doctest.OutputChecker().check_output(match["printed"], printed, LIKE):
            raise WrongPage(f"{page}, line {line}: the page says\n{match['printed']}\nbut this is printed:\n{printed}")
        if not info.endswith(".png"):
            return match[0].replace(f"python {info}", "python", 1) if info else match[0]
        from rnn_ref.plotting import figure_alt

        if not hasattr(value, "savefig"):
            raise WrongPage(f"{page}, line {line}: the last line of {info} is no figure, but {value!r:.80}")
        if Path(info).exists():
            raise WrongPage(f"{page}, line {line}: another page has a picture {info}; give this one another name.")
        value.savefig(info)
        alt = figure_alt(value).replace("[", "(").replace("]", ")").replace("\n", " ")
        return f"```python\n{code}```\n\n![{alt}]({info})"

    with _inside(folder):
        return BLOCK.sub(with_picture, text)


def _execute(code: str, names: dict, page: Path, line: int) -> tuple[Any, str]:
    """The value of the last line, if that is an expression, and what was printed."""
    tree = ast.parse(code, filename=str(page))
    ast.increment_lineno(tree, line)  # so that a traceback names the line of the page
    final = tree.body[-1]
    last = final.value if isinstance(final, ast.Expr) else None
    if last is not None:
        tree.body.pop()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, str(page), "exec"), names)
        value = None if last is None else eval(compile(ast.Expression(last), str(page), "eval"), names)
    return value, printed.getvalue()


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
