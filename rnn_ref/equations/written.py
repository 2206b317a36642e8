"""A step that somebody wrote as equations: what its arguments mean, and its lines, each checked.

    z_f            x_t W_f + h_{t-1} U_f + b_f, the pre-activation of the gate with the letter f
    x_c, h_c       its two parts, x_t W_c + b_c and h_{t-1} U_c + b'_c, for those who need them apart; or one alone
    h_prev         the state h before the step
    p: per_unit()  a weight, one number for each unit; ``scalar()`` one for all
    alpha=0.5      a constant, an option of the layer

A line is ``symbol = expression`` of numbers, symbols, ``+ - * /``, powers with constant exponents, and activations by
their names.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import NamedTuple

from rnn_ref.equations.activations import NAMES
from rnn_ref.equations.weight import Weight

LETTERS = re.compile(r"[a-z][a-z0-9]*")


class Line(NamedTuple):
    """``symbol = expression``."""

    symbol: str
    expression: ast.expr

    def __str__(self):
        return f"{self.symbol} = {ast.unparse(self.expression)}"


class Part(NamedTuple):
    """How the equations take one gate's pre-activation.

    Attributes
    ----------
    name, letter : str
    x : str
        The argument that holds ``x_t W + b``, alone or in the sum; empty where the gate does not look at the inputs.
    h : str
        The argument that holds ``h_{t-1} U``, alone (then it is another than ``x``) or in the sum; empty without one.
    """

    name: str
    letter: str
    x: str
    h: str

    @property
    def apart(self) -> bool:
        """Whether the recurrent product comes alone."""
        return bool(self.h) and self.h != self.x


class Written(NamedTuple):
    """A step as equations.

    Attributes
    ----------
    name, doc : str
    parts : tuple of Part
        The gates, in the order of their blocks in the weights.
    states : dict of str to str
        Names and symbols, the hidden state first.
    arguments : tuple of str
    lines : tuple of Line
    weights : dict of str to Weight
    constants : dict of str to float
    text : str
        The function as it was written.
    """

    name: str
    doc: str
    parts: tuple[Part, ...]
    states: dict[str, str]
    arguments: tuple[str, ...]
    lines: tuple[Line, ...]
    weights: dict[str, Weight]
    constants: dict[str, float]
    text: str


def _meant(name: str, known) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


class _Source:
    """A function's source, and errors that show the line."""

    def __init__(self, function: Callable):
        self.name = function.__name__
        try:
            lines, self.first = inspect.getsourcelines(function)
        except (OSError, TypeError) as error:
            raise ValueError(
                f"cell {self.name}: its source cannot be read ({error}), and the equations are read from there. Write "
                "it in a file or in a notebook."
            ) from None
        text = textwrap.dedent("".join(lines))
        try:
            (self.definition,) = (n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef))
        except (SyntaxError, ValueError):  # a lambda in the middle of something, say
            raise ValueError(
                f"cell {self.name}: {lines[0].strip()!r} is no function of a line each; write it with def."
            ) from None
        self.text = "\n".join(text.splitlines()[self.definition.lineno - 1 :])
        self._lines = text.splitlines()

    def error(self, node: ast.AST, problem: str) -> ValueError:
        where = node.lineno - 1
        return ValueError(f"cell {self.name}, line {self.first + where}: {self._lines[where].strip()!r}: {problem}")


def read(function: Callable, gates, states) -> Written:
    """Read a step, see :func:`rnn_ref.cell`.

    Raises
    ------
    ValueError
        If a line, an argument or what is returned is not as described above; it shows the line.
    """
    source = _Source(function)
    symbols = _returned(source)
    names = _names(source, states, "states")
    if len(names) != len(symbols):
        raise source.error(
            source.definition.body[-1],
            f"states names {len(names)} ({', '.join(names)}), but {len(symbols)} are returned ({', '.join(symbols)}).",
        )
    letters = _letters(source, gates)
    for name in set(names) & set(letters.values()):
        raise ValueError(
            f"cell {source.name}: a gate and a state are both called {name}; a trace has either by its name."
        )
    arguments, parts, weights, constants = _arguments(source, function, letters, symbols)
    nodes = {node.arg: node for node in source.definition.args.args}
    for name in (*weights, *constants, *symbols):
        _check_name(source, nodes.get(name, source.definition.body[-1]), name, letters)
    lines = _lines(source, arguments, symbols, letters)
    _check_use(source, lines, arguments, symbols)
    _check_gradients(source, lines, arguments)
    return Written(
        function.__name__,
        inspect.getdoc(function) or "",
        parts,
        dict(zip(names, symbols)),
        arguments,
        lines,
        weights,
        constants,
        source.text,
    )


def _names(source: _Source, given, what: str) -> tuple[str, ...]:
    names = tuple(given) if isinstance(given, (tuple, list)) else ()
    if not names or not all(isinstance(name, str) and name.isidentifier() for name in names):
        raise ValueError(
            f"cell {source.name}: {what} must be a tuple of names, such as ('forget', 'candidate'), got {given!r}."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"cell {source.name}: {what}={given!r} has one name twice.")
    return names


def _letters(source: _Source, gates) -> dict[str, str]:
    """Letter -> name; a gate's first letter, unless a dict says otherwise."""
    if isinstance(gates, dict):
        if not all(isinstance(letter, str) and LETTERS.fullmatch(letter) for letter in gates):
            raise ValueError(f"cell {source.name}: gates={gates!r} must be letters with names, {{'f': 'forget'}}.")
        return dict(zip(gates, _names(source, tuple(gates.values()), "gates")))
    names = _names(source, gates, "gates")
    letters = {name[0]: name for name in names}
    if len(letters) < len(names):
        raise ValueError(
            f"cell {source.name}: two of the gates {', '.join(names)} begin with one letter, which tells their weights "
            "apart. Say the letters: gates={'i': 'input', 'in': 'inner'}."
        )
    return letters


def _returned(source: _Source) -> tuple[str, ...]:
    last = source.definition.body[-1]
    values = last.value.elts if isinstance(last, ast.Return) and isinstance(last.value, ast.Tuple) else None
    if values is None and isinstance(last, ast.Return):
        values = [last.value]
    if not values or not all(isinstance(value, ast.Name) for value in values):
        raise source.error(last, "the last line must be 'return h', or 'return h, c' with all states.")
    symbols = tuple(value.id for value in values)
    if len(set(symbols)) < len(symbols):
        raise source.error(last, "a state is returned twice.")
    return symbols


def _arguments(source: _Source, function: Callable, letters: dict, symbols: tuple):
    """What every argument is."""
    signature = inspect.signature(function)
    try:
        annotations = inspect.get_annotations(function, eval_str=True)
    except Exception as error:
        raise source.error(source.definition, f"an annotation cannot be read: {error}.") from None
    parts: dict[str, dict[str, str]] = {letter: {} for letter in letters}
    weights, constants = {}, {}
    nodes = {node.arg: node for node in source.definition.args.args}
    known = [f"{kind}_{letter}" for letter in letters for kind in "zxh"] + [f"{symbol}_prev" for symbol in symbols]
    for name, parameter in signature.parameters.items():
        node = nodes.get(name, source.definition)
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            raise source.error(node, f"the argument {name} must be a plain one, with a name and a place.")
        kind, _, letter = name.partition("_")
        if isinstance(annotations.get(name), Weight):
            weights[name] = annotations[name]
        elif name in annotations and parameter.default is parameter.empty:
            raise source.error(
                node, f"{name} is annotated with {annotations[name]!r}: a weight is {name}: rnn_ref.per_unit('zeros')."
            )
        elif parameter.default is not parameter.empty:
            if isinstance(parameter.default, bool) or not isinstance(parameter.default, (int, float)):
                raise source.error(node, f"{name}={parameter.default!r}: a constant must be a number.")
            constants[name] = float(parameter.default)
        elif name in known and name.endswith("_prev"):
            continue
        elif kind in ("z", "x", "h") and letter in parts:
            parts[letter][kind] = name
        else:
            raise source.error(
                node,
                f"the argument {name} names no gate and no state; there are {', '.join(known)}."
                f"{_meant(name, known)} A weight is {name}: rnn_ref.per_unit('zeros'), a constant {name}=0.5.",
            )
    made = []
    for letter, name in letters.items():
        found = parts[letter]
        if not found:
            raise source.error(
                source.definition,
                f"the gate {name} is no argument: take z_{letter}, or x_{letter} and h_{letter}, or leave it out.",
            )
        if "z" in found and len(found) > 1:
            raise source.error(
                source.definition,
                f"the gate {name} is taken as a sum, z_{letter}, and in parts: take either.",
            )
        made.append(Part(name, letter, found.get("z", found.get("x", "")), found.get("z", found.get("h", ""))))
    if not any(part.x for part in made):
        raise source.error(source.definition, "no gate looks at the inputs: take z_ or x_ of one.")
    return tuple(signature.parameters), tuple(made), weights, constants


def _check_name(source: _Source, node: ast.AST, name: str, letters) -> None:
    """A symbol must not be what something else is called, here or in an explanation."""
    taken = {"h_in", *(f"b_{f}" for f in letters), *(f"b_{f}{f}" for f in letters)}
    taken |= {f"{part}_{f}" for part in ("x_W", "h_U") for f in letters}
    if name in NAMES or name in taken or name == "type":
        raise source.error(node, f"{name} has a meaning of its own here; take another symbol.")
    if name.startswith(("_", "d_")) or name.endswith("_"):
        raise source.error(
            node, f"{name}: no symbol begins with d_, as gradients do, or begins or ends with an underscore."
        )


def _lines(source: _Source, arguments: tuple[str, ...], symbols: tuple[str, ...], letters) -> tuple[Line, ...]:
    known, lines = set(arguments), []
    body = source.definition.body
    statements = body[1:-1] if ast.get_docstring(source.definition) is not None else body[:-1]
    for statement in statements:
        if isinstance(statement, (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)):
            raise source.error(
                statement,
                "a branch or loop has no derivative that could be written down. A choice is an activation: relu(a), "
                "hard_sigmoid(a).",
            )
        simple = isinstance(statement, ast.Assign) and len(statement.targets) == 1
        if not simple or not isinstance(statement.targets[0], ast.Name):
            raise source.error(statement, "this is no equation; write symbol = expression, a line for each.")
        symbol = statement.targets[0].id
        _check_name(source, statement, symbol, letters)
        if symbol in known:
            raise source.error(
                statement, f"{symbol} is {'an argument' if symbol in arguments else 'computed above'} already."
            )
        _check_expression(source, statement.value, known, symbols)
        known.add(symbol)
        lines.append(Line(symbol, statement.value))
    return tuple(lines)


_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div)


def _check_expression(source: _Source, node: ast.expr, known: set[str], symbols: tuple[str, ...]) -> None:
    match node:
        case ast.Name(name):
            if name in known:
                return
            if name in symbols:
                raise source.error(node, f"{name}, a state, is not computed yet; before the step it is {name}_prev.")
            raise source.error(node, f"there is no {name}.{_meant(name, [*known, *NAMES])}")
        case ast.Constant(value) if isinstance(value, (int, float)) and not isinstance(value, bool):
            return
        case ast.UnaryOp(ast.USub() | ast.UAdd(), operand):
            _check_expression(source, operand, known, symbols)
        case ast.BinOp(left, operator, right) if isinstance(operator, _OPERATORS):
            _check_expression(source, left, known, symbols)
            _check_expression(source, right, known, symbols)
        case ast.BinOp(left, ast.Pow(), right):
            if number(right) is None:
                raise source.error(node, f"the exponent {ast.unparse(right)} must be a number.")
            _check_expression(source, left, known, symbols)
        case ast.Call(ast.Name(name), arguments, keywords):
            if name not in NAMES:
                raise source.error(
                    node,
                    f"{name} is no activation; there are {', '.join(NAMES)}.{_meant(name, NAMES)}",
                )
            if len(arguments) != 1 or keywords or isinstance(arguments[0], ast.Starred):
                raise source.error(node, f"{name} takes one number here: {name}(a).")
            _check_expression(source, arguments[0], known, symbols)
        case ast.Call():
            raise source.error(
                node,
                f"{ast.unparse(node.func)} works on arrays; here every symbol is one number of one unit, and functions "
                f"are activations by name: {', '.join(NAMES[:4])}, ...",
            )
        case ast.IfExp() | ast.Compare() | ast.BoolOp():
            raise source.error(
                node,
                "a choice has no derivative to be written down; an activation has: relu(a), hard_sigmoid(a).",
            )
        case _:
            raise source.error(
                node,
                f"{ast.unparse(node)!r} is no expression of numbers: take symbols, + - * / ** and activations.",
            )


def number(node: ast.expr) -> float | None:
    """What a constant, maybe with a sign, is; None for other expressions."""
    match node:
        case ast.Constant(value) if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(value)) if isinstance(value, (int, float)):
            return -value
    return None


def _check_gradients(source: _Source, lines, arguments) -> None:
    """No symbol is called as another one's gradient: dL/dh is ``dh`` in the backward."""
    every = {*arguments, *(line.symbol for line in lines)}
    for symbol in every:
        if f"d{symbol}" in every:
            raise source.error(source.definition, f"d{symbol} is the gradient of {symbol}; take another symbol.")


def _check_use(source: _Source, lines, arguments, symbols) -> None:
    """Every state is computed, and everything is used by something."""
    computed = {line.symbol for line in lines}
    for symbol in symbols:
        if symbol not in computed:
            raise source.error(source.definition.body[-1], f"the state {symbol} is returned, but no line computes it.")
    used = {node.id for line in lines for node in ast.walk(line.expression) if isinstance(node, ast.Name)}
    for name in (*arguments, *(line.symbol for line in lines)):
        if name not in used and name not in symbols:
            raise source.error(source.definition, f"{name} is used by no line: leave it out, or use it.")
