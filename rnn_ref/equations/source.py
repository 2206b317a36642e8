"""A cell's equations as the source of two functions, ``forward`` and ``backward``, and of the loops over a chunk.

What is written here looks like :mod:`rnn_ref.equations.lstm`, and is compiled like it. Gates take the place of their
pre-activations, so that a tape holds each gate and nothing twice; what the backward needs besides is computed again,
unless only the pre-activations tell it: then they are kept.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import linecache
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import NamedTuple

from rnn_ref.equations import activations
from rnn_ref.equations.activations import CODES, NEEDS_Z
from rnn_ref.equations.deriving import Derived, derive
from rnn_ref.equations.written import Line, Part, Written, number
from rnn_ref.jit import uncompiled


class Program(NamedTuple):
    """A cell, ready to be compiled.

    Attributes
    ----------
    written : Written
    derived : Derived
    x_parts, h_parts, q_parts : tuple of Part
        Gates with a block in the kernel, in the recurrent kernel, and with a recurrent product apart.
    activated : dict of str to str
        Letter of a gate -> the first activation that its pre-activation goes into, itself or in a sum.
    symbols : dict of str to str
        Letter of a gate -> the symbol whose value a tape holds in the place of its pre-activation: the same, unless
        that is a state, or another gate's.
    needs_z : bool
        Whether the backward needs pre-activations that gates have taken the place of.
    text : str
        The source.
    """

    written: Written
    derived: Derived
    x_parts: tuple[Part, ...]
    h_parts: tuple[Part, ...]
    q_parts: tuple[Part, ...]
    activated: dict[str, str]
    symbols: dict[str, str]
    needs_z: bool
    text: str

    @property
    def digest(self) -> str:
        """Hash of the source."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def functions(self) -> dict:
        """What the source defines."""
        return vars(_module(f"rnn_ref.cells.{self.written.name}_{self.digest[:12]}", self.text))


@cache
def _module(name: str, text: str) -> ModuleType:
    """A module of this source. Debuggers and tracebacks find its lines, although there is no such file."""
    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    module = sys.modules[name] = ModuleType(name)  # compiled code on disk names it
    exec(compile(text, file, "exec"), vars(module))
    return module


def program(written: Written) -> Program:
    """Everything about a cell that its equations say."""
    derived = derive(written)
    x_parts = tuple(part for part in written.parts if part.x)
    h_parts = tuple(part for part in written.parts if part.h)
    q_parts = tuple(part for part in h_parts if part.apart)
    activated = _activated(written, derived, x_parts)
    symbols = {}
    for letter, symbol in activated.items():
        if symbol not in (*written.states.values(), *symbols.values()):
            symbols[letter] = symbol
    overwritten = {part.x for part in x_parts if part.letter in symbols}
    available = set(written.arguments) | set(symbols.values()) | set(written.states.values())
    needs = _needs(derived, available, available - overwritten)
    made = Program(
        written, derived, x_parts, h_parts, q_parts, activated, symbols, bool(overwritten & needs.symbols), ""
    )
    return made._replace(text=_Writer(made, needs).module())


def _activated(written: Written, derived: Derived, x_parts) -> dict[str, str]:
    reads: dict[str, set[str]] = {argument: {argument} for argument in written.arguments}
    found: dict[str, str] = {}
    for symbol, expression in derived.forward:
        used = set().union(*(reads[name] for name in _names(expression)))
        is_call = isinstance(expression, ast.Call)
        reads[symbol] = {symbol} if is_call else used  # what is beyond an activation is another story
        if is_call:
            for part in x_parts:
                if part.x in used:
                    found.setdefault(part.letter, symbol)
    return found


class Needs(NamedTuple):
    """What the backward of a step is given.

    Attributes
    ----------
    again : list of Line
        Lines of the forward that it runs again.
    symbols : set of str
        Those it reads off a tape.
    stand_ins : dict of str to str
        Pre-activations that it takes, as ``d_tanh(z, g)`` is written, but does not look at: what stands in for them.
    """

    again: list[Line]
    symbols: set[str]
    stand_ins: dict[str, str]


def _needs(derived: Derived, available: set[str], kept: set[str]) -> Needs:
    """``available`` are arguments and what takes their place; ``kept`` those of them that a tape holds in any case."""
    gradients = {line.symbol for line in derived.backward}
    lines = {line.symbol: line for line in derived.forward}
    symbols, again, unread = set(), set(), {}

    def look_up(name: str) -> None:
        if name in available:
            symbols.add(name)
        elif name in lines and name not in again:
            again.add(name)
            for inner in _names(lines[name].expression):
                look_up(inner)

    for line in derived.backward:
        for call in [node for node in ast.walk(line.expression) if isinstance(node, ast.Call)]:
            z, a = (argument.id if isinstance(argument, ast.Name) else "" for argument in call.args)
            if z and CODES[call.func.id[2:]] not in NEEDS_Z and z not in kept and a in kept:
                unread[id(call.args[0])] = z, a
        for node in ast.walk(line.expression):
            if isinstance(node, ast.Name) and node.id not in gradients and id(node) not in unread:
                look_up(node.id)
    stand_ins = {z: a for z, a in unread.values() if z not in symbols and z not in again}
    for a in stand_ins.values():
        look_up(a)
    return Needs([line for line in derived.forward if line.symbol in again], symbols, stand_ins)


def _names(expression: ast.expr) -> Iterator[str]:
    """Symbols in an expression, functions left out."""
    functions = {id(node.func) for node in ast.walk(expression) if isinstance(node, ast.Call)}
    for node in ast.walk(expression):
        if isinstance(node, ast.Name) and id(node) not in functions:
            yield node.id


# -- expressions as the compiler takes them --------------------------------------------------------------------


@cache
def _dispatched(function) -> dict[str, ast.expr]:
    """What :func:`activate` calls for each activation, by name: read from its own source."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(uncompiled(function)))).body
    found, node = {}, definition.body[-1]
    while isinstance(node, ast.If):
        found[node.test.comparators[0].id.lower()] = node.body[0].value
        last, node = node.orelse[0], node.orelse[0]
    (rest,) = set(CODES) - set(found)
    return found | {rest: last.value}


class _Called(ast.NodeTransformer):
    """Activations as :mod:`rnn_ref.equations.activations` has them, with their options; numbers in their precision."""

    def __init__(self):
        self.like = ""  # a symbol of the precision that numbers shall have
        self.functions: set[str] = set()

    def visit_Call(self, node):
        name = node.func.id
        of_derivative = name.startswith("d_") and name[2:] in CODES
        template = _dispatched(activations.d_activate if of_derivative else activations.activate)[
            name.removeprefix("d_") if of_derivative else name
        ]
        given = dict(zip("za", node.args))
        self.functions.add(template.func.id)
        arguments = []
        for argument in template.args:
            if isinstance(argument, ast.Name):
                arguments.append(self.visit(given[argument.id]))
            else:  # real(0.2)
                arguments.append(self._real(argument.args[0]))
        return ast.Call(ast.Name(template.func.id), arguments, [])

    def _real(self, value: ast.expr) -> ast.expr:
        return ast.Call(ast.Call(ast.Name("type"), [ast.Name(self.like)], []), [value], [])

    def visit_Constant(self, node):
        return self._real(node)

    def visit_BinOp(self, node):
        if not isinstance(node.op, ast.Pow):
            return self.generic_visit(node)
        base, exponent = self.visit(node.left), number(node.right)
        if exponent in (2, 3, 4):  # a library's power takes a hundred times as long
            product = base
            for _ in range(int(exponent) - 1):
                product = ast.BinOp(product, ast.Mult(), base)
            return product
        return ast.BinOp(base, ast.Pow(), self._real(ast.Constant(exponent)))


def _copied(expression: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(expression), mode="eval").body


class _Writer:
    def __init__(self, made: Program, needs: Needs):
        self.made, self.written, self.derived, self.again = made, made.written, made.derived, needs.again
        self.states = tuple(self.written.states.values())
        self.slots = [made.symbols.get(part.letter, part.x) for part in made.x_parts]
        self.called = _Called()
        # The same for all units: read once, so that what is computed of them alone leaves the loop.
        self.numbers = [*self.written.constants, *(n for n, w in self.written.weights.items() if not w.per_unit)]
        # In the order in which a tape has them.
        every = [*self.slots, *self.written.arguments, *self.states]
        self.needed = [name for name in dict.fromkeys(every) if name in needs.symbols]
        self.stand_ins = needs.stand_ins
        self.totals = [s for s in self.states if any(line.symbol == f"d{s}" for line in self.derived.backward)]
        self.given_back = [*self.totals, *(a for a in self.written.arguments if a in self.derived.gradients)]

    def module(self) -> str:
        forward, backward = self._forward(), self._backward()
        functions = ", ".join(sorted(self.called.functions))
        lines = [
            f'"""{self.written.name}, written from its equations; do not edit."""',
            "",
            *([f"from rnn_ref.equations.activations import {functions}"] if functions else []),
            "from rnn_ref.jit import equation, part",
            "",
            "",
            *forward,
            "",
            "",
            *backward,
            "",
            "",
            *self._step(),
            "",
            "",
            *self._d_step(),
        ]
        return "\n".join(lines) + "\n"

    def _line(self, line: Line) -> str:
        return f"    {line.symbol} = {ast.unparse(self.called.visit(_copied(line.expression)))}"

    def _overwriting(self) -> list[str]:
        """What the forward gives: the gates that take their pre-activations' places, then the states."""
        return [
            *(self.made.symbols[p.letter] for p in self.made.x_parts if p.letter in self.made.symbols),
            *self.states,
        ]

    def _forward(self) -> list[str]:
        self.called.like = self.written.arguments[0]
        return [
            "@equation",
            f"def forward({', '.join(self.written.arguments)}):",
            *map(self._line, self.derived.forward),
            f"    return {', '.join(self._overwriting())}",
        ]

    def _backward(self) -> list[str]:
        self.called.like = f"d{self.states[0]}"
        arguments = [*(f"d{state}" for state in self.states), *self.stand_ins, *self.needed]
        return [
            "@equation",
            f"def backward({', '.join(arguments)}):",
            *map(self._line, self.again),
            *map(self._line, self.derived.backward),
            f"    return {', '.join(self.derived.gradients.get(name, f'd{name}') for name in self.given_back)}",
        ]

    # -- loops over one time step of one chunk -----------------------------------------------------------------

    # What has a symbol's name ends with an underscore here, and its gradient begins with one; no symbol does either.

    def _places(self, name: str, z: bool) -> str:
        """Where a tape has a symbol."""
        made = self.made
        for g, part in enumerate(made.x_parts):
            if name == self.slots[g]:
                return f"tape.gates[{g}, at.step, here]"
            if name == part.x:
                return f"tape.z[{g}, at.step, here]" if z else f"tape.gates[{g}, at.step, here]"
        for a, part in enumerate(made.q_parts):
            if name == part.h:
                return f"tape.q[{a}, at.step, here]"
        hidden, *others = self.states
        if name in (hidden, f"{hidden}_prev"):
            return f"tape.h[at.{'after' if name == hidden else 'before'}, here]"
        for s, other in enumerate(others):
            if name in (other, f"{other}_prev"):
                return f"tape.c[{s}, at.c_{'after' if name == other else 'before'}, here]"
        return f"weights.p[{[n for n, w in self.written.weights.items() if w.per_unit].index(name)}, here]"

    def _rows(self, names, z: bool) -> list[str]:
        rows = []
        for name in dict.fromkeys(names):
            if name in self.numbers:
                rows.append(f"    {name}_ = weights.constants[{self.numbers.index(name)}]")
            else:
                rows.append(f"    {name}_ = {self._places(name, z)}")
        return rows

    def _numbers(self, names) -> str:
        return ", ".join(f"{name}_" if name in self.numbers else f"{name}_[k]" for name in names)

    def _step(self) -> list[str]:
        targets = [p.x for p in self.made.x_parts if p.letter in self.made.symbols]
        return [
            "@part",
            "def step(tape, weights, at):",
            "    here = slice(at.first, at.last)",
            *self._rows([*self.written.arguments, *self.states], z=False),
            f"    for k in range({self.states[0]}_.size):",
            f"        {self._numbers([*targets, *self.states])} = forward({self._numbers(self.written.arguments)})",
        ]

    def _d_step(self) -> list[str]:
        hidden, *others = self.states
        rows = [f"    _d_{hidden}, _d_{hidden}_prev = flow.dh[at.after, here], flow.dh[at.before, here]"]
        for s, other in enumerate(others):
            after, before = f"flow.dc[{s}, at.c_after, here]", f"flow.dc[{s}, at.c_before, here]"
            rows.append(f"    _d_{other}, _d_{other}_prev = {after}, {before}")
        targets = {state: f"_d_{state}[k]" for state in self.totals}
        zero = []  # gradients of what the states do not depend on
        for kind, parts in (("dz", self.made.x_parts), ("dq", self.made.q_parts)):
            for g, part in enumerate(parts):
                name = part.x if kind == "dz" else part.h
                rows.append(f"    _d_{name} = flow.{kind}[{g}, at.step, here]")
                targets[name] = f"_d_{name}[k]"
                zero += [name] if name not in self.derived.gradients else []
        for p, name in enumerate(self.written.weights):
            rows.append(f"    _d_{name} = flow.dp[{p}, at.step, here]")
            targets[name] = f"_d_{name}[k]"
            zero += [name] if name not in self.derived.gradients else []
        for other in others:
            targets[f"{other}_prev"] = f"_d_{other}_prev[k]"
            zero += [f"{other}_prev"] if f"{other}_prev" not in self.derived.gradients else []
        adds = f"{hidden}_prev" in self.derived.gradients
        results = [targets.get(name, "direct") for name in self.given_back]
        given = [f"_d_{state}[k]" for state in self.states]
        read = [*self.stand_ins.values(), *self.needed]
        arguments = ", ".join([*given, self._numbers(read)] if read else given)
        zeros = [f"        {targets[name]} = 0" for name in zero]
        return [
            "@part",
            "def d_step(tape, weights, flow, at):",
            "    here = slice(at.first, at.last)",
            *self._rows(self.needed, z=True),
            *rows,
            f"    for k in range(_d_{hidden}.size):",
            *([f"        {', '.join(results)} = backward({arguments})"] if results else []),
            *([f"        _d_{hidden}_prev[k] += direct"] if adds else []),
            *(zeros if results or zeros else ["        pass"]),
        ]
