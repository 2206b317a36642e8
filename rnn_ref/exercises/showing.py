"""The source of what runs, as it stands in its file."""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path

from rnn_ref.jit import uncompiled


class Source:
    """What :func:`show` returns: text, and in a notebook coloured."""

    def __init__(self, place: str, code: str):
        self.place, self.code = place, code

    def __repr__(self) -> str:
        return f"# {self.place}\n{self.code}"

    def _repr_markdown_(self) -> str:
        return f"`{self.place}`\n```python\n{self.code}\n```"


def show(what) -> Source:
    """Show the source of a function, class or equation of rnn_ref.

    Parameters
    ----------
    what : function, class or method
        Also a compiled one.

    Returns
    -------
    Source

    Examples
    --------
    >>> from rnn_ref.equations import simple_rnn
    >>> show(simple_rnn.forward)
    # rnn_ref/equations/simple_rnn.py
    @equation
    def forward(z, activation):
        \"\"\"``z`` -> ``h``.\"\"\"
        h = activate(activation, z)
        return h
    """
    plain = uncompiled(what)
    path = Path(inspect.getsourcefile(plain))
    package = Path(__file__).parents[1]
    place = path.relative_to(package.parent).as_posix() if package in path.parents else path.name
    return Source(place, textwrap.dedent(inspect.getsource(plain)).rstrip())
