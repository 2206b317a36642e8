"""The backward of a cell, derived from its equations, with a reason for each line."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from typing import NamedTuple

from rnn_ref.equations.activations import NAMES
from rnn_ref.equations.deriving import Derived, derive
from rnn_ref.equations.reading import lines_of
from rnn_ref.equations.written import Line, Part, Written
from rnn_ref.guard import guarded
from rnn_ref.inspection.expressions import Writer
from rnn_ref.inspection.known_cells import require_known
from rnn_ref.jit import uncompiled
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.recurrent import RNN


class Step(NamedTuple):
    """One line of a backward.

    Attributes
    ----------
    symbol, expression : str
        ``"d_g"``, and a Python expression, in which gradients are ``d_`` and a symbol.
    reasons : tuple of str
        The lines of the forward that the symbol goes into.
    """

    symbol: str
    expression: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class BackwardDerivation:
    """What :func:`derive_backward` returns; printed, it is the text, and in a notebook the formulas.

    Attributes
    ----------
    name : str
    forward : tuple of str
        Lines of the step; activations have lines of their own.
    backward : tuple of Step
    code : str
        The backward as Python.
    """

    name: str
    forward: tuple[str, ...]
    backward: tuple[Step, ...]
    code: str

    @property
    def text(self) -> str:
        """Plain text, a reason beside each line."""
        write = self._writer(latex=False)
        lines = [f"{write.symbol(step.symbol)} = {write.symbolic(step.expression)}" for step in self.backward]
        width = max(map(len, lines))
        rows = [
            f"  {line:{width}}    as {', '.join(step.reasons)}" if step.reasons else f"  {line}"
            for line, step in zip(lines, self.backward)
        ]
        return "\n".join([f"{self.name}, forward", *(f"  {line}" for line in self.forward), "", "backward", *rows])

    @property
    def latex(self) -> str:
        """An ``aligned`` environment, to be put between dollar signs."""
        write = self._writer(latex=True)
        rows = [f"{write.symbol(step.symbol)} &= {write.symbolic(step.expression)}" for step in self.backward]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _writer(self, latex: bool) -> Writer:
        functions = {name: name for name in (*NAMES, "activation", "recurrent_activation")}
        return Writer(latex=latex, functions=functions, symbols={}, digits=None)

    def __repr__(self):
        return self.text

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"


@guarded
def derive_backward(cell) -> BackwardDerivation:
    """Derive the backward of one step of a cell from its forward, line by line.

    Parameters
    ----------
    cell : recurrent layer or cell, or its class
        SimpleRNN, LSTM, GRU with ``reset_after``, or made by :func:`rnn_ref.cell`.

    Returns
    -------
    BackwardDerivation
        Prints as text; ``.latex``, ``.code``, and ``.backward`` line by line. A gradient that a state already has from
        the next step is on both sides: ``dL/dc_t = dL/dc_t + ...``.

    Raises
    ------
    ValueError
        If the cell's equations are not known, or a matrix product stands between them, as in a GRU without
        ``reset_after``.

    Examples
    --------
    >>> import rnn_ref
    >>> print(rnn_ref.derive_backward(rnn_ref.zoo.UGRNN))
    UGRNN, forward
      u = sigmoid(z_u)
      g = tanh(z_c)
      h = u * h_prev + (1 - u) * g
    <BLANKLINE>
    backward
      dL/dg = dL/dh_t · (1 - u)                as h = u * h_prev + (1 - u) * g
      dL/du = dL/dh_t · (h_{t-1} - g)          as h = u * h_prev + (1 - u) * g
      dL/dz_u = dL/du · sigmoid'(z_u)          as u = sigmoid(z_u)
      dL/dz_c = dL/dg · tanh'(z_c)             as g = tanh(z_c)
      dL/dh_{t-1} = dL/dh_t · u                as h = u * h_prev + (1 - u) * g
    """
    written = _written(cell)
    derived = derive(written)
    return BackwardDerivation(
        written.name, tuple(map(str, derived.forward)), tuple(_steps(derived, written)), _code(written, derived)
    )


def _written(given) -> Written:
    if isinstance(given, type) and issubclass(given, (RNN, Cell)):
        given = given(1)
    cell = given.cell if isinstance(given, RNN) else given
    if not isinstance(cell, Cell):
        raise ValueError(f"derive_backward takes a recurrent layer or a cell of one, got {given!r}.")
    require_known(cell, "derive_backward", cell.name)
    if hasattr(cell, "equations"):
        return cell.equations
    record = cell.record
    if any(gate.product not in ("", "h") for gate in record.gates):
        raise ValueError(
            f"derive_backward: {cell.name} has reset_after=False: a matrix product stands between its equations, and "
            "the backward of one unit does not follow from that unit's alone. Take reset_after=True."
        )
    parts = tuple(
        Part(g.name, g.letter, f"x{g.end}" if g.apart else f"z{g.end}", g.apart or f"z{g.end}") for g in record.gates
    )
    arguments = [
        name for name in inspect.signature(uncompiled(record.step)).parameters if not name.endswith("activation")
    ]
    lines = tuple(Line(symbol, expression) for symbol, expression in lines_of(record.step))
    name = type(given).__name__
    return Written(name, "", parts, record.states, tuple(arguments), lines, {}, {}, "")


def _steps(derived: Derived, written: Written):
    forward = {line.symbol for line in derived.forward} | set(written.arguments)
    # "df" if f is a symbol; shown as "d_f" in the code.
    gradients = {f"d{symbol}": symbol for symbol in forward}
    for line in derived.backward:
        symbol = gradients[line.symbol]
        reasons = [
            str(used)
            for used in derived.forward
            if symbol in {node.id for node in ast.walk(used.expression) if isinstance(node, ast.Name)}
        ]
        expression = _Shown(gradients).visit(ast.parse(ast.unparse(line.expression), mode="eval").body)
        yield Step(f"d_{symbol}", ast.unparse(expression), tuple(reasons))


class _Shown(ast.NodeTransformer):
    def __init__(self, gradients: dict[str, str]):
        self.gradients = gradients

    def visit_Name(self, node):
        return ast.Name(f"d_{self.gradients[node.id]}") if node.id in self.gradients else node

    def visit_Call(self, node):  # the function is no symbol
        return ast.Call(node.func, [self.visit(argument) for argument in node.args], [])


def _code(written: Written, derived: Derived) -> str:
    states = [f"d{symbol}" for symbol in written.states.values()]
    symbols = [line.symbol for line in derived.forward]
    symbols += [name for name in written.arguments if name not in symbols]
    used = {node.id for line in derived.backward for node in ast.walk(line.expression) if isinstance(node, ast.Name)}
    arguments = [*states, *(name for name in symbols if name in used)]
    returned = list(dict.fromkeys(derived.gradients.values()))
    lines = [f"    {line}" for line in derived.backward]
    return "\n".join([f"def backward({', '.join(arguments)}):", *lines, f"    return {', '.join(returned)}"])
