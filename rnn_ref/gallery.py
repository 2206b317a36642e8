"""The gallery: a page whose code is run, and whose pictures stand under the code that made them.

The page is ``gallery.md``. A block that begins with ```` ```python NAME.png ```` makes a picture: its last line is the
figure. All others prepare, and everything shares one set of names, as in a notebook.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).with_name("gallery.md")
BLOCK = re.compile(r"^```python *(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LONGEST = 5  # lines that make a picture


@dataclass(frozen=True)
class Block:
    """Code on the page; ``picture`` is the name of a file, or empty."""

    picture: str
    code: str
    line: int


def blocks(page: str) -> list[Block]:
    """The code of a page, in order.

    Raises
    ------
    ValueError
        If a picture's code is too long, or two pictures have one name.
    """
    found = [Block(m[1], m[2], page.count("\n", 0, m.start()) + 2) for m in BLOCK.finditer(page)]
    names = [block.picture for block in found if block.picture]
    for block in found:
        if block.picture and block.code.count("\n") > LONGEST:
            raise ValueError(f"gallery: the code of {block.picture} has more than {LONGEST} lines.")
        if block.picture and names.count(block.picture) > 1:
            raise ValueError(f"gallery: two pictures are named {block.picture}.")
    return found


def execute(block: Block, names: dict):
    """Run a block; the value of its last line, if that is an expression."""
    tree = ast.parse(block.code, filename=str(PAGE))
    ast.increment_lineno(tree, block.line - 1)  # so that a traceback names the line of the page
    final = tree.body[-1]
    last = final.value if isinstance(final, ast.Expr) else None
    if last is not None:
        tree.body.pop()
    exec(compile(tree, str(PAGE), "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last), str(PAGE), "eval"), names)


def rendered(page: str, alts: dict[str, str]) -> str:
    """The page with every picture under its code."""

    def with_picture(match: re.Match) -> str:
        name, code = match[1], match[2]
        shown = f"```python\n{code}```"
        return f"{shown}\n\n![{alts[name]}]({name})" if name else shown

    return BLOCK.sub(with_picture, page)


def run(out: Path) -> list[Path]:
    """Run the page: write its pictures and ``README.md`` into a folder.

    Parameters
    ----------
    out : Path

    Returns
    -------
    list of Path
        The pictures.
    """
    from matplotlib.figure import Figure
    from tqdm.auto import tqdm

    from rnn_ref.plotting import figure_alt

    out.mkdir(parents=True, exist_ok=True)
    page = PAGE.read_text(encoding="utf-8")
    names: dict = {"__name__": "gallery"}
    alts: dict[str, str] = {}
    with tqdm(blocks(page), unit="block", desc="figures", disable=None) as bar:
        for block in bar:
            bar.set_description(block.picture or "training")
            figure = execute(block, names)
            if not block.picture:
                continue
            if not isinstance(figure, Figure):
                raise TypeError(f"gallery: the last line of {block.picture} is no figure, but {figure!r}.")
            figure.savefig(out / block.picture)
            alts[block.picture] = figure_alt(figure).replace("[", "(").replace("]", ")").replace("\n", " ")
    (out / "README.md").write_text(rendered(page, alts), encoding="utf-8")
    return [out / name for name in alts]
