"""The backward of a step, derived from its lines: reverse-mode differentiation, line by line.

From the last line to the first, what a symbol's gradient is made of is known once all lines that use it are behind:

    a = u + v      du += da             dv += da
    a = u v        du += da v           dv += da u
    a = u / v      du += da / v         dv -= da a / v
    a = u ** n     du += da n u ** (n - 1)
    a = f(u)       du += da f'(u)

where ``f'`` is ``d_f(u, a)``, as :mod:`rnn_ref.equations.activations` has it. Activations inside expressions get lines
of their own first, so that every derivative is taken at a symbol.
"""

from __future__ import annotations

import ast
import itertools
from typing import NamedTuple

from rnn_ref.equations.written import Line, Written, number


class Derived(NamedTuple):
    """A step and its backward.

    Attributes
    ----------
    forward : tuple of Line
        Activations, and what they are taken of, on lines of their own.
    backward : tuple of Line
        ``dc = dc + dh * o * d_tanh(c, a)`` gives a state the whole of its gradient, of which ``dc`` before is the part
        from the next step.
    gradients : dict of str to str
        Argument -> the symbol of its gradient; arguments that the states do not depend on have none.
    """

    forward: tuple[Line, ...]
    backward: tuple[Line, ...]
    gradients: dict[str, str]


def derive(written: Written) -> Derived:
    """Derive the backward of a step.

    Examples
    --------
    >>> from rnn_ref.equations.written import read
    >>> def elman(z_c):
    ...     h = tanh(z_c)
    ...     return h
    >>> print(*derive(read(elman, ("candidate",), ("hidden",))).backward)
    dz_c = dh * d_tanh(z_c, h)
    """
    forward = _one_call_a_line(written)
    constants = set(written.constants)
    states = tuple(written.states.values())
    sums: dict[str, list[ast.expr]] = {state: [ast.Name(f"d{state}")] for state in states}
    backward: list[Line] = []

    def total(symbol: str) -> ast.expr | None:
        """The gradient of a symbol, on a line of its own where it is more than what another line already says."""
        parts = sums.pop(symbol, None)
        if parts is None:
            return None
        whole = parts[0]
        for part in parts[1:]:
            whole = _add(whole, part)
        if isinstance(whole, ast.Name) and whole.id == f"d{symbol}":
            return whole
        if symbol in states or not isinstance(whole, ast.Name) or symbol in written.arguments:
            backward.append(Line(f"d{symbol}", whole))
            return ast.Name(f"d{symbol}")
        return whole

    def give(node: ast.expr, d: ast.expr) -> None:
        """What an expression's gradient gives to its symbols."""
        match node:
            case ast.Name(symbol) if symbol not in constants:
                sums.setdefault(symbol, []).append(d)
            case ast.UnaryOp(ast.USub(), operand):
                give(operand, _negative(d))
            case ast.UnaryOp(ast.UAdd(), operand):
                give(operand, d)
            case ast.BinOp(left, ast.Add(), right):
                give(left, d)
                give(right, d)
            case ast.BinOp(left, ast.Sub(), right):
                give(left, d)
                give(right, _negative(d))
            case ast.BinOp(left, ast.Mult(), right):
                give(left, _times(d, right))
                give(right, _times(d, left))
            case ast.BinOp(left, ast.Div(), right):
                give(left, _over(d, right))
                give(right, _negative(_over(_times(d, node), right)))
            case ast.BinOp(base, ast.Pow(), exponent):
                give(base, _times(_times(d, exponent), _power(base, number(exponent) - 1)))

    for line in reversed(forward):
        d = total(line.symbol)
        if d is None:
            continue
        match line.expression:
            case ast.Call(ast.Name(function), [argument]):
                derivative = ast.Call(ast.Name(f"d_{function}"), [argument, ast.Name(line.symbol)], [])
                if not isinstance(argument, ast.Name) or argument.id not in constants:
                    give(argument, _times(d, derivative))
            case expression:
                give(expression, d)
    gradients = {}
    for argument in written.arguments:
        d = None if argument in constants else total(argument)
        if d is not None:
            gradients[argument] = d.id if isinstance(d, ast.Name) else f"d{argument}"
    return Derived(forward, tuple(backward), gradients)


def _one_call_a_line(written: Written) -> tuple[Line, ...]:
    """``h = o * tanh(c)`` is ``a = tanh(c)``, ``h = o * a``; ``tanh(u + v)`` likewise has ``z_g = u + v`` before it."""
    taken = {line.symbol for line in written.lines} | set(written.arguments)
    letters = {part.x: part.letter for part in written.parts if part.apart or not part.h}
    lines: list[Line] = []

    def fresh(*wishes: str) -> str:
        further = (f"{wishes[-1]}_{k}" for k in itertools.count(2))
        name = next(wish for wish in itertools.chain(wishes, further) if wish not in taken)
        taken.add(name)
        return name

    def argument_of(call: ast.Call, symbol: str) -> ast.expr:
        inner = call.args[0]
        if isinstance(inner, ast.Name) or number(inner) is not None:
            return inner
        used = [letters[n.id] for n in ast.walk(inner) if isinstance(n, ast.Name) and n.id in letters]
        value = taken_apart(inner)
        name = fresh(*[f"z_{letter}" for letter in used[:1]], f"z_{symbol}", f"s_{symbol}")
        lines.append(Line(name, value))
        return ast.Name(name)

    def taken_apart(node: ast.expr) -> ast.expr:
        match node:
            case ast.Call(function, _):
                name = fresh("a")
                argument = argument_of(node, name)
                lines.append(Line(name, ast.Call(function, [argument], [])))
                return ast.Name(name)
            case ast.BinOp(left, operator, right):
                return ast.BinOp(taken_apart(left), operator, taken_apart(right))
            case ast.UnaryOp(operator, operand):
                return ast.UnaryOp(operator, taken_apart(operand))
        return node

    for symbol, expression in written.lines:
        if isinstance(expression, ast.Call):
            argument = argument_of(expression, symbol)
            lines.append(Line(symbol, ast.Call(expression.func, [argument], [])))
        else:
            lines.append(Line(symbol, taken_apart(expression)))
    return tuple(lines)


# -- expressions, as a person would write them -----------------------------------------------------------------


def _add(a: ast.expr, b: ast.expr) -> ast.expr:
    if isinstance(a, ast.UnaryOp) and not isinstance(b, ast.UnaryOp):
        a, b = b, a
    operator = ast.Add()
    match b:
        case ast.UnaryOp(ast.USub(), operand):
            b, operator = operand, ast.Sub()
    match a, b:  # d u - d v = d (u - v)
        case ast.BinOp(ast.Name(d), ast.Mult(), u), ast.BinOp(ast.Name(same), ast.Mult(), v) if d == same:
            return ast.BinOp(ast.Name(d), ast.Mult(), ast.BinOp(u, operator, v))
    return ast.BinOp(a, operator, b)


def _negative(a: ast.expr) -> ast.expr:
    match a:
        case ast.UnaryOp(ast.USub(), operand):
            return operand
        case ast.BinOp(left, (ast.Mult() | ast.Div()) as operator, right) if isinstance(left, ast.UnaryOp):
            return ast.BinOp(_negative(left), operator, right)
    return ast.UnaryOp(ast.USub(), a)


def _times(a: ast.expr, b: ast.expr) -> ast.expr:
    for one, other in ((a, b), (b, a)):
        match number(one):
            case 1:
                return other
            case -1:
                return _negative(other)
    match a, b:
        case ast.UnaryOp(ast.USub(), operand), _:
            return _negative(_times(operand, b))
        case _, ast.UnaryOp(ast.USub(), operand):
            return _negative(_times(a, operand))
    return ast.BinOp(a, ast.Mult(), b)


def _over(a: ast.expr, b: ast.expr) -> ast.expr:
    match a:
        case ast.UnaryOp(ast.USub(), operand):
            return _negative(_over(operand, b))
    return a if number(b) == 1 else ast.BinOp(a, ast.Div(), b)


def _power(base: ast.expr, exponent: float) -> ast.expr:
    if exponent == 0:
        return ast.Constant(1)
    if exponent == 1:
        return base
    whole = int(exponent) if float(exponent).is_integer() else exponent
    return ast.BinOp(
        base, ast.Pow(), ast.Constant(whole) if whole >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-whole))
    )
