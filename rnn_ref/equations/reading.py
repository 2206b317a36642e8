"""A cell's equations as lines of text, read from the source of the functions that run.

>>> from rnn_ref.equations import lstm
>>> for line in forward_lines(lstm.RECORD)[-2:]:
...     print(*line, sep=" = ")
c = f * c_prev + i * g
h = o * activation(c)

Each line gives a symbol and the expression it is computed by, valid Python, whose names are symbols again: the state of
things before the step, sums over other units, and what the lines above gave. Symbols are named as in the functions, and

    x_W_f         x_t W_f, a sum over the input features
    h_U_f         h_{t-1} U_f, a sum over the units
    b_f, b_ff     the bias; where a gate needs its two parts apart, the second one's
    d_c           dL/dc
    d_later_h     what reaches dL/dh through later time steps; d_out_h what reaches it through the outputs
    activation, recurrent_activation, and their derivatives d_activation(z, a), d_recurrent_activation(z, a)
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import NamedTuple

from rnn_ref.equations.activations import CODES, activate, d_activate
from rnn_ref.equations.record import Record
from rnn_ref.jit import uncompiled


class Equation(NamedTuple):
    """``symbol = expression``."""

    symbol: str
    expression: str


def forward_lines(record: Record) -> tuple[Equation, ...]:
    """Pre-activations, gates and states, in the order of computing."""
    lines, given, after = [], {}, {}
    for gate in record.gates:
        end = gate.end
        if gate.apart or not gate.product:  # the equations take the parts one by one
            part, text = f"x{end}", f"x_W{end} + b{end}"
            if gate.inputs and part in inspect.signature(uncompiled(record.d_step)).parameters:
                lines.append(Equation(part, text))
            elif gate.inputs:  # nobody asks for it again
                given[part] = _expression(text)
            if gate.product:
                lines.append(Equation(gate.apart, f"h_U{end} + b{end}{gate.letter}"))
        else:
            z = Equation(f"z{end}", f"x_W{end} + {gate.product}_U{end} + b{end}")
            (lines if gate.product == "h" else after.setdefault(gate.product, [])).append(z)
    for symbol, expression in _read(record.step, given):
        lines += [Equation(symbol, ast.unparse(expression)), *after.get(symbol, ())]
    return tuple(lines)


def backward_lines(record: Record) -> tuple[Equation, ...]:
    """Gradients, in the order of computing."""
    known = {name for line in forward_lines(record) for name in re.findall(r"\w+", " ".join(line))}
    hidden, *others = record.states.values()
    given = {f"d{state}": ast.Name(f"d_later_{state}") for state in others}
    lines = [Equation(f"d_{hidden}", f"d_out_{hidden} + d_later_{hidden}")]
    after = {  # through a recurrent product, from the gates of all units
        f"d_z{gate.end}": Equation(f"d_{gate.product}", f"d_z{gate.end}_U{gate.end}")
        for gate in record.gates
        if gate.product not in ("", "h")
    }
    for name, expression in _read(record.d_step, given, known):
        symbol = _gradient(name, known)
        lines.append(Equation(symbol, ast.unparse(_Renamed(known).visit(expression))))
        lines += [after[symbol]] if symbol in after else []
    return tuple(lines)


def masked_lines(record: Record) -> tuple[tuple[Equation, ...], tuple[Equation, ...]]:
    """A masked step, there and back: nothing is computed, the states are carried over."""
    hidden, *others = symbols = tuple(record.states.values())
    back = [Equation(f"d_{hidden}", f"d_out_{hidden} + d_later_{hidden}")]
    back += [Equation(f"d_{s}", f"d_later_{s}") for s in others]
    return (
        tuple(Equation(s, f"{s}_prev") for s in symbols),
        (*back, *(Equation(f"d_{s}_prev", f"d_{s}") for s in symbols)),
    )


def lines_of(function: Callable) -> list[tuple[str, ast.expr]]:
    """What a step assigns, line by line; its arguments are symbols."""
    return _read(function, {})


# -- reading -------------------------------------------------------------------------------------------------


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _gradient(name: str, known) -> str:
    """``dz_f`` is written ``d_z_f`` where ``z_f`` is a symbol."""
    return f"d_{name[1:]}" if name.startswith("d") and name[1:] in known else name


class _Renamed(ast.NodeTransformer):
    def __init__(self, known):
        self.known = known

    def visit_Name(self, node):
        return ast.Name(_gradient(node.id, self.known))


def _read(function: Callable, given: dict[str, ast.expr], gradients_of=None) -> list[tuple[str, ast.expr]]:
    """What a function assigns, line by line, with other equations' lines in place of calls.

    Parameters
    ----------
    function
    given : dict
        What some of its arguments are; the others are symbols.
    gradients_of : set of str, optional
        Only gradients of these are lines; other names are put in where they are used.
    """
    function = uncompiled(function)
    where = f"{function.__module__}.{function.__qualname__}"
    values, lines = dict(given), []

    def assign(name: str, expression: ast.expr) -> None:
        if gradients_of is not None and _gradient(name, gradients_of) == name:
            if name not in gradients_of:  # a line of the forward, run again, is there already
                values[name] = expression
            return
        values.pop(name, None)
        lines.append((name, expression))

    for statement in _statements(function):
        if isinstance(statement, ast.Return) or _is_docstring(statement):
            continue
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            raise ValueError(f"{where}: {ast.unparse(statement)!r} is no equation; write symbol = expression.")
        (target,) = statement.targets
        called = _equation_called(statement.value, function)
        if called is None:
            if not isinstance(target, ast.Name):
                raise ValueError(f"{where}: {ast.unparse(statement)!r} gives several symbols; write a line for each.")
            assign(target.id, _Written(values, where).visit(statement.value))
            continue
        names = [name.id for name in (target.elts if isinstance(target, ast.Tuple) else [target])]
        arguments = [_Written(values, where).visit(argument) for argument in statement.value.args]
        parameters = inspect.signature(called).parameters
        inner = _read(called, dict(zip(parameters, arguments, strict=True)), gradients_of)
        renamed = dict(zip(_results(called), names, strict=True))
        for name, expression in inner:
            assign(renamed.get(name, name), expression)
    return lines


def _statements(function) -> list[ast.stmt]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    return definition.body


def _is_docstring(statement) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _equation_called(node, function) -> Callable | None:
    """The equation that is called, other than an activation; None where none is."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return None
    called = function.__globals__.get(node.func.id)
    if called in (None, activate, d_activate) or _name_of_activation(node.func.id):
        return None
    return uncompiled(called)


def _name_of_activation(name: str) -> bool:
    """Cells that were written as equations call activations by their names."""
    return name.removeprefix("d_") in CODES


def _results(function) -> list[str]:
    returned = _statements(function)[-1].value
    return [name.id for name in (returned.elts if isinstance(returned, ast.Tuple) else [returned])]


class _Written(ast.NodeTransformer):
    """An expression as it is shown: ``activate(activation, z)`` is ``activation(z)``, ``type(z)(1)`` is ``1``."""

    def __init__(self, values: dict[str, ast.expr], where: str):
        self.values, self.where = values, where

    def visit_Name(self, node):
        return self.values.get(node.id, ast.Name(node.id))

    def visit_Call(self, node):
        match node.func:
            case ast.Name("activate"):
                kind, *arguments = node.args
                return ast.Call(self.visit(kind), [self.visit(a) for a in arguments], [])
            case ast.Name("d_activate"):
                kind, *arguments = node.args
                return ast.Call(ast.Name(f"d_{self.visit(kind).id}"), [self.visit(a) for a in arguments], [])
            case ast.Call(func=ast.Name("type")):
                return self.visit(node.args[0])
            case ast.Name(name) if _name_of_activation(name):  # options are the activation's own
                count = 2 if name.startswith("d_") else 1
                return ast.Call(node.func, [self.visit(a) for a in node.args[:count]], [])
        raise ValueError(
            f"{self.where}: {ast.unparse(node)!r} is neither an activation nor an equation on a line of its own."
        )
