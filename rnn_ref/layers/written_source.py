"""Cells written as equations in configurations: as their source, which is for people to read and never run."""

from __future__ import annotations

import ast

KEY = "equations"
LONGEST = 4000  # the most characters of a source that an error shows


def source_of(kind: type) -> str | None:
    """The equations of a layer or cell made by :func:`rnn_ref.cell`, without comments; None for other classes.

    Examples
    --------
    >>> import rnn_ref
    >>> print(source_of(rnn_ref.zoo.JANET))
    @rnn_ref.cell(gates={'f': 'forget', 'c': 'candidate'}, states=('hidden',))
    def JANET(z_f, z_c, h_prev, beta=1.0):
        f = sigmoid(z_f)
        g = tanh(z_c)
        h = f * h_prev + (1 - sigmoid(z_f - beta)) * g
        return h
    """
    written = getattr(getattr(kind, "Cell", kind), "equations", None)
    if not hasattr(written, "lines"):
        return None
    gates = {part.letter: part.name for part in written.parts}
    arguments = ast.unparse(ast.parse(written.text).body[0].args)
    lines = [f"{line.symbol} = {ast.unparse(line.expression)}" for line in written.lines]
    return "\n".join(
        [
            f"@rnn_ref.cell(gates={gates}, states={tuple(written.states)})",
            f"def {written.name}({arguments}):",
            *(f"    {line}" for line in [*lines, f"return {', '.join(written.states.values())}"]),
        ]
    )


def check_source(kind: type, entry: dict) -> None:
    """Raise if the equations of a class differ from those in a description.

    Raises
    ------
    ValueError
        Which shows both.
    """
    there, own = entry.get(KEY), source_of(kind)
    if there is not None and own is not None and there != own:
        raise ValueError(
            f"{entry['class_name']}: its equations are not those that were written down.\nThere:\n{there:.{LONGEST}}\n"
            f"Here:\n{own}"
        )


def asked_for(entry: dict) -> str:
    """The message for a file with a cell that the program does not have."""
    there = entry.get(KEY)
    if not isinstance(there, str):
        return ""
    return f" It was written as these equations; if you trust them, copy them into your program:\n{there:.{LONGEST}}"
