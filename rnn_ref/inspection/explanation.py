"""An explained step: text, formulas, and a page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from rnn_ref.equations.reading import Equation
from rnn_ref.inspection.expressions import Writer
from rnn_ref.page import Control, Frame, save_page

WRITTEN_OUT = 3  # the most products of a sum that are shown


@dataclass(frozen=True, repr=False)
class Explanation:
    """What :func:`explain_step` returns; printed, it is the text, and in a notebook the formulas.

    Attributes
    ----------
    name, layer_class : str
    t, unit, sample : int
    forward, backward : tuple of Equation
        Symbol and expression of every line; ``backward`` is empty where no gradient reaches the layer.
    values : dict of str to number
        By symbol: the same numbers, to the bit, as in the trace and in gradient flow.
    terms : dict of str to tuple of ndarray
        The factors of every sum: ``terms["x_W_f"]`` holds the inputs and their weights.
    notes : list of str
    """

    name: str
    layer_class: str
    t: int
    unit: int
    sample: int
    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]
    values: dict[str, np.generic]
    terms: dict[str, tuple[np.ndarray, np.ndarray]]
    notes: list[str]
    _functions: dict[str, str]
    _symbols: dict[str, tuple[str, str]]
    _digits: int | None = None

    @property
    def title(self) -> str:
        return f"{self.layer_class} {self.name!r}: unit {self.unit}, time step {self.t}, sample {self.sample}"

    @property
    def text(self) -> str:
        """Plain text."""
        write = self._writer(latex=False)
        lines = [self.title, *(f"  {note}" for note in self.notes)]
        for heading, equations in self._parts():
            lines += ["", heading]
            for symbol, *sides in self._lines(equations, write):
                lines.append(f"  {symbol} = {sides[0]}")
                lines += [f"  {' ' * len(symbol)} = {side}" for side in sides[1:]]
        return "\n".join(lines)

    @property
    def latex(self) -> str:
        """An ``aligned`` environment, to be put between dollar signs."""
        write = self._writer(latex=True)
        rows = []
        for heading, equations in self._parts():
            rows.append(rf"&\textbf{{{heading}}}")
            rows += [rf"{symbol} &= {' = '.join(sides)}" for symbol, *sides in self._lines(equations, write)]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def save_html(self, path) -> Path:
        """Write a self-contained page, which needs neither a kernel nor a network.

        Parameters
        ----------
        path : str or Path
            A file that is there is replaced.

        Returns
        -------
        Path

        Examples
        --------
        >>> import numpy as np, rnn_ref, tempfile
        >>> step = rnn_ref.explain_step(rnn_ref.layers.GRU(2, name="gru"), np.ones((1, 5, 3)), t=4, unit=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     step.save_html(f"{folder}/step.html").stat().st_size < 3_000_000
        True
        """
        return save_page(
            path, {(): _frame(self)}, [], title=self.title, where="explain_step", advice="show fewer digits",
            picture=False,
        )  # fmt: skip

    def _writer(self, latex: bool) -> Writer:
        return Writer(latex=latex, functions=self._functions, symbols=self._symbols, digits=self._digits)

    def _parts(self):
        yield "Forward", self.forward
        if self.backward:
            yield "Backward", self.backward

    def _lines(self, equations, write: Writer):
        """Symbol; expression with symbols; with numbers, unless it is a single number; and the result."""
        for symbol, expression in equations:
            for name, (left, right) in self.terms.items():
                if name in re.findall(r"\w+", expression) and len(left) <= WRITTEN_OUT:
                    products = " + ".join(f"a{k} * b{k}" for k in range(len(left)))
                    numbers = {
                        f"{letter}{k}": v for letter, part in zip("ab", (left, right)) for k, v in enumerate(part)
                    }
                    yield write.symbol(name), write.numeric(products, numbers), write.number(self.values[name])
            result = write.number(self.values[symbol])
            put_in = write.numeric(expression, self.values)
            yield write.symbol(symbol), write.symbolic(expression), *([] if put_in == result else [put_in]), result

    def __repr__(self):
        return self.text

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"


class Explanations(tuple):
    """What :func:`explain_step` returns for several time steps: an :class:`Explanation` of each, in order."""

    def __new__(cls, steps: Iterable[Explanation]):
        return super().__new__(cls, steps)

    def __repr__(self):
        return "\n\n".join(step.text for step in self)

    def save_html(self, path) -> Path:
        """Write a page with a slider over the time steps and a play button; it needs neither a kernel nor a network.

        Parameters
        ----------
        path : str or Path
            A file that is there is replaced.

        Returns
        -------
        Path

        Raises
        ------
        ValueError
            If the page would have more than 3 MB.

        Examples
        --------
        >>> import numpy as np, rnn_ref, tempfile
        >>> steps = rnn_ref.explain_step(rnn_ref.layers.GRU(2, name="gru"), np.ones((1, 5, 3)), range(5), unit=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     steps.save_html(f"{folder}/steps.html").stat().st_size < 3_000_000
        True
        """
        first = self[0]
        return save_page(
            path,
            {(k,): _frame(step) for k, step in enumerate(self)},
            [Control("time step", tuple(str(step.t) for step in self), plays=1)],
            title=f"{first.layer_class} {first.name!r}: unit {first.unit}, sample {first.sample}",
            where="explain_step",
            advice="explain fewer steps",
            picture=False,
        )


def _frame(step: Explanation) -> Frame:
    """A step as a table, with equals signs aligned, and the result in words."""
    write = step._writer(latex=False)
    names = set(step._functions.values())

    def marked(text: str) -> str:
        """With subscripts and proper minus signs."""

        def lowered(match: re.Match) -> str:
            if match[0] in names:
                return match[0]
            return f"{match[1]}<sub>{match[2].strip('{}')}</sub>"

        text = re.sub(r"(?<![\w.])-(?=[\d.(])|(?<= )-(?= )|(?<=\{t)-|(?<=e)-", "−", escape(text))
        return re.sub(r"\b([A-Za-z]+)_(\{[^}]*\}|\w+)", lowered, text)

    rows = []
    for heading, equations in step._parts():
        rows.append(f'<tr><th colspan="3" scope="colgroup">{heading}</th></tr>')
        for symbol, *sides in step._lines(equations, write):
            for k, side in enumerate(sides):
                last = ' class="last"' if k == len(sides) - 1 else ""
                rows.append(f"<tr><td>{'' if k else marked(symbol)}</td><td>=</td><td{last}>{marked(side)}</td></tr>")
    notes = "\n".join(f"<p>{escape(note)}</p>" for note in step.notes)
    table = "\n".join(rows)
    results = ", ".join(
        f"{write.symbol(symbol)} = {write.number(step.values[symbol])}" for symbol, _ in (*step.forward, *step.backward)
    )
    return Frame(f"{notes}\n<table>\n{table}\n</table>", f"Time step {step.t}: {results}.")
